import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { quoteIdentifier } from '../quote.js';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
}

/** How the columns of a plaintext table become the library's. */
export interface Plan {
  /** Columns that only change their name. */
  readonly renames: readonly (readonly [from: string, to: string])[];
  /** Actions of one `alter table`, after the renames. */
  readonly actions: readonly string[];
  /** An SQL condition for rows whose key may be used. */
  readonly isActive: string;
  /** What puts the oldest row first. */
  readonly age: string;
  /** Whether there is a column for that. */
  readonly hasActivity: boolean;
}

const times = ['created_at', 'last_used_at', 'expires_at', 'revoked_at'];
const textTypes = ['text', 'character varying', 'character', 'citext'];

/**
 * @throws {Error} that names the first column that cannot be taken over. Guessing could make an expired key good again.
 */
export async function planOf(database: Database, names: Names): Promise<Plan> {
  const found = await columnsOf(database, names);
  const refuse = (column: string, why: string): never => {
    throw new Error(
      `PostgresKeyStore: adopt cannot take over ${names.table}.${column}: ${why}; change it first`,
    );
  };
  const typeOf = (column: string) => found.get(column)?.type;

  if (!found.has('user_name')) refuse('user_name', 'there is no such column');
  if (found.has('last_used') && found.has('last_used_at')) refuse('last_used', 'there is a last_used_at too');
  const isActive = typeOf('is_active');
  if (isActive !== undefined && isActive !== 'boolean') refuse('is_active', `it is ${isActive}, not boolean`);
  for (const column of ['replaces', 'overlap_ms']) {
    if (found.has(column)) refuse(column, 'the store needs a column of this name for itself');
  }

  const activity = isActive === undefined ? 'true' : 'is_active is true';
  const actions = ['alter column user_name type text collate "C" using user_name::text'];
  const define = (column: string, type: string, using: string | undefined, rules: string) => {
    if (using === undefined) actions.push(`add column ${column} ${type} ${rules}`);
    else actions.push(...retyped(column, type, using, rules));
  };
  for (const column of times) {
    const source = column === 'last_used_at' && found.has('last_used') ? 'last_used' : column;
    const instant = instantOf(column, typeOf(source), () =>
      refuse(source, `it is ${typeOf(source)}, not a time`),
    );
    if (column === 'created_at') {
      define(column, 'timestamptz(3)', instant && `coalesce(${instant}, now())`, 'not null default now()');
    } else if (column === 'revoked_at') {
      // The column is there by then; a row of which it is not known whether it is active is not.
      const revoked = `case when ${activity} then null else now() end`;
      define(column, 'timestamptz(3)', `coalesce(${instant ?? column}, ${revoked})`, '');
    } else {
      define(column, 'timestamptz(3)', instant, '');
    }
  }
  const name = typeOf('name');
  if (name !== undefined && !textTypes.includes(name)) refuse('name', `it is ${name}, not text`);
  define('name', 'text', name && 'name::text', '');
  const scopes = typeOf('scopes');
  if (scopes !== undefined && !textTypes.some((type) => scopes === `${type}[]`)) {
    refuse('scopes', `it is ${scopes}, not text[]`);
  }
  define('scopes', 'text[]', scopes && `coalesce(scopes::text[], '{}')`, `not null default '{}'`);
  const metadata = typeOf('metadata');
  if (metadata !== undefined && !/^jsonb?$/.test(metadata))
    refuse('metadata', `it is ${metadata}, not jsonb`);
  define('metadata', 'jsonb', metadata && `coalesce(metadata::jsonb, '{}')`, `not null default '{}'`);
  define('replaces', 'text collate "C"', undefined, '');
  define('overlap_ms', 'bigint', undefined, '');
  actions.push(...freed(found));

  return {
    renames: found.has('last_used') ? [['last_used', 'last_used_at']] : [],
    actions,
    isActive: activity,
    age: found.has('id') ? 'id' : found.has('created_at') ? 'created_at' : 'ctid',
    hasActivity: isActive !== undefined,
  };
}

/** Times without a zone are read as UTC, whatever zone the server or the session is in. */
function instantOf(column: string, type: string | undefined, refuse: () => never): string | undefined {
  switch (type) {
    case undefined:
      return undefined;
    case 'timestamp with time zone':
      return column;
    case 'timestamp without time zone':
      return `${column} at time zone 'UTC'`;
    case 'date':
      return `${column}::timestamp at time zone 'UTC'`;
    default:
      return refuse();
  }
}

function retyped(column: string, type: string, using: string, rules: string): string[] {
  const [, isNotNull, defaultValue] = /^(not null)?(?: default (.*))?$/.exec(rules) ?? [];
  return [
    `alter column ${column} drop default`,
    `alter column ${column} type ${type} using ${using}`,
    `alter column ${column} ${isNotNull ? 'set' : 'drop'} not null`,
    ...(defaultValue ? [`alter column ${column} set default ${defaultValue}`] : []),
  ];
}

/** Columns of the application's own stay, but new records have nothing to put into them. */
function freed(found: ReadonlyMap<string, Column>): string[] {
  const taken = new Set([...times, 'last_used', 'is_active', 'api_key', 'user_name', 'key_id', 'digest']);
  for (const column of ['name', 'scopes', 'metadata']) taken.add(column);
  return [...found.values()]
    .filter(({ name, notNull, hasDefault }) => !taken.has(name) && notNull && !hasDefault)
    .map(({ name }) => `alter column ${quoteIdentifier(name)} drop not null`);
}

async function columnsOf(database: Database, names: Names): Promise<Map<string, Column>> {
  const text = `select json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
      'notNull', a.attnotnull, 'hasDefault', a.atthasdef or a.attidentity <> '')::text as column
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass($1::text) and a.attnum > 0 and not a.attisdropped order by a.attnum`;
  const rows = await database.query('adopt', { text, values: [names.keys] }, 0);
  const columns = rows.map((row) => JSON.parse(row['column'] ?? '') as Column);
  return new Map(columns.map((column) => [column.name, column]));
}
