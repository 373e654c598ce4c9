import type { StoredClaim } from '../claim-store.js';
import type { KeyEvent } from '../key-event.js';
import type { StoredKey } from '../key-record.js';
import type { KeyUsage } from '../key-usage.js';
import {
  archiveBatch,
  sortClaims,
  sortEvents,
  sortKeys,
  sortUsage,
  type ArchiveOptions,
  type ArchiveResult,
  type Sorted,
  type StoreArchive,
} from '../store-archive.js';
import { readStoredClaim, selectClaim } from './claim-record.js';
import { contextParameter, contextSql } from './context.js';
import { readEvent, selectEvent } from './event-record.js';
import { assertNothingHidden } from './hidden-rows.js';
import { given, readUsage, selectUsage, usageParameter } from './postgres-usage-store.js';
import { readStoredKey, selectRecord } from './record.js';
import type { Row, Executor } from './database.js';

/** How often a batch is compared again after somebody else added a part of it. */
const maxAttempts = 5;

/** Reads and writes the tables as a whole, in batches. */
export class PostgresArchive implements StoreArchive {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async *readKeys(): AsyncIterable<readonly StoredKey[]> {
    const { names } = this.#executor;
    await assertNothingHidden(this.#executor);
    yield* this.#read(
      `k.digest, k.key_id as id, ${selectRecord(names)} as record from ${names.keys} k`,
      `(k.created_at, k.key_id) > (select l.created_at, l.key_id from after
        join ${names.keys} l on l.key_id = after.id)`,
      'k.created_at, k.key_id',
      readStoredKey,
    );
  }

  async *readClaims(): AsyncIterable<readonly StoredClaim[]> {
    const { claims } = this.#executor.names;
    await assertNothingHidden(this.#executor, 'claims');
    yield* this.#read(
      `c.token_digest, c.claim_id as id, ${selectClaim()} as claim from ${claims} c`,
      `(c.created_at, c.claim_id) > (select l.created_at, l.claim_id from after
        join ${claims} l on l.claim_id = after.id)`,
      'c.created_at, c.claim_id',
      readStoredClaim,
    );
  }

