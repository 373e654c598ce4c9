import { mustBePrefix } from '../../../keys/key-format.js';
import { checkOptions, mustBeFunction, mustBeInteger, type Check } from '../../../lib/options.js';
import { inspect } from '../schema/inspect.js';
import { migrate } from '../schema/migrate.js';
import type { Names } from '../names.js';
import { dollarQuote } from '../quote.js';
import type { Session } from '../session.js';
import { createKeyIdFunction, dropKeyIdFunction } from './key-id-function.js';
import { assertNoDoubt } from './doubtful-keys.js';
import { hashSql } from './hash-sql.js';
import { limitLockWait, withLock } from '../lock.js';
import { planOf, type Plan } from './plan.js';
import { swap } from './swap.js';

/** How far `adopt` has come with hashing. */
export interface AdoptProgress {
  /** Rows gone through, about. */
  done: number;
  /** Rows in the table when the run began. */
  total: number;
}

/** How a table of plaintext keys is upgraded. */
export interface AdoptOptions {
  /**
   * Called before the first batch and after each; after the last, the table is still to be rewritten, which takes some ten seconds
   * for a million rows. What it throws interrupts the run, to be finished by another. Default none.
   */
  onProgress?: ((progress: AdoptProgress) => void) | undefined;
  /** About how many rows are hashed in one statement, an integer from 1 to 1 000 000. Default 10 000. */
  batchSize?: number | undefined;
  /**
   * What the key ids of keys that are not of this library's form begin with: lower-case words of letters and digits joined by `_`, at
   * most 32 characters. Default `key`.
   */
  prefix?: string | undefined;
  /**
   * Columns that say nothing of whether a key works. Without their names here, a table is refused that has, beside the columns that are
   * read, one of truth values or times, or one called `status` or the like: keys that were switched off by it would work again. They stay
   * in the table. Default none.
   */
  ignoredColumns?: readonly string[] | undefined;
}

/** What became of the rows of the plaintext table. */
export interface AdoptSummary {
  /** Keys that are now records, revoked ones included. */
  adopted: number;
  /** Those among them that were not active, or of which that was not known. */
  revoked: number;
  /** Those among them without a user, or with a blank one, who is now called `unknown`. */
  unowned: number;
  /**
   * Those among them that are active and hold a blank, a comma or a character outside visible ASCII, or are longer than 512 characters:
   * `requireApiKey` refuses such a key as malformed, whatever is stored, so its holder does not get in and needs a new one.
   */
  unpresentable: number;
  /**
   * Those among them that are active and 64 hexadecimal digits, as many keys are and every SHA-256 is. If the table held digests, they have
   * become keys, for whoever has read them: restore it, and put `sha256:` in front of them.
   */
  digestLike: number;
  /** Rows that were moved to the table `<table>_skipped`, without their key. */
  skipped: {
    /** Rows with no key at all. */
    withoutKey: number;
    /** Further rows with the key of another row; the active row stayed, and of several the oldest. */
    duplicates: number;
  };
  /** Whether there was nothing to do; then all the numbers are 0. */
  wasUpToDate: boolean;
}

interface Settings {
  readonly onProgress: (progress: AdoptProgress) => void;
  readonly batchSize: number;
  readonly prefix: string;
}

const mustBeColumns: Check = (value) =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
    ? undefined
    : 'an array of names of columns';

/**
 * In place, by columns beside: the digest and the key id are filled in batches next to the plaintext, while the old application
 * goes on reading and writing; then one transaction under an exclusive lock hashes what came in meanwhile, turns the columns into
 * the library's and drops the plaintext. So references, grants and columns of the application's own survive, every moment before
 * that transaction is the old table with two columns more, and whatever interrupts a run, the next one goes on from there.
 */
