import type { Database } from './database.js';
import { migrations } from './migrations/index.js';
import type { Names } from './names.js';

/**
 * `ready`: as this library needs it. `missing`: no table. `plaintext`: a table of plaintext keys, for `adopt`.
 * `older`: to be upgraded by `migrate`. `newer`: made by a later version of the library. `foreign`: something else of that name.
 */
export type SchemaState = 'ready' | 'missing' | 'plaintext' | 'older' | 'newer' | 'foreign';

export interface Inspection {
  state: SchemaState;
  /** The last migration that was applied; 0 for none. */
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
  const version = found['migrations'] ? await versionOf(database, names, limitMs) : 0;
  if (version > latest) return { state: 'newer', version };
  if (version > 0) return { state: version === latest ? 'ready' : 'older', version };
  const isPlaintext = found['kind'] === 'r' && found['plaintext_columns'] !== '0';
  return { state: isPlaintext ? 'plaintext' : 'foreign', version };
}

async function versionOf(database: Database, names: Names, limitMs: number): Promise<number> {
  const text = `select coalesce(max(version), 0)::text as version from ${names.migrations}`;
  const [row] = await database.query('inspect', { text }, limitMs);
  return Number(row?.['version']);
}
