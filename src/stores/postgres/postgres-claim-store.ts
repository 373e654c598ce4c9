import {
  claimStatusOf,
  ClaimError,
  type ClaimedKey,
  type ClaimOutcome,
  type ClaimQuery,
  type ClaimRecord,
  type ClaimStatus,
  type ClaimStore,
  type StoredClaim,
} from '../claim-store.js';
import type { ChangeContext } from '../key-event.js';
import { duplicateKey, tooManyKeys } from '../key-store-error.js';
import { readClaim, selectClaim } from './claim-record.js';
import { contextParameter, contextSql } from './context.js';
import { assertNothingHidden, commandsOf } from './hidden-rows.js';
import {
  addressesParameter,
  addressesSql,
  instantParameter,
  instantSql,
  metadataSql,
  scopesSql,
  searchParameter,
} from './parameters.js';
import { readRecord, selectRecord } from './record.js';
import type { Executors } from './database.js';

/** Keeps claim links in a table beside that of the keys. */
export class PostgresClaimStore implements ClaimStore {
  readonly #executors: Executors;

  constructor(executors: Executors) {
    this.#executors = executors;
  }

  async insert(claim: StoredClaim, context?: ChangeContext): Promise<ClaimRecord> {
    const executor = this.#executors.change;
    const text = `with ${contextSql('$1')}, made as (
        insert into ${executor.names.claims}
          (claim_id, token_digest, user_name, name, scopes, metadata, key_id, key_expires_at,
            created_at, expires_at, claimed_at, revoked_at, allowed_addresses)
        select $2::text, $3::text, $4::text, $5::text,
          ${scopesSql('$6')}, ${metadataSql('$7')}, $8::text,
          ${['$9', '$10', '$11', '$12', '$13'].map(instantSql).join(', ')}, ${addressesSql('$14')}
        from context
        on conflict do nothing
        returning *
      )
      select ${selectClaim('made')} as claim from made`;
    const values = [
      contextParameter(context),
      claim.claimId,
      claim.tokenDigest,
      claim.user,
      claim.name ?? null,
      JSON.stringify(claim.scopes),
      JSON.stringify(claim.metadata),
      claim.keyId ?? null,
      instantParameter(claim.keyExpiresAt),
      instantParameter(claim.createdAt),
      instantParameter(claim.expiresAt),
      instantParameter(claim.claimedAt),
      instantParameter(claim.revokedAt),
      addressesParameter(claim.allowedAddresses),
    ];
    const [row] = await executor.query('insertClaim', { text, values });
    if (!row) throw new ClaimError('duplicate_claim');
    return readClaim(row);
  }

  async find(tokenDigest: string): Promise<ClaimRecord | undefined> {
    const executor = this.#executors.lookUp;
    const text = `select ${selectClaim()} as claim from ${executor.names.claims} c
      where c.token_digest = $1::text`;
    const [row] = await executor.query('findClaim', { text, values: [tokenDigest] });
    if (!row) await assertNothingHidden(executor, 'claims');
    return row && readClaim(row);
  }

  async take(
    tokenDigest: string,
    { keyId, digest, createdAt, defaultExpiresAt, maxKeysPerUser }: ClaimedKey,
    context?: ChangeContext,
  ): Promise<ClaimOutcome> {
    const executor = this.#executors.change;
    const { names } = executor;
    // Of many attempts at once, the first locks the row. The others wait, read it again and find it
    // used. One statement writes both the mark and the key, so a broken connection leaves both or
    // neither.
    const now = instantSql('$4');
    const values = [
      tokenDigest,
      keyId,
      digest,
      instantParameter(createdAt),
      instantParameter(defaultExpiresAt),
      contextParameter({ via: 'claim', ...context }),
    ];
    const most =
      maxKeysPerUser === undefined ? '' : `$${values.push(String(maxKeysPerUser))}::text::bigint`;
    if (most) await assertNothingHidden(executor);
    const room = most && `${names.qualified('_has_room')}(found.user_name, ${now}, ${most})`;
    const text = `with found as materialized (
        select * from ${names.claims} where token_digest = $1::text for update
      ), open as materialized (
        select found.*, ${room || 'true'} as has_room
        from found where claimed_at is null and revoked_at is null and expires_at > ${now}
      ), ${contextSql('$6', { id: 'open.claim_id', from: 'open' })}, made as (
        insert into ${names.keys}
          (key_id, digest, user_name, name, scopes, metadata, created_at, expires_at,
            allowed_addresses)
        select $2::text, $3::text, user_name, name, scopes, metadata, ${now},
          coalesce(key_expires_at, ${instantSql('$5')}), allowed_addresses
        from open, context where open.has_room
        on conflict do nothing
        returning *
      ), used as (
        update ${names.claims} c set claimed_at = ${now}, key_id = made.key_id
        from made, found where c.claim_id = found.claim_id
        returning c.*
      )
      select ${selectRecord(names, 'made')} as record, ${selectClaim('used')} as claim,
        null::text as has_room from used, made
      union all
      select null::text, ${selectClaim('found')}, open.has_room::text
      from found left join open using (claim_id) where not exists (select from used)`;
    const [row] = await executor.query('takeClaim', { text, values });
    if (!row) {
      await assertNothingHidden(executor, 'claims', commandsOf.change);
      return { outcome: 'unknown' };
    }
    const claim = readClaim(row);
    if (row['record'] != null) return { outcome: 'claimed', claim, record: readRecord(row) };
    const outcome = claimStatusOf(claim, createdAt);
    if (outcome === 'open') throw row['has_room'] === 'false' ? tooManyKeys() : duplicateKey();
    return { outcome, claim };
  }

