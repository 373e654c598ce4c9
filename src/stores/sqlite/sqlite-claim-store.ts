import {
  claimStatusOf,
  ClaimError,
  keyOfClaim,
  type ClaimedKey,
  type ClaimOutcome,
  type ClaimQuery,
  type ClaimRecord,
  type ClaimStatus,
  type ClaimStore,
  type StoredClaim,
} from '../claim-store.js';
import type { ChangeContext } from '../key-event.js';
import type { Database } from './database.js';
import type { Connection, Row, SqliteValue } from './driver.js';
import { insert } from './keys/insert.js';
import type { Names } from './names.js';
import {
  addresses,
  addressesText,
  instant,
  isStorable,
  optionalTime,
  readJson,
  readTime,
  storable,
  text,
  timeSql,
  timeText,
} from './values.js';

/** Keeps claim links in a table beside that of the keys. */
export class SqliteClaimStore implements ClaimStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async insert(claim: StoredClaim, context?: ChangeContext): Promise<ClaimRecord> {
    const { names } = this.#database;
    return this.#database.change('insertClaim', { context }, (connection) =>
      insertClaim(connection, names, claim),
    );
  }

  async find(tokenDigest: string): Promise<ClaimRecord | undefined> {
    const { names } = this.#database;
    return this.#database.read('findClaim', (connection) =>
      findBy(connection, names, 'token_digest', tokenDigest),
    );
  }

  async take(tokenDigest: string, key: ClaimedKey, context?: ChangeContext): Promise<ClaimOutcome> {
    const { names } = this.#database;
    return this.#database.change('takeClaim', { context, added: 'claimed' }, (connection) =>
      take(connection, names, tokenDigest, key),
    );
  }

  async list(query: ClaimQuery): Promise<ClaimRecord[]> {
    const { names } = this.#database;
    return this.#database.read('listClaims', (connection) => list(connection, names, query));
  }

  async revoke(claimId: string, revokedAt: Date, context?: ChangeContext): Promise<ClaimRecord> {
    const { names } = this.#database;
    return this.#database.change('revokeClaim', { context }, (connection) => {
      const claim = isStorable(claimId) && findBy(connection, names, 'claim_id', claimId);
      if (!claim) throw new ClaimError('unknown_claim_id');
      if (claim.claimedAt) throw new ClaimError('claim_used');
      if (claim.revokedAt) return claim;
      const sql = `update ${names.claims} set revoked_at = ? where claim_id = ?`;
      connection.run(sql, timeText(revokedAt), claimId);
      return findBy(connection, names, 'claim_id', claimId)!;
    });
  }

  async prune(before: Date): Promise<number> {
    const { names } = this.#database;
    const end = timeSql('coalesce(claimed_at, revoked_at, expires_at)');
    return this.#database.change('pruneClaims', {}, (connection) =>
      connection.run(`delete from ${names.claims} where ${end} <= ?`, timeText(before)),
    );
  }
}

/** Revokes every open claim link of a user, newest first. */
export function revokeClaimsOf(
  connection: Connection,
  names: Names,
  user: string,
  revokedAt: Date,
): ClaimRecord[] {
  const rows = connection.all(
    `update ${names.claims} set revoked_at = ?
      where user_name = ? and claimed_at is null and revoked_at is null
        and ${timeSql('expires_at')} > ?
      returning claim_id`,
    timeText(revokedAt),
    user,
    timeText(revokedAt),
  );
  return connection
    .all(
      `select * from ${names.claims} where claim_id in (select value from json_each(?))
        order by ${timeSql('created_at')} desc, claim_id desc`,
      JSON.stringify(rows.map((row) => row['claim_id'])),
    )
    .map(readClaim);
}

export function readClaim(row: Row): ClaimRecord {
  return {
    claimId: row['claim_id'] as string,
    user: row['user_name'] as string,
    ...text('name', row['name']),
    scopes: readJson(row['scopes']) as string[],
    metadata: readJson(row['metadata']) as Record<string, unknown>,
    ...instant('keyExpiresAt', row['key_expires_at']),
    ...addresses(row['allowed_addresses']),
    createdAt: readTime(row['created_at']),
    expiresAt: readTime(row['expires_at']),
    ...instant('claimedAt', row['claimed_at']),
    ...text('keyId', row['key_id']),
    ...instant('revokedAt', row['revoked_at']),
  };
}

