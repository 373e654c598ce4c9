import { assertNothingHidden } from '../hidden-rows.js';
import { migrations } from './migrations.js';
import type { Executor } from '../database.js';
import { areArmed } from './triggers.js';

/**
 * What the database has under the table's name.
 *
 * - `ready`: a table as this library needs it.
 * - `missing`: no table.
 * - `plaintext`: a table of plaintext keys, for `adopt`.
 * - `older`: to be upgraded by `migrate`.
 * - `newer`: made by a later version of the library.
 * - `unrelated`: something else of that name.
 * - `disarmed`: a trigger is missing, disabled or changed, as after the table was renamed, or
 *   inheritance links the table with another. Changes made elsewhere may be seen late, and an old
 *   key may outlive its rotation. `migrate` repairs it, or names what it cannot.
 */
export type SchemaState =
  'ready' | 'missing' | 'plaintext' | 'older' | 'newer' | 'unrelated' | 'disarmed';

/** The findings of `PostgresKeyStore.inspect`. */
export interface Inspection {
  /** Whether the table can be used, and if not, why. */
  state: SchemaState;
  /** The number of the last migration that was applied. 0 for none. */
  version: number;
}

/** @param latest the version that is up to date */
export async function inspect(executor: Executor, latest = migrations.length): Promise<Inspection> {
  const { names } = executor;
  const text = `select
      (select c.relkind::text from pg_catalog.pg_class c
        where c.oid = pg_catalog.to_regclass($1::text)::oid) as kind,
      (select pg_catalog.count(*)::text from pg_catalog.pg_attribute a
        where a.attrelid = pg_catalog.to_regclass($1::text)::oid
        and a.attname = 'api_key' and not a.attisdropped) as plaintext_columns,
      pg_catalog.to_regclass($2::text)::oid::text as migrations`;
  const [found] = await executor.query('inspect', { text, values: [names.keys, names.migrations] });
  if (!found?.['kind']) return { state: 'missing', version: 0 };
  const { version, isArmed } = found['migrations']
    ? await versionOf(executor)
    : { version: 0, isArmed: false };
  if (version > latest) return { state: 'newer', version };
  if (version > 0 && version < latest) return { state: 'older', version };
  if (version > 0) return { state: isArmed ? 'ready' : 'disarmed', version };
  const isPlaintext = found['kind'] === 'r' && found['plaintext_columns'] !== '0';
  return { state: isPlaintext ? 'plaintext' : 'unrelated', version };
}

/** One statement reads both: triggers belong to versions, and a migration may end in between. */
async function versionOf(executor: Executor): Promise<{ version: number; isArmed: boolean }> {
  const { names } = executor;
  const text = `select coalesce(pg_catalog.max(version), 0)::text as version,
    ${areArmed(names)}::text as is_armed
    from ${names.migrations}`;
  const [row] = await executor.query('inspect', { text });
  if (row?.['version'] === '0') await assertNothingHidden(executor, 'migrations');
  return { version: Number(row?.['version']), isArmed: row?.['is_armed'] === 'true' };
}
