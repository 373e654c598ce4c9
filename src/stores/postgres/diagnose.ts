import { isRestrictedBy } from './hidden-rows.js';
import type { Names } from './names.js';
import { quoteLiteral } from './quote.js';
import type { Executor } from './database.js';

/** The state of server, role and rights on which promises depend. */
export interface SetUp {
  /** The role that is connected. */
  readonly role: string;
  /** The database to which it is connected. */
  readonly database: string;
  /** The server's own address. `null` if it was reached through a socket of its machine. */
  readonly host: string | null;
  /** The server's own port. */
  readonly port: number;
  /** Whether the server is a standby. */
  readonly isStandby: boolean;
  /**
   * Where transactions are set to read-only, as in `pg_settings.source`. Absent if they are not.
   */
  readonly readOnlySource?: string;
  /** The used share of the queue of notifications, 0 to 1. */
  readonly queueUsage: number;
  /** The session with the oldest transaction. */
  readonly oldest?: string;
  /** The tables in which row-level security may hide rows from the role. */
  readonly hidden: readonly string[];
  /** Rights that an application needs and the role lacks. */
  readonly missingRights: readonly string[];
  /** Whether the role may write uses per day. */
  readonly mayCountUses: boolean;
  /**
   * The roles besides the owner and superusers that may create or change a key. `public` means
   * everybody.
   */
  readonly writers: readonly string[];
}

/** Inspects the set-up, in one statement that needs no right on the tables. */
export async function diagnose(executor: Executor): Promise<SetUp> {
  const [row] = await executor.query('diagnose', { text: diagnosis(executor.names) });
  return JSON.parse(row?.['set_up'] ?? '{}') as SetUp;
}

const diagnosis = (names: Names): string => {
  const keys = `${names.regclass}::oid`;
  const hidden = (['keys', 'claims', 'migrations'] as const).map(
    (table) => `case when ${isRestrictedBy(names, table)} then ${quoteLiteral(names[table])} end`,
  );
  return `select pg_catalog.json_build_object(
    'role', current_user, 'database', pg_catalog.current_database(),
    'host', pg_catalog.host(pg_catalog.inet_server_addr()),
    'port', pg_catalog.current_setting('port')::integer,
    'isStandby', pg_catalog.pg_is_in_recovery(),
    'readOnlySource', (select s.source from pg_catalog.pg_settings s
      where s.name = 'default_transaction_read_only' and s.setting = 'on'),
    'queueUsage', pg_catalog.pg_notification_queue_usage(),
    'oldest', (select pg_catalog.format('process %s of the role %s (%s)',
        a.pid, a.usename, a.application_name)
      from pg_catalog.pg_stat_activity a
      where a.backend_type = 'client backend' and a.pid <> pg_catalog.pg_backend_pid()
        and a.xact_start is not null
      order by a.xact_start limit 1),
    'hidden', pg_catalog.array_remove(array[${hidden.join(', ')}]::text[], null),
    'missingRights', pg_catalog.array_remove(array[
      case when not pg_catalog.has_table_privilege(${keys}, 'SELECT') then 'select' end,
      case when not pg_catalog.has_column_privilege(${keys}, 'last_used_at', 'UPDATE')
        then 'update (last_used_at)' end
    ]::text[], null),
    'mayCountUses', (select coalesce(pg_catalog.has_table_privilege(u.oid, 'SELECT')
        and pg_catalog.has_table_privilege(u.oid, 'INSERT')
        and pg_catalog.has_table_privilege(u.oid, 'UPDATE'), true)
      from (select pg_catalog.to_regclass(${quoteLiteral(names.usage)}::text)::oid as oid) u),
    'writers', array(${writers(names)})
  )::text as set_up`;
};

/**
 * Rights through membership count, and so do those of `public`. If `public` has the rights, other
 * roles are not named.
 */
const writers = (names: Names): string => {
  const keys = `${names.regclass}::oid`;
  const everybody = `(select pg_catalog.bool_or(true) from pg_catalog.aclexplode(c.relacl) a
      where a.grantee = 0::oid
        and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'))`;
  const columnsOfEverybody = `exists (
      select from pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) a
      where t.attrelid = c.oid and t.attname::text <> 'last_used_at' and a.grantee = 0::oid
        and a.privilege_type in ('INSERT', 'UPDATE'))`;
  return `select 'public' from pg_catalog.pg_class c
      where c.oid = ${keys} and (coalesce(${everybody}, false) or ${columnsOfEverybody})
    union all select * from (
      select r.rolname::text from pg_catalog.pg_roles r, pg_catalog.pg_class c
      where c.oid = ${keys} and not r.rolsuper
        and not pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE')
        and not (coalesce(${everybody}, false) or ${columnsOfEverybody})
        and (pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT, DELETE, TRUNCATE, TRIGGER')
          or exists (select from pg_catalog.pg_attribute t
            where t.attrelid = c.oid and t.attnum > 0::int2 and not t.attisdropped
              and t.attname::text <> 'last_used_at'
              and pg_catalog.has_column_privilege(r.oid, c.oid, t.attnum, 'INSERT, UPDATE')))
        and r.rolname::text !~ '^pg_'
      order by 1) named`;
};