export function insertClaim(connection: Connection, names: Names, claim: StoredClaim): ClaimRecord {
  const added = connection.all(
    `insert into ${names.claims}
      (claim_id, token_digest, user_name, name, scopes, metadata, key_id, allowed_addresses,
        key_expires_at, created_at, expires_at, claimed_at, revoked_at)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict do nothing returning claim_id`,
    storable(claim.claimId),
    claim.tokenDigest,
    storable(claim.user),
    storable(claim.name ?? null),
    JSON.stringify(claim.scopes),
    JSON.stringify(claim.metadata),
    storable(claim.keyId ?? null),
    addressesText(claim.allowedAddresses),
    optionalTime(claim.keyExpiresAt),
    timeText(claim.createdAt),
    timeText(claim.expiresAt),
    optionalTime(claim.claimedAt),
    optionalTime(claim.revokedAt),
  );
  if (added.length === 0) throw new ClaimError('duplicate_claim');
  return findBy(connection, names, 'claim_id', claim.claimId)!;
}

function findBy(
  connection: Connection,
  names: Names,
  column: 'claim_id' | 'token_digest',
  value: string,
): ClaimRecord | undefined {
  const [row] = connection.all(`select * from ${names.claims} where ${column} = ?`, value);
  return row && readClaim(row);
}

/**
 * Runs under the lock of the transaction: of many attempts at once, the first finds the link
 * open.
 */
function take(
  connection: Connection,
  names: Names,
  tokenDigest: string,
  claimed: ClaimedKey,
): ClaimOutcome {
  const claim = findBy(connection, names, 'token_digest', tokenDigest);
  if (!claim) return { outcome: 'unknown' };
  const { keyId, createdAt } = claimed;
  const status = claimStatusOf(claim, createdAt);
  if (status !== 'open') return { outcome: status, claim };
  const { claimId } = claim;
  connection.run(`update ${names.context} set claim_id = ?`, claimId);
  const { key, limit } = keyOfClaim(claim, claimed);
  const record = insert(connection, names, key, limit);
  connection.run(
    `update ${names.claims} set claimed_at = ?, key_id = ? where claim_id = ?`,
    timeText(createdAt),
    keyId,
    claimId,
  );
  return { outcome: 'claimed', claim: findBy(connection, names, 'claim_id', claimId)!, record };
}

const conditions: Readonly<Record<ClaimStatus, string>> = {
  used: 'c.claimed_at is not null',
  revoked: 'c.claimed_at is null and c.revoked_at is not null',
  expired: `c.claimed_at is null and c.revoked_at is null and ${timeSql('c.expires_at')} <= q.at`,
  open: `c.claimed_at is null and c.revoked_at is null and ${timeSql('c.expires_at')} > q.at`,
};

function list(
  connection: Connection,
  names: Names,
  { user, status, limit, cursor, now }: ClaimQuery,
): ClaimRecord[] {
  const where = ['true'];
  const values: SqliteValue[] = [];
  if (cursor !== undefined) {
    const found = isStorable(cursor)
      ? connection.all(
          `select ${timeSql('created_at')} as created_at from ${names.claims} where claim_id = ?`,
          cursor,
        )
      : [];
    if (!found[0]) throw new ClaimError('unknown_claim_id');
    where.push(`(${timeSql('c.created_at')}, c.claim_id) < (?, ?)`);
    values.push(found[0]['created_at'] as string, cursor);
  }
  if (user !== undefined) {
    if (!isStorable(user)) return [];
    where.push('c.user_name = ?');
    values.push(user);
  }
  if (status !== undefined) where.push(conditions[status]);
  return connection
    .all(
      `select c.* from ${names.claims} c, (select ? as at) q where ${where.join(' and ')}
        order by ${timeSql('c.created_at')} desc, c.claim_id desc limit ?`,
      timeText(now),
      ...values,
      limit,
    )
    .map(readClaim);
}
