import type { DatabaseOptions } from './database-options.js';

/**
 * The grant that the role lacks, according to the server's message. `undefined` if it names none.
 */
export function missingGrant(said: string, options: DatabaseOptions): string | undefined {
  const [, denial, kind, name = ''] =
    /(permission denied for|must be owner of) (table|relation|view|schema|database|sequence|function) "?([^\s";]+)/.exec(
      said,
    ) ?? [];
  if (kind === undefined) return undefined;
  if (denial === 'must be owner of')
    return `the role must own the ${kind}: put the role that created it into the URL`;
  const [, action = ''] = /^(\w+) failed/.exec(said) ?? [];
  const isChange = action === 'migrate' || action === 'adopt';
  switch (kind) {
    case 'schema':
      return grant(isChange ? 'usage, create' : 'usage', `schema ${quoted(name)}`);
    case 'database':
      return grant('create', `database ${quoted(name)}`);
    case 'function':
      return grant('execute', `function ${quoted(name)}`);
    case 'sequence':
      return grant('usage', `sequence ${quoted(name)}`);
    default: {
      const { schema } = options;
      const table = schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
      return grant(name.endsWith('_migrations') ? 'select' : rightsFor(action), table);
    }
  }
}

const grant = (rights: string, object: string) =>
  `the role needs a right: grant ${rights} on ${object} to <role>`;

/** What the statements of an action need on the table. */
function rightsFor(action: string): string {
  if (/^(list|get|find|inspect|watch)/.test(action)) return 'select';
  if (action.startsWith('prune')) return 'select, delete';
  if (/^(revoke|update|touch)/.test(action)) return 'select, update';
  return 'select, insert, update';
}

/** The server writes names without quotes. SQL needs quotes for all but plain ones. */
const quoted = (name: string) =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
