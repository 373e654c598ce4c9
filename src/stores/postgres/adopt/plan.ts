import { quoteIdentifier } from '../quote.js';
import type { Executor } from '../database.js';
import { isInherited } from '../schema/triggers.js';
import type { Column, PlaintextTable } from './plaintext-table.js';
import { isBlankSql, printableSql } from './hash-sql.js';
import { assertNothingUnread } from './unread-columns.js';

/** How the columns of a plaintext table become the library's. */
export interface Plan {
  /** Columns that only get another name. */
  readonly renames: readonly (readonly [from: string, to: string])[];
  /** Actions of one `alter table`, after the renames. */
  readonly actions: readonly string[];
  /** An SQL condition for rows whose key may be used. */
  readonly isActive: string;
  /** The SQL sort order that puts the oldest row first. */
  readonly age: string;
  /** Whether the table has a column for activity. */
  readonly hasActivity: boolean;
  /** The place of a row, as SQL text. Never built from what could be a key. */
  readonly place: string;
  /** Columns that appear in lists and logs. */
  readonly shown: readonly string[];
}

/** A column as the library needs it. */
interface Target {
  readonly name: string;
  readonly type: string;
  /** An SQL expression for its values. `undefined` if the table has nothing for them. */
  readonly using?: string | undefined;
  readonly notNull?: boolean;
  /** An SQL expression. */
  readonly default?: string;
}

const textTypes = ['text', 'character varying', 'character', 'citext'];
const idTypes = new Set(['smallint', 'integer', 'bigint', 'uuid']);
const timeType = 'timestamptz(3)';

/**
 * @param ignoredColumns those that do not decide whether a key works
 * @throws {Error} that names the first column that cannot be adopted. A wrong guess could make an
 *   expired key valid again.
 */
export async function planOf(executor: Executor, ignoredColumns: readonly string[]): Promise<Plan> {
  const table = { name: executor.names.table, columns: await columnsOf(executor) };
  await assertAlone(executor);
  assertAdoptable(table);
  assertNothingUnread(table, ignoredColumns);
  const has = (column: string) => table.columns.has(column);
  const isActive = has('is_active') ? 'is_active is true' : 'true';
  const targets = [...timesOf(table, isActive), ...textsOf(table), ...ownColumns];
  return {
    renames: has('last_used') ? [['last_used', 'last_used_at']] : [],
    actions: [
      `alter column user_name type text collate "C"
          using case when ${isBlankSql('user_name')} then 'unknown'
            else ${printableSql('user_name')} end`,
      ...targets.flatMap(actionsFor),
      ...freed(table, targets),
    ],
    isActive,
    age: has('id') ? 'id' : has('created_at') ? 'created_at' : 'ctid',
    hasActivity: has('is_active'),
    place: idTypes.has(table.columns.get('id')?.type ?? '')
      ? `'with id ' || k.id::text`
      : `'at ' || k.ctid::text`,
    shown: ['user_name', 'name', 'key_id'].filter(has),
  };
}

/** Inherited columns cannot be changed in one table alone. */
async function assertAlone(executor: Executor): Promise<void> {
  const { names } = executor;
  const text = `select ${isInherited(`${names.regclass}::oid`)}::text as is_inherited`;
  const [row] = await executor.query('adopt', { text });
  if (row?.['is_inherited'] === 'true') {
    throw new Error(
      `PostgresKeyStore: adopt cannot take over ${names.table}: it inherits from another ` +
        'table, or another from it; separate them with "alter table ... no inherit ..." first',
    );
  }
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
      using: created && `coalesce(${created}, pg_catalog.now())`,
      notNull: true,
      default: 'pg_catalog.now()',
    },
    {
      name: 'last_used_at',
      type: timeType,
      using: instantOf(
        table,
        table.columns.has('last_used') ? 'last_used' : 'last_used_at',
        'last_used_at',
      ),
    },
    { name: 'expires_at', type: timeType, using: instantOf(table, 'expires_at') },
    {
      // By then the column exists. A row of unknown activity counts as inactive.
      name: 'revoked_at',
      type: timeType,
      using: `coalesce(${revoked ?? 'revoked_at'},
        case when ${isActive} then null else pg_catalog.now() end)`,
    },
  ];
}

function textsOf(table: PlaintextTable): Target[] {
  const arrays = textTypes.map((type) => `${type}[]`);
  const name = assertType(table, 'name', textTypes, 'text');
  const scopes = assertType(table, 'scopes', arrays, 'text[]');
  const metadata = assertType(table, 'metadata', ['json', 'jsonb'], 'jsonb');
  return [
    { name: 'name', type: 'text', using: name && printableSql('name') },
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
 * The values of a time column, under its name after the renames. Times without a zone are read as
 * UTC, whatever the zone of the server or session.
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

/** Checks the type of a column if the table has it. */
function assertType(
  table: PlaintextTable,
  column: string,
  types: readonly string[],
  wanted: string,
): string | undefined {
  const type = table.columns.get(column)?.type;
  if (type !== undefined && !types.includes(type))
    refuse(table, column, `it is ${type}, not ${wanted}`);
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

/** The application's own columns stay, but new records cannot fill them. */
function freed({ columns }: PlaintextTable, targets: readonly Target[]): string[] {
  const taken = new Set(['last_used', 'is_active', 'api_key', 'user_name', 'key_id', 'digest']);
  for (const { name } of targets) taken.add(name);
  return [...columns.values()]
    .filter(({ name, notNull, hasDefault }) => !taken.has(name) && notNull && !hasDefault)
    .map(({ name }) => `alter column ${quoteIdentifier(name)} drop not null`);
}

async function columnsOf(executor: Executor): Promise<Map<string, Column>> {
  const text = `select pg_catalog.json_build_object('name', a.attname,
      'type', pg_catalog.format_type(a.atttypid, null),
      'notNull', a.attnotnull, 'hasDefault', a.atthasdef or a.attidentity <> '',
      'category', t.typcategory)::text as column
    from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = pg_catalog.to_regclass($1::text)::oid and a.attnum > 0 and not a.attisdropped
      order by a.attnum`;
  const rows = await executor.query('adopt', { text, values: [executor.names.keys] });
  const columns = rows.map((row) => JSON.parse(row['column'] ?? '') as Column);
  return new Map(columns.map((column) => [column.name, column]));
}
