import type { Column, PlaintextTable } from './plaintext-table.js';

/** Columns that `adopt` reads or creates. */
const read = new Set(
  (
    'id user_name api_key created_at last_used last_used_at is_active expires_at revoked_at name ' +
    'scopes metadata key_id digest replaces overlap_ms'
  ).split(' '),
);

/** Columns that `migrate` adds later. An existing one would be mistaken for it. */
const reserved = new Set(['paused_at', 'paused_until', 'allowed_addresses']);

/** Names of times that only record the past, in lower case and without `_`. */
const harmless = new Set(
  (
    'created createdon createdat creationdate datecreated issuedat insertedat updated updatedon ' +
    'updatedat modified modifiedat changedat lastusedat lastusedon lastuse usedat lastseen ' +
    'lastseenat lastaccess lastaccessedat'
  ).split(' '),
);

/**
 * Names of columns that switch a key off, whatever their type: in lower case, without `_` and a
 * leading `is`.
 */
const telling = new Set(
  (
    'status state active inactive enabled disabled revoked deleted removed blocked banned ' +
    'suspended locked valid invalid archived expired expires expiresat expiresin expireson ' +
    'expiry expirydate expiration expirationdate expire ttl validuntil validto validtill ' +
    'notafter activeuntil enddate endsat disabledat revokedat deletedat removedat blockedat ' +
    'suspendedat archivedat deactivated deactivatedat'
  ).split(' '),
);

/** The `pg_type.typcategory` of booleans, times and intervals. */
const tellingCategories = new Set(['B', 'D', 'T']);

/**
 * @throws {Error} that names every unread column by which the old application may have refused a
 *   key. Otherwise dead keys would work again.
 */
export function assertNothingUnread(
  table: PlaintextTable,
  ignoredColumns: readonly string[],
): void {
  const taken = [...table.columns.keys()].find((name) => reserved.has(name));
  if (taken !== undefined)
    throw new Error(
      `PostgresKeyStore: adopt cannot take over ${table.name}.${taken}: a column of this ` +
        'library has that name; rename or drop it first',
    );
  for (const name of ignoredColumns) {
    const why = !table.columns.has(name)
      ? 'there is no such column'
      : read.has(name) && 'adopt reads it; rename it if it means something else';
    if (why) throw new Error(`PostgresKeyStore: adopt cannot ignore ${table.name}.${name}: ${why}`);
  }
  const unread = [...table.columns.values()].filter(
    (column) => maySwitchOff(column) && !ignoredColumns.includes(column.name),
  );
  if (unread.length === 0) return;
  const names = unread.map(({ name }) => name);
  const them = names.length === 1 ? 'it' : 'them';
  throw new Error(
    'PostgresKeyStore: adopt does not read ' +
      `${names.map((name) => `${table.name}.${name}`).join(', ')}, by which keys may have been ` +
      `switched off: these would work again. Turn ${them} into is_active (true while the key ` +
      `works), expires_at or revoked_at, drop ${them}, or, if no key was refused by ${them}, ` +
      `name ${them} in ignoredColumns (--ignore-column)`,
  );
}

function maySwitchOff({ name, category }: Column): boolean {
  if (read.has(name)) return false;
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (harmless.has(plain)) return false;
  return tellingCategories.has(category) || telling.has(plain.replace(/^is/, ''));
}