  async list({ user, status, limit, cursor, now }: ClaimQuery): Promise<ClaimRecord[]> {
    const executor = this.#executors.change;
    const { claims } = executor.names;
    const values = [instantParameter(now), String(limit)];
    const owned =
      user === undefined ? '' : `and c.user_name = $${values.push(searchParameter(user))}::text`;
    const page = (after = '') => `select ${selectClaim()} as claim from ${claims} c
      where ${instantSql('$1')} is not null
        ${status === undefined ? '' : `and ${conditions[status]}`} ${owned} ${after}
      order by c.created_at desc, c.claim_id desc limit $2::text::bigint`;
    if (cursor === undefined) {
      const rows = await executor.search('listClaims', { text: page(), values });
      if (rows.length < limit) await assertNothingHidden(executor, 'claims');
      return rows.map(readClaim);
    }
    // As in the list of keys: the row of the cursor comes alone if none follows.
    const text = `select page.claim from ${claims} s
      left join lateral (${page('and (c.created_at, c.claim_id) < (s.created_at, s.claim_id)')})
        page on true
      where s.claim_id = $${values.push(searchParameter(cursor))}::text`;
    const rows = await executor.search('listClaims', { text, values });
    if (rows.length < limit) await assertNothingHidden(executor, 'claims');
    if (rows.length === 0) throw new ClaimError('unknown_claim_id');
    return rows.filter(({ claim }) => claim !== null).map(readClaim);
  }

  async revoke(claimId: string, revokedAt: Date, context?: ChangeContext): Promise<ClaimRecord> {
    const executor = this.#executors.change;
    // A used link is written back unchanged. So this waits for a claim under way and can report its
    // outcome.
    const text = `with ${contextSql('$3')}
      update ${executor.names.claims} c
      set revoked_at = case when c.claimed_at is null
        then coalesce(c.revoked_at, ${instantSql('$2')}) else c.revoked_at end
      from context where c.claim_id = $1::text
      returning ${selectClaim()} as claim`;
    const values = [
      searchParameter(claimId),
      instantParameter(revokedAt),
      contextParameter(context),
    ];
    const [row] = await executor.search('revokeClaim', { text, values });
    if (!row) {
      await assertNothingHidden(executor, 'claims', commandsOf.change);
      throw new ClaimError('unknown_claim_id');
    }
    const claim = readClaim(row);
    if (claim.claimedAt) throw new ClaimError('claim_used');
    return claim;
  }

  async prune(before: Date): Promise<number> {
    const executor = this.#executors.prune;
    const text = `with gone as (
        delete from ${executor.names.claims}
          where coalesce(claimed_at, revoked_at, expires_at) <= ${instantSql('$1')} returning 1
      )
      select pg_catalog.count(*)::text as count from gone`;
    await assertNothingHidden(executor, 'claims', commandsOf.delete, 'pruneClaims');
    const [row] = await executor.query('pruneClaims', { text, values: [instantParameter(before)] });
    return Number(row?.['count']);
  }
}

const conditions: Readonly<Record<ClaimStatus, string>> = {
  used: 'c.claimed_at is not null',
  revoked: 'c.claimed_at is null and c.revoked_at is not null',
  expired: `c.claimed_at is null and c.revoked_at is null and c.expires_at <= ${instantSql('$1')}`,
  open: `c.claimed_at is null and c.revoked_at is null and c.expires_at > ${instantSql('$1')}`,
};
