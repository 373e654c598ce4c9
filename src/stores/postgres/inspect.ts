import type { Database } from './database.js';
import { migrations } from './migrations/index.js';
import type { Names } from './names.js';
import { areArmed } from './triggers.js';

/**
 * What stands in the database under the table's name. `ready`: a table as this library needs it. `missing`: no table.
 * `plaintext`: a table of plaintext keys, for `adopt`. `older`: to be upgraded by `migrate`. `newer`: made by a later version of the
 * library. `foreign`: something else of that name. `disarmed`: a trigger of the table is missing or not enabled as it has to be, so that
 * changes made elsewhere are seen late or an old key outlives its rotation; to be mended by `migrate`.
 */
export type SchemaState = 'ready' | 'missing' | 'plaintext' | 'older' | 'newer' | 'foreign' | 'disarmed';

/** What `PostgresKeyStore.inspect` found in the database. */
export interface Inspection {
  /** Whether the table can be used, and if not, why. */
  state: SchemaState;
  /** The number of the last migration that was applied; 0 for none. */
  version: number;
}

const latestVersion = migrations.length;

export async function inspect(
  database: Database,
  names: Names,
  limitMs: number,
  latest = latestVersion,
): Promise<Inspection> {
  const text = `select
      (select c.relkind::text from pg_catalog.pg_class c where c.oid = to_regclass($1::text)) as kind,
      (select count(*)::text from pg_catalog.pg_attribute a where a.attrelid = to_regclass($1::text)
        and a.attname = 'api_key' and not a.attisdropped) as plaintext_columns,
      to_regclass($2::text)::oid::text as migrations`;
  const [found] = await database.query('inspect', { text, values: [names.keys, names.migrations] }, limitMs);
  if (!found?.['kind']) return { state: 'missing', version: 0 };
  const { version, isArmed } = found['migrations']
    ? await versionOf(database, names, limitMs)
    : { version: 0, isArmed: false };
  if (version > latest) return { state: 'newer', version };
  if (version > 0 && version < latest) return { state: 'older', version };
  if (version > 0) return { state: isArmed ? 'ready' : 'disarmed', version };
  const isPlaintext = found['kind'] === 'r' && found['plaintext_columns'] !== '0';
  return { state: isPlaintext ? 'plaintext' : 'foreign', version };
}

/** Both in one statement: triggers come with versions, and a migration may end between two. */
async function versionOf(
  database: Database,
  names: Names,
  limitMs: number,
): Promise<{ version: number; isArmed: boolean }> {
  const text = `select coalesce(max(version), 0)::text as version, ${areArmed('$1::text')}::text as is_armed
    from ${names.migrations}`;
  const [row] = await database.query('inspect', { text, values: [names.keys] }, limitMs);
  const version = Number(row?.['version']);
  // Earlier versions had others.
  return { version, isArmed: row?.['is_armed'] === 'true' || version < latestVersion };
}
