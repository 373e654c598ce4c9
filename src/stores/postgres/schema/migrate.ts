import { inspect, type Inspection } from './inspect.js';
import type { Migration } from './migration.js';
import { migrations } from './migrations.js';
import { limitLockWait, withLock } from '../lock.js';
import type { Names } from '../names.js';
import { dollarQuote, quoteLiteral } from '../quote.js';
import { repairTriggers } from './repair-triggers.js';
import { codeOf } from '../safe-error.js';
import type { Executor } from '../database.js';

const maxRepairs = 3;
const maxRaces = 5;
/**
 * Errors of two processes that migrate at once, if statements see the state from before they
 * waited.
 */
const raced = new Set(['23505', '40001', '40P01', '42P06', '42P07', '42710', '42723']);

/**
 * Brings the schema up to date, with one atomic statement for each step. Migration libraries need
 * one session for their transactions and locks. This has to work through anything that runs
 * single statements, on any connection.
 *
 * @throws {Error} if the schema is newer than the library, or the table is not this library's.
 */
export async function migrate(
  executor: Executor,
  steps: readonly Migration[] = migrations,
): Promise<Inspection> {
  const { names } = executor;
  for (let races = 0, repairs = 0; ;) {
    const inspection = await inspect(executor, steps.length);
    assertMigratable(inspection, names, steps.length);
    const { state, version } = inspection;
    if (state === 'ready') return inspection;
    const missing = steps.slice(version);
    if (missing.length === 0 && ++repairs > maxRepairs) {
      throw new Error(
        `PostgresKeyStore: the triggers of ${names.schema}.${names.table} are dropped or ` +
          'disabled as soon as they are created',
      );
    }
    const blocks =
      missing.length > 0
        ? missing.map((step) => migrationBlock(names, step.version, step.sql(names)))
        : [repairBlock(names, version)];
    try {
      for (const text of blocks)
        await withLock(executor, () => executor.query('migrate', { text }));
    } catch (error) {
      if (++races > maxRaces || !raced.has(codeOf((error as Error).cause) ?? '')) throw error;
    }
  }
}

function assertMigratable({ state, version }: Inspection, names: Names, latest: number): void {
  const table = `${names.schema}.${names.table}`;
  if (state === 'newer') {
    throw new Error(
      `PostgresKeyStore: the schema of ${table} is version ${version}, newer than this library ` +
        `knows (${latest}); use at least the library version that made it`,
    );
  }
  if (state === 'plaintext') {
    throw new Error(
      `PostgresKeyStore: ${table} holds plaintext keys; run adopt() to hash them in place`,
    );
  }
  if (state === 'unrelated') {
    throw new Error(
      `PostgresKeyStore: ${table} exists and is not a table of keys; choose another with ` +
        '"schema" or "table"',
    );
  }
}

/**
 * One statement that takes the lock, checks whether another process was faster, runs `sql` and
 * records the version.
 */
function migrationBlock(names: Names, version: number, sql: string): string {
  return blockFrom(
    names,
    version - 1,
    version === 1 ? prepare(names) : '',
    `${sql}
      insert into ${names.migrations} (version) values (${version});`,
  );
}

/** The same for a table that stays at its version. */
const repairBlock = (names: Names, version: number) =>
  blockFrom(names, version, '', repairTriggers(names));

function blockFrom(names: Names, version: number, preparation: string, sql: string): string {
  return `do ${dollarQuote(`
    begin
      perform pg_catalog.pg_advisory_xact_lock(${names.lock});
      ${limitLockWait}
      ${preparation}
      if (select coalesce(pg_catalog.max(version), 0) from ${names.migrations}) <> ${version} then
        return;
      end if;
      ${sql}
    end`)}`;
}

/**
 * Creates the schema and the table of migrations if needed. If the table of keys was dropped, its
 * migrations are forgotten.
 */
export function prepare(names: Names): string {
  return `
      if pg_catalog.to_regnamespace(${quoteLiteral(names.quotedSchema)}) is null then
        create schema ${names.quotedSchema};
      end if;
      if pg_catalog.to_regclass(${quoteLiteral(names.migrations)}) is null then
        create table ${names.migrations} (
          version integer primary key,
          applied_at timestamptz(3) not null default pg_catalog.now(),
          details jsonb
        );
      elsif pg_catalog.to_regclass(${quoteLiteral(names.keys)}) is null then
        delete from ${names.migrations};
      end if;`;
}