  async *readEvents(): AsyncIterable<readonly KeyEvent[]> {
    const { events } = this.#executor.names;
    yield* this.#read(
      `e.event_id as id, ${selectEvent('e')} as event from ${events} e`,
      `(e.at, e.seq) > (select l.at, l.seq from after join ${events} l on l.event_id = after.id)`,
      'e.at, e.seq',
      readEvent,
    );
  }

  async *readUsage(): AsyncIterable<readonly KeyUsage[]> {
    yield* this.#read(
      `pg_catalog.json_build_array(u.day, u.key_id)::text as id, ${selectUsage('u')} as usage
        from ${this.#executor.names.usage} u`,
      `(u.day, u.key_id) > (select (after.id::json operator(pg_catalog.->>) 0)::date,
        after.id::json operator(pg_catalog.->>) 1 from after)`,
      'u.day, u.key_id',
      readUsage,
    );
  }

  async writeKeys(keys: readonly StoredKey[], options: ArchiveOptions): Promise<ArchiveResult> {
    const { names } = this.#executor;
    await assertNothingHidden(this.#executor);
    return this.#write(options, keys, sortKeys, {
      find: `select k.digest, ${selectRecord(names)} as record
        from ${names.keys} k join ${rowsOf('key_id text, digest text')}
          on k.key_id = given.key_id or k.digest = given.digest`,
      read: readStoredKey,
      insert: `insert into ${names.keys} (${keyColumns})
        select ${keyColumns} from context, ${rowsOf(keyTypes)} order by key_id`,
      rowOf: (key) => ({
        key_id: key.keyId,
        user_name: key.user,
        name: key.name,
        digest: key.digest,
        scopes: key.scopes,
        metadata: key.metadata,
        created_at: key.createdAt,
        last_used_at: key.lastUsedAt,
        expires_at: key.expiresAt,
        revoked_at: key.revokedAt,
        paused_at: key.pausedAt,
        paused_until: key.pausedUntil,
        allowed_addresses: key.allowedAddresses,
        replaces: key.replaces,
        overlap_ms: key.overlapMs,
      }),
    });
  }

  async writeClaims(
    claims: readonly StoredClaim[],
    options: ArchiveOptions,
  ): Promise<ArchiveResult> {
    const { names } = this.#executor;
    await assertNothingHidden(this.#executor, 'claims');
    return this.#write(options, claims, sortClaims, {
      find: `select c.token_digest, ${selectClaim()} as claim
        from ${names.claims} c join ${rowsOf('claim_id text, token_digest text')}
          on c.claim_id = given.claim_id or c.token_digest = given.token_digest`,
      read: readStoredClaim,
      insert: `insert into ${names.claims} (${claimColumns})
        select ${claimColumns} from context, ${rowsOf(claimTypes)} order by claim_id`,
      rowOf: (claim) => ({
        claim_id: claim.claimId,
        token_digest: claim.tokenDigest,
        user_name: claim.user,
        name: claim.name,
        scopes: claim.scopes,
        metadata: claim.metadata,
        key_id: claim.keyId,
        key_expires_at: claim.keyExpiresAt,
        created_at: claim.createdAt,
        expires_at: claim.expiresAt,
        claimed_at: claim.claimedAt,
        revoked_at: claim.revokedAt,
        allowed_addresses: claim.allowedAddresses,
      }),
    });
  }

  async writeEvents(events: readonly KeyEvent[], options: ArchiveOptions): Promise<ArchiveResult> {
    const { names } = this.#executor;
    return this.#write(options, events, sortEvents, {
      find: `select ${selectEvent('e')} as event
        from ${names.events} e join ${rowsOf('event_id text')} on e.event_id = given.event_id`,
      read: readEvent,
      // In the order of the batch: events of the same millisecond keep their order.
      insert: `insert into ${names.events} (${eventColumns})
        select ${eventColumns} from context, ${rowsOf(eventTypes)} order by at, place`,
      rowOf: (event, place) => ({
        event_id: event.eventId,
        at: event.at,
        what: event.what,
        key_id: event.keyId,
        claim_id: event.claimId,
        user_name: event.user,
        previous_user: event.changes?.user?.[0],
        changed_by: event.by,
        reason: event.reason,
        via: event.via,
        changes: event.changes,
        place,
      }),
    });
  }

  async writeUsage(counts: readonly KeyUsage[], options: ArchiveOptions): Promise<ArchiveResult> {
    const { usage } = this.#executor.names;
    return this.#write(options, counts, sortUsage, {
      find: `select ${selectUsage('u')} as usage
        from ${usage} u join ${given('$1')} on u.day = given.day and u.key_id = given.key_id`,
      read: readUsage,
      insert: `insert into ${usage} (day, key_id, user_name, admitted, refused)
        select day, key_id, user_name, admitted, refused from context, ${given('$1')}
          order by day, key_id`,
      rowOf: (count) => (JSON.parse(usageParameter([count])) as object[])[0]!,
    });
  }

  async *#read<Entry>(
    what: string,
    after: string,
    order: string,
    read: (row: Row) => Entry,
  ): AsyncIterable<readonly Entry[]> {
    for (let id: string | null = null; ;) {
      const text = `with after as (select $1::text as id)
        select ${what} where $1::text is null or ${after} order by ${order} limit ${archiveBatch}`;
      const rows: Row[] = await this.#executor.query('copy', { text, values: [id] });
      if (rows.length > 0) yield rows.map(read);
      if (rows.length < archiveBatch) return;
      id = rows.at(-1)!['id'] ?? null;
    }
  }

  /** Compares and inserts. Repeats if somebody else has inserted a part meanwhile. */
  async #write<Entry>(
    { isDryRun }: ArchiveOptions,
    entries: readonly Entry[],
    sort: (given: readonly Entry[], found: readonly Entry[]) => Sorted<Entry>,
    sql: {
      readonly find: string;
      readonly read: (row: Row) => Entry;
      readonly insert: string;
      readonly rowOf: (entry: Entry, place: number) => object;
    },
  ): Promise<ArchiveResult> {
    const parameterOf = (some: readonly Entry[]) => JSON.stringify(some.map(sql.rowOf));
    let copied = 0;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const values = [parameterOf(entries)];
      const rows = await this.#executor.query('copyInto', { text: sql.find, values });
      const { missing, skipped, conflicts } = sort(entries, rows.map(sql.read));
      if (missing.length === 0) return { copied, skipped: skipped - copied, conflicts };
      if (isDryRun) return { copied: missing.length, skipped, conflicts };
      const text = `with ${contextSql('$2')}, made as (
          ${sql.insert} on conflict do nothing returning 1
        )
        select pg_catalog.count(*)::text as count from made`;
      const silently = contextParameter(undefined, { isSilent: true });
      const [row] = await this.#executor.query('copyInto', {
        text,
        values: [parameterOf(missing), silently],
      });
      const count = Number(row?.['count']);
      if (count === missing.length)
        return { copied: copied + count, skipped: skipped - copied, conflicts };
      copied += count;
    }
    throw new Error('PostgresKeyStore: copy failed: others kept adding the same entries meanwhile');
  }
}

const rowsOf = (columns: string) =>
  `pg_catalog.jsonb_to_recordset($1::text::jsonb) as given (${columns})`;

const keyTypes = `key_id text, user_name text, name text, digest text, scopes text[],
  metadata jsonb, created_at timestamptz, last_used_at timestamptz, expires_at timestamptz,
  revoked_at timestamptz, paused_at timestamptz, paused_until timestamptz,
  allowed_addresses text[], replaces text, overlap_ms bigint`;
const claimTypes = `claim_id text, token_digest text, user_name text, name text, scopes text[],
  metadata jsonb, key_id text, key_expires_at timestamptz, created_at timestamptz,
  expires_at timestamptz, claimed_at timestamptz, revoked_at timestamptz,
  allowed_addresses text[]`;
const eventTypes = `event_id text, at timestamptz, what text, key_id text, claim_id text,
  user_name text, previous_user text, changed_by text, reason text, via text, changes jsonb,
  place bigint`;

const namesIn = (types: string) =>
  types
    .split(',')
    .map((column) => column.trim().split(' ')[0])
    .filter((name) => name !== 'place')
    .join(', ');
const [keyColumns, claimColumns, eventColumns] = [keyTypes, claimTypes, eventTypes].map(namesIn);
