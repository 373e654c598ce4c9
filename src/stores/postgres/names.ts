import { hash } from 'node:crypto';
import type { Check } from '../../lib/options.js';
import { quoteIdentifier, quoteLiteral } from './quote.js';

/** PostgreSQL cuts longer names without an error. */
const maxNameBytes = 63;
const channelPrefix = 'require_api_key:';
const maxPlaceBytes = maxNameBytes - channelPrefix.length;
/** Leaves room for the longest ending that is added to a table's name. */
const maxTableBytes = 43;

/** The names of the store's parts, ready to stand in SQL. */
export interface Names {
  readonly schema: string;
  readonly table: string;
  /** The quoted schema. */
  readonly quotedSchema: string;
  /** The table of keys, qualified and quoted. */
  readonly keys: string;
  /** The table of claim links, qualified and quoted. */
  readonly claims: string;
  /** The table of events, qualified and quoted. */
  readonly events: string;
  /** The table of uses per day, qualified and quoted. */
  readonly usage: string;
  /** The table of notices given, qualified and quoted. */
  readonly notices: string;
  /** The table of migrations, qualified and quoted. */
  readonly migrations: string;
  /** The table's name with an ending, qualified and quoted. */
  qualified(ending: string): string;
  /**
   * The same, only quoted: for constraints and indexes, which live in the table's schema anyway.
   */
  local(ending: string): string;
  /** The table of keys as a `regclass`, in an SQL expression. */
  readonly regclass: string;
  /** The channel on which changes are announced. */
  readonly channel: string;
  /** The advisory lock for schema changes, as an SQL expression. */
  readonly lock: string;
}

const mustBeIdentifier =
  (maxBytes: number): Check =>
  (value) =>
    typeof value === 'string' &&
    value !== '' &&
    !value.includes('\0') &&
    Buffer.byteLength(value) <= maxBytes
      ? undefined
      : `a name of 1 to ${maxBytes} bytes`;

export const mustBeSchemaName = mustBeIdentifier(maxNameBytes);
export const mustBeTableName = mustBeIdentifier(maxTableBytes);

export function createNames(schema: string, table: string): Names {
  const quotedSchema = quoteIdentifier(schema);
  const local = (ending: string) => quoteIdentifier(table + ending);
  const qualified = (ending: string) => `${quotedSchema}.${local(ending)}`;
  return {
    schema,
    table,
    quotedSchema,
    keys: qualified(''),
    claims: qualified('_claims'),
    events: qualified('_events'),
    usage: qualified('_usage'),
    notices: qualified('_notices'),
    migrations: qualified('_migrations'),
    qualified,
    local,
    regclass: `${quoteLiteral(qualified(''))}::regclass`,
    channel: channelOf(schema, table),
    lock: `pg_catalog.hashtextextended(${quoteLiteral(`require-api-key ${qualified('')}`)}, 0)`,
  };
}

/**
 * `require_api_key:<schema>.<table>`. If that is longer than 63 bytes: `require_api_key:` and the
 * first 32 hexadecimal digits of the SHA-256 of `<schema>.<table>`.
 */
function channelOf(schema: string, table: string): string {
  const whole = `${schema}.${table}`;
  const fits = Buffer.byteLength(whole) <= maxPlaceBytes;
  return channelPrefix + (fits ? whole : hash('sha256', whole, 'hex').slice(0, 32));
}

/**
 * The same in the declarations of a trigger function, for the table that it fires on. A renamed
 * or moved table announces on the channel of its new name.
 */
export const channelDeclarations = `
        place constant text := tg_table_schema || '.' || tg_table_name;
        channel constant text := '${channelPrefix}' ||
          case when octet_length(convert_to(place, 'UTF8')) <= ${maxPlaceBytes} then place
          else left(encode(sha256(convert_to(place, 'UTF8')), 'hex'), 32) end;`;
