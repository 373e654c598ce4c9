import type { Names } from './names.js';
import { quoteLiteral } from './quote.js';
import type { Row, Executor } from './database.js';

type Table = 'keys' | 'claims' | 'migrations';
/** As in `pg_policy.polcmd`: r for select, w for update, d for delete. */
type Command = 'r' | 'w' | 'd';

/**
 * The commands that a statement needs to see the rows for. Locking or changing a row counts as
 * select and update.
 */
export const commandsOf = {
  read: ['r'],
  change: ['r', 'w'],
  delete: ['r', 'w', 'd'],
} as const satisfies Readonly<Record<string, readonly Command[]>>;

/**
 * Whether row-level security may hide rows of the table from the connected role: an SQL
 * condition. A row that was not found may then still exist.
 */
function mayHideRows(
  names: Names,
  table: Table = 'keys',
  commands: readonly Command[] = commandsOf.read,
): string {
  const oid = `${quoteLiteral(names[table])}::regclass::oid`;
  const showsAll = commands.map((command) => {
    const policy = (isPermissive: boolean) => `select from pg_catalog.pg_policy p
        where p.polrelid = ${oid} and p.polpermissive = ${isPermissive}
          and p.polcmd::text in ('*', '${command}')
          and exists (select from pg_catalog.unnest(p.polroles) as given (role_id)
            where given.role_id = 0::oid or pg_catalog.pg_has_role(given.role_id, 'USAGE'))
          and (pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true')
            is ${isPermissive ? '' : 'not '}true`;
    return `exists (${policy(true)}) and not exists (${policy(false)})`;
  });
  return `(pg_catalog.row_security_active(${oid}) and not (${showsAll.join(' and ')}))`;
}

/**
 * Whether row-level security applies to the role at all: an SQL condition that costs next to
 * nothing. {@link assertNothingHidden} then finds out whether it hides rows.
 */
const isRowSecurityActive = (names: Names): string =>
  `pg_catalog.row_security_active(${names.regclass}::oid)`;

/**
 * Put at the end of a statement on keys. It adds one row if row-level security applies, and only
 * `is_hidden` of that row has a value.
 */
export const hiddenRow = (names: Names, otherColumns = 0): string =>
  `select ${'null, '.repeat(otherColumns)}'true' as is_hidden where ${isRowSecurityActive(names)}`;

export const isHiddenRow = (row: Row): boolean => row['is_hidden'] != null;

/** The same for every use of the table by an application, which reads and changes. */
export const isRestrictedBy = (names: Names, table: Table): string =>
  mayHideRows(names, table, table === 'keys' ? commandsOf.change : commandsOf.read);

/** A missing row cannot be called absent, because the role may not see every row. */
function hiddenRows(names: Names, table: Table = 'keys'): Error {
  const ending = table === 'keys' ? '' : `_${table}`;
  const error = new Error(
    'PostgresKeyStore: row-level security may hide rows of ' +
      `${names.schema}.${names.table}${ending} from this role, so nobody can tell whether there ` +
      `is one; let it see all of them: create policy require_api_key on ${names[table]} to ` +
      '<role> using (true)',
  );
  // The server reports no error, so there is no SQLSTATE. Warnings show the code alone.
  return Object.assign(error, { code: 'row_level_security' });
}

/** Asks again before a row is called absent. Rejects if rows may be hidden. */
export async function assertNothingHidden(
  executor: Executor,
  table: Table = 'keys',
  commands: readonly Command[] = commandsOf.read,
  action = 'inspect',
): Promise<void> {
  const { names } = executor;
  const text = `select 'true' as is_hidden where ${mayHideRows(names, table, commands)}`;
  const [row] = await executor.query(action, { text });
  if (row && isHiddenRow(row)) throw hiddenRows(names, table);
}
