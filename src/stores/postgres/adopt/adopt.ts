import { mustBePrefix } from '../../../keys/key-format.js';
import { checkOptions, mustBeFunction, mustBeInteger, type Check } from '../../../lib/options.js';
import { inspect } from '../schema/inspect.js';
import { migrate } from '../schema/migrate.js';
import type { Names } from '../names.js';
import { dollarQuote } from '../quote.js';
import type { Executor } from '../database.js';
import { createKeyIdFunction, dropKeyIdFunction } from './key-id-function.js';
import { assertNoRowProblem } from './row-problems.js';
import { hashSql } from './hash-sql.js';
import { limitLockWait, withLock } from '../lock.js';
import { planOf, type Plan } from './plan.js';
import { swap } from './swap.js';

/** Progress of the hashing in `adopt`. */
export interface AdoptProgress {
  /** Rows processed, approximately. */
  done: number;
  /** Rows in the table at the start of the run. */
  total: number;
}

/** How a table of plaintext keys is upgraded. */
export interface AdoptOptions {
  /**
   * Called before the first batch and after each. If it throws, the run stops, and the next run
   * continues. After the last batch the table is still rewritten, which takes some ten seconds
   * for a million rows. Default none.
   */
  onProgress?: ((progress: AdoptProgress) => void) | undefined;
  /**
   * Rows hashed in one statement, approximately: an integer from 1 to 1 000 000. Default 10 000.
   */
  batchSize?: number | undefined;
  /**
   * The start of the key ids of keys that do not have this library's form: lower-case words of
   * letters and digits joined by `_`, at most 32 characters. Default `key`.
   */
  prefix?: string | undefined;
  /**
   * Columns that do not decide whether a key works. They stay in the table. Default none.
   *
   * `adopt` refuses a table with an unknown column of booleans or times, or one called `status`
   * or the like. The old application may have switched keys off by it, and they would work again.
   */
  ignoredColumns?: readonly string[] | undefined;
}

/** The outcome for the rows of the plaintext table. */
export interface AdoptSummary {
  /** Keys that are records now, revoked ones included. */
  adopted: number;
  /** Adopted keys that were not active, or whose activity was unknown. */
  revoked: number;
  /** Adopted keys whose user was missing or blank. Their user is now `unknown`. */
  unowned: number;
  /**
   * Adopted active keys that no client can present: they hold a blank, a comma or a character
   * outside visible ASCII, or have more than 512 characters. `requireApiKey` refuses them as
   * malformed, so their holders need new keys.
   */
  unpresentable: number;
  /**
   * Which keys these are, the oldest first, at most 100 000. Absent if there are none. They also
   * stay in the first row of the table `<table>_migrations`, in `details`.
   */
  unpresentableKeys?: {
    /** The key id, which replaces the key in lists and logs. */
    keyId: string;
    /** Whose key it is. */
    user: string;
  }[];
  /**
   * Adopted active keys of 64 hexadecimal digits, the form of many keys and of every SHA-256. If
   * the table held digests, anyone who has read them now holds working keys. In that case restore
   * the table and put `sha256:` before each digest.
   */
  digestLike: number;
  /** Rows that were moved to the table `<table>_skipped`, without their keys. */
  skipped: {
    /** Rows without a key. */
    withoutKey: number;
    /** Rows with the key of another row. The active row stayed, or else the oldest. */
    duplicates: number;
  };
  /** Whether there was nothing to do. All numbers are then 0. */
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
 * Works in place, with two new columns. Batches fill in the digest and the key id next to the
 * plaintext, while the old application keeps reading and writing. One last transaction under an
 * exclusive lock hashes the remaining rows, turns the columns into the library's and drops the
 * plaintext.
 *
 * References, grants and the application's own columns survive. Until the last transaction the
 * old table only has two more columns, so the next run continues after any interruption.
 */
export async function adopt(executor: Executor, options?: AdoptOptions): Promise<AdoptSummary> {
  const { names } = executor;
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
  const { state } = await inspect(executor);
  if (state === 'missing') {
    throw new Error(`PostgresKeyStore: there is no table ${names.schema}.${names.table} to adopt`);
  }
  if (state !== 'plaintext') {
    // Only steps after the swap can be missing. A table of any other kind is refused here.
    await migrate(executor);
    return { ...nothing, wasUpToDate: state === 'ready' };
  }
  const plan = await planOf(executor, ignoredColumns);
  await assertNoRowProblem(executor, plan);
  try {
    return await adoptPlaintext(executor, plan, { onProgress, batchSize, prefix });
  } catch (error) {
    if ((await inspect(executor)).state === 'plaintext') {
      await assertNoRowProblem(executor, plan);
      throw error;
    }
    // Another run finished first and removed the columns that this one was filling.
    await executor.query('adopt', { text: dropKeyIdFunction(names) });
    await migrate(executor);
    return { ...nothing, wasUpToDate: false };
  }
}

async function adoptPlaintext(
  executor: Executor,
  plan: Plan,
  { onProgress, batchSize, prefix }: Settings,
): Promise<AdoptSummary> {
  const { names } = executor;
  const run = (text: string) => executor.query('adopt', { text });
  await withLock(executor, () => run(addColumns(names)));
  await run(createKeyIdFunction(names));
  await hashInBatches(executor, { onProgress, batchSize, prefix });
  const summary = await swapUnderLock(executor, plan, prefix);
  await migrate(executor);
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
  executor: Executor,
  { onProgress, batchSize, prefix }: Settings,
): Promise<void> {
  const { names } = executor;
  const measure = `select pg_catalog.count(*)::text as total,
      (pg_catalog.pg_relation_size(${names.regclass}) /
        pg_catalog.current_setting('block_size')::bigint)::text as blocks
    from ${names.keys}`;
  const [found] = await executor.query('adopt', { text: measure });
  const [total, blocks] = [Number(found?.['total']), Number(found?.['blocks'])];
  onProgress({ done: 0, total });
  // Ranges of blocks need no index and no unique column, and no batch reads a row twice.
  const step = Math.max(1, Math.floor((batchSize * blocks) / Math.max(1, total)));
  const text = `update ${names.keys} k
    set digest = ${hashSql('k')},
      key_id = ${names.qualified('_adopt_key_id')}(k.api_key::text, $3::text)
    where k.ctid >= $1::text::tid and k.ctid < $2::text::tid and k.digest is null
      and k.api_key::text <> ''`;
  for (let block = 0; block < blocks; block += step) {
    const values = [`(${block},0)`, `(${block + step},0)`, prefix];
    await executor.query('adopt', { text, values });
    onProgress({ done: Math.min(total, Math.round((total * (block + step)) / blocks)), total });
  }
}

async function swapUnderLock(
  executor: Executor,
  plan: Plan,
  prefix: string,
): Promise<AdoptSummary> {
  const { names } = executor;
  await withLock(executor, () => executor.query('adopt', { text: swap(names, plan, prefix) }));
  const text = `select details::text as details from ${names.migrations} where version = 1`;
  const [row] = await executor.query('adopt', { text });
  return { ...nothing, ...(JSON.parse(row?.['details'] ?? '{}') as object), wasUpToDate: false };
}