export async function adopt(session: Session, options?: AdoptOptions): Promise<AdoptSummary> {
  const { names } = session;
  const {
    onProgress = () => {},
    batchSize = 10_000,
    prefix = 'key',
    ignoredColumns = [],
  } = checkOptions<AdoptOptions>('adopt', options, {
    onProgress: mustBeFunction,
    batchSize: mustBeInteger(1, 1_000_000),
    prefix: mustBePrefix,
    ignoredColumns: mustBeColumns,
  });
  const { state } = await inspect(session);
  if (state === 'missing') {
    throw new Error(`PostgresKeyStore: there is no table ${names.schema}.${names.table} to adopt`);
  }
  if (state !== 'plaintext') {
    // Only steps behind the swap can be missing; whatever is neither old nor new is refused here.
    await migrate(session);
    return { ...nothing, wasUpToDate: state === 'ready' };
  }
  const plan = await planOf(session, ignoredColumns);
  await assertNoDoubt(session, plan);
  try {
    return await adoptPlaintext(session, plan, { onProgress, batchSize, prefix });
  } catch (error) {
    if ((await inspect(session)).state === 'plaintext') {
      await assertNoDoubt(session, plan);
      throw error;
    }
    // Another run was faster, and took away the columns that this one was working on.
    await session.query('adopt', { text: dropKeyIdFunction(names) });
    await migrate(session);
    return { ...nothing, wasUpToDate: false };
  }
}

async function adoptPlaintext(
  session: Session,
  plan: Plan,
  { onProgress, batchSize, prefix }: Settings,
): Promise<AdoptSummary> {
  const { names } = session;
  const run = (text: string) => session.query('adopt', { text });
  await withLock(session, () => run(addColumns(names)));
  await run(createKeyIdFunction(names));
  await hashInBatches(session, { onProgress, batchSize, prefix });
  const summary = await swapUnderLock(session, plan, prefix);
  await migrate(session);
  await run(`analyze ${names.keys}`);
  return summary;
}

const nothing = {
  adopted: 0,
  revoked: 0,
  unowned: 0,
  unpresentable: 0,
  digestLike: 0,
  skipped: { withoutKey: 0, duplicates: 0 },
};

function addColumns(names: Names): string {
  return `do ${dollarQuote(`
    begin
      ${limitLockWait}
      alter table ${names.keys}
        add column if not exists key_id text collate "C",
        add column if not exists digest text collate "C";
    end`)}`;
}

async function hashInBatches(
  session: Session,
  { onProgress, batchSize, prefix }: Settings,
): Promise<void> {
  const { names } = session;
  const measure = `select pg_catalog.count(*)::text as total,
      (pg_catalog.pg_relation_size(${names.regclass}) / pg_catalog.current_setting('block_size')::bigint)::text as blocks
    from ${names.keys}`;
  const [found] = await session.query('adopt', { text: measure });
  const [total, blocks] = [Number(found?.['total']), Number(found?.['blocks'])];
  onProgress({ done: 0, total });
  // By ranges of blocks: they need no index and no unique column, and no batch looks at a row twice.
  const step = Math.max(1, Math.floor((batchSize * blocks) / Math.max(1, total)));
  const text = `update ${names.keys} k
    set digest = ${hashSql('k')}, key_id = ${names.qualified('_adopt_key_id')}(k.api_key::text, $3::text)
    where k.ctid >= $1::text::tid and k.ctid < $2::text::tid and k.digest is null and k.api_key::text <> ''`;
  for (let block = 0; block < blocks; block += step) {
    const values = [`(${block},0)`, `(${block + step},0)`, prefix];
    await session.query('adopt', { text, values });
    onProgress({ done: Math.min(total, Math.round((total * (block + step)) / blocks)), total });
  }
}

async function swapUnderLock(session: Session, plan: Plan, prefix: string): Promise<AdoptSummary> {
  const { names } = session;
  await withLock(session, () => session.query('adopt', { text: swap(names, plan, prefix) }));
  const text = `select details::text as details from ${names.migrations} where version = 1`;
  const [row] = await session.query('adopt', { text });
  return { ...nothing, ...(JSON.parse(row?.['details'] ?? '{}') as object), wasUpToDate: false };
}
