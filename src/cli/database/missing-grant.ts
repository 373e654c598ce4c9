import { quoteIdentifier } from '../../stores/postgres/quote.js';
import type { DatabaseOptions } from './database-options.js';

/**
 * The grant that the role lacks, according to the server's message. `undefined` if it names none.
 */
export function missingGrant(
  said: string,
  { schema = 'public', table = 'api_keys' }: DatabaseOptions,
  role: string,
): string | undefined {
  const [, denial, kind, name = ''] =
    /(permission denied for|must be owner of) (table|relation|view|schema|database|sequence|function) (.+)$/m.exec(
      said,
    ) ?? [];
  if (kind === undefined) return undefined;
  if (denial === 'must be owner of') return mustOwn(kind);
  const [, action = ''] = /^(\w+) failed/.exec(said) ?? [];
  const isChange = action === 'migrate' || action === 'adopt';
  const grant = (rights: string, object: string) =>
    `the role needs a right: grant ${rights} on ${object} to ${role}`;
  if (kind === 'schema')
    return grant(isChange ? 'usage, create' : 'usage', `schema ${quoteIdentifier(name)}`);
  if (kind === 'database') return grant('create', `database ${quoteIdentifier(name)}`);

  // The rest belongs to the tables of keys, or to something that only its owner knows.
  if (!name.startsWith(table)) return undefined;
  const object = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  if (kind === 'function') return grant('execute', `function ${object}`);
  if (kind === 'sequence') return grant('usage', `sequence ${object}`);
  // A copy writes history, which nobody but the owner should be able to.
  if (isChange || action === 'copyInto') return mustOwn('table');
  return grant(needs[name.slice(table.length)]?.[action] ?? 'select', object);
}

const mustOwn = (kind: string) =>
  `the role must own the ${kind}: put the role that created it into the URL`;

/**
 * What the statements of an action need besides `select`, by the ending of the table's name. Rows
 * can be locked by a role that may update any column, so pruning asks for the harmless one.
 */
const needs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    insert: 'select, insert',
    takeClaim: 'select, insert',
    rotate: 'select, insert, update (expires_at)',
    update: 'select, update (user_name, name, scopes, metadata, expires_at, allowed_addresses)',
    pause: 'select, update (paused_at, paused_until)',
    resume: 'select, update (paused_at, paused_until)',
    revoke: 'select, update (revoked_at)',
    revokeUser: 'select, update (revoked_at)',
    touch: 'select, update (last_used_at)',
    prune: 'select, delete, update (last_used_at)',
  },
  _claims: {
    insertClaim: 'select, insert',
    takeClaim: 'select, update (claimed_at, key_id)',
    revokeClaim: 'select, update (revoked_at)',
    revokeUser: 'select, update (revoked_at)',
    pruneClaims: 'select, delete',
  },
  // Triggers write history with their owner's rights. A role with `insert` or `update` could forge
  // it.
  _events: { pruneEvents: 'select, delete' },
  _usage: { countUses: 'select, insert, update', pruneUsage: 'select, delete' },
  _notices: { takeNotices: 'select, insert, update, delete' },
};
