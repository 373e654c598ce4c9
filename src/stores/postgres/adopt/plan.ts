import { quoteIdentifier } from '../quote.js';
import type { Session } from '../session.js';

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

interface PlaintextTable {
  readonly name: string;
  readonly columns: ReadonlyMap<string, Column>;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
}

/** A column as the library needs it. */
interface Target {
  readonly name: string;
  readonly type: string;
  /** Its values, from what is there, as an SQL expression; `undefined` where there is nothing. */
  readonly using?: string | undefined;
  readonly notNull?: boolean;
  /** As an SQL expression. */
  readonly default?: string;
}

const textTypes = ['text', 'character varying', 'character', 'citext'];
const timeType = 'timestamptz(3)';

/**
 * @throws {Error} that names the first column that cannot be taken over. Guessing could make an expired key good again.
 */
export async function planOf(session: Session): Promise<Plan> {
  const table = { name: session.names.table, columns: await columnsOf(session) };
  assertAdoptable(table);
  const has = (column: string) => table.columns.has(column);
  const isActive = has('is_active') ? 'is_active is true' : 'true';
  const targets = [...timesOf(table, isActive), ...textsOf(table), ...ownColumns];
  return {
    renames: has('last_used') ? [['last_used', 'last_used_at']] : [],
    actions: [
      'alter column user_name type text collate "C" using user_name::text',
      ...targets.flatMap(actionsFor),
      ...freed(table, targets),
    ],
    isActive,
    age: has('id') ? 'id' : has('created_at') ? 'created_at' : 'ctid',
    hasActivity: has('is_active'),
  };
}

function assertAdoptable(table: PlaintextTable): void {
  const { columns } = table;
  if (!columns.has('user_name')) refuse(table, 'user_name', 'there is no such column');
  if (columns.has('last_used') && columns.has('last_used_at')) {
    refuse(table, 'last_used', 'there is a last_used_at too');
  }
  assertType(table, 'is_active', ['boolean'], 'boolean');
  for (const { name } of ownColumns) {
    if (columns.has(name)) refuse(table, name, 'the store needs a column of this name for itself');
  }
}

/** Columns that no application can have filled. */
const ownColumns: readonly Target[] = [
  { name: 'replaces', type: 'text collate "C"' },
  { name: 'overlap_ms', type: 'bigint' },
];

function timesOf(table: PlaintextTable, isActive: string): Target[] {
  const created = instantOf(table, 'created_at');
  const revoked = instantOf(table, 'revoked_at');
  return [
    {
      name: 'created_at',
      type: timeType,
      using: created && `coalesce(${created}, now())`,
      notNull: true,
      default: 'now()',
    },
    {
      name: 'last_used_at',
      type: timeType,
      using: instantOf(table, table.columns.has('last_used') ? 'last_used' : 'last_used_at', 'last_used_at'),
    },
    { name: 'expires_at', type: timeType, using: instantOf(table, 'expires_at') },
    {
      // The column is there by then; a row of which it is not known whether it is active is not.
      name: 'revoked_at',
      type: timeType,
      using: `coalesce(${revoked ?? 'revoked_at'}, case when ${isActive} then null else now() end)`,
    },
  ];
}

function textsOf(table: PlaintextTable): Target[] {
  const arrays = textTypes.map((type) => `${type}[]`);
  const name = assertType(table, 'name', textTypes, 'text');
  const scopes = assertType(table, 'scopes', arrays, 'text[]');
  const metadata = assertType(table, 'metadata', ['json', 'jsonb'], 'jsonb');
  return [
    { name: 'name', type: 'text', using: name && 'name::text' },
    {
      name: 'scopes',
      type: 'text[]',
      using: scopes && `coalesce(scopes::text[], '{}')`,
      notNull: true,
      default: `'{}'`,
    },
    {
      name: 'metadata',
      type: 'jsonb',
      using: metadata && `coalesce(metadata::jsonb, '{}')`,
      notNull: true,
      default: `'{}'`,
    },
  ];
}

/**
 * The values of a column of times, under the name that it has after the renames. Times without a zone are read as UTC, whatever zone
 * the server or the session is in.
 */
function instantOf(table: PlaintextTable, column: string, renamed = column): string | undefined {
  const type = table.columns.get(column)?.type;
  switch (type) {
    case undefined:
      return undefined;
    case 'timestamp with time zone':
      return renamed;
    case 'timestamp without time zone':
      return `${renamed} at time zone 'UTC'`;
    case 'date':
      return `${renamed}::timestamp at time zone 'UTC'`;
    default:
      return refuse(table, column, `it is ${type}, not a time`);
  }
}

/** The type of the column, where there is one. */
function assertType(
  table: PlaintextTable,
  column: string,
  types: readonly string[],
  wanted: string,
): string | undefined {
  const type = table.columns.get(column)?.type;
  if (type !== undefined && !types.includes(type)) refuse(table, column, `it is ${type}, not ${wanted}`);
  return type;
}

function refuse(table: PlaintextTable, column: string, why: string): never {
  throw new Error(
    `PostgresKeyStore: adopt cannot take over ${table.name}.${column}: ${why}; change it first`,
  );
}

function actionsFor({ name, type, using, notNull = false, default: value }: Target): string[] {
  if (using === undefined) {
    const rules = `${notNull ? ' not null' : ''}${value === undefined ? '' : ` default ${value}`}`;
    return [`add column ${name} ${type}${rules}`];
  }
  return [
    `alter column ${name} drop default`,
    `alter column ${name} type ${type} using ${using}`,
    `alter column ${name} ${notNull ? 'set' : 'drop'} not null`,
    ...(value === undefined ? [] : [`alter column ${name} set default ${value}`]),
  ];
}

/** Columns of the application's own stay, but new records have nothing to put into them. */
function freed({ columns }: PlaintextTable, targets: readonly Target[]): string[] {
  const taken = new Set(['last_used', 'is_active', 'api_key', 'user_name', 'key_id', 'digest']);
  for (const { name } of targets) taken.add(name);
  return [...columns.values()]
    .filter(({ name, notNull, hasDefault }) => !taken.has(name) && notNull && !hasDefault)
    .map(({ name }) => `alter column ${quoteIdentifier(name)} drop not null`);
}

async function columnsOf(session: Session): Promise<Map<string, Column>> {
  const text = `select json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
      'notNull', a.attnotnull, 'hasDefault', a.atthasdef or a.attidentity <> '')::text as column
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass($1::text) and a.attnum > 0 and not a.attisdropped order by a.attnum`;
  const rows = await session.query('adopt', { text, values: [session.names.keys] });
  const columns = rows.map((row) => JSON.parse(row['column'] ?? '') as Column);
  return new Map(columns.map((column) => [column.name, column]));
}
