import { quoteLiteral } from '../quote.js';
import { channelDeclarations, type Names } from '../names.js';
import { createFunction, type TriggerFunction } from './trigger-function.js';

/** If one statement changes more rows than this, it announces that everything changed. */
const maxAnnounced = 1000;

/** The columns whose changes are announced: all but `last_used_at`. */
export const announcedColumns: readonly string[] = [
  'key_id',
  'user_name',
  'name',
  'digest',
  'scopes',
  'metadata',
  'created_at',
  'expires_at',
  'revoked_at',
  'paused_at',
  'paused_until',
  'allowed_addresses',
  'replaces',
  'overlap_ms',
];

/** Columns of a row together, as an SQL expression. */
export const rowOf = (alias: string, columns = announcedColumns): string =>
  `(${columns.map((column) => `${alias}.${column}`).join(', ')})`;

/** The queue of unread notifications counts as full from this share on. */
const fullQueue = 0.95;
/** The SQLSTATE of the warning that a change was not announced. Class 01 holds warnings. */
export const unannounced = '01RAK';

const fullQueueMessage =
  'the notification queue of the server is full, so this change was not announced';
const fullQueueHint =
  'End the oldest transaction: select pid, usename, application_name, xact_start from ' +
  'pg_stat_activity order by xact_start';

/**
 * With a full queue a commit would fail, and an announcement must never veto a revocation. So no
 * announcement is made. The function's own comment is changed instead: each heartbeat reads it,
 * and all processes read everything again. Asking for the usage also frees space that listeners
 * who are gone have left.
 */
const unlessQueueIsFull = `
        if pg_notification_queue_usage() >= ${fullQueue} then
          execute format('comment on function %s is %L',
            (select t.tgfoid::regprocedure::text from pg_trigger t where t.tgrelid = tg_relid
              and t.tgname = tg_name),
            'a change was not announced at ' || clock_timestamp()::text);
          raise warning using errcode = '${unannounced}',
            message = ${quoteLiteral(fullQueueMessage)},
            hint = ${quoteLiteral(fullQueueHint)};
          return null;
        end if;`;

/**
 * Announces each key that anyone inserts, changes or deletes, by its id, once a statement. If the
 * table is emptied or very many rows change, announces an empty text. A change of `last_used_at`
 * alone is not announced.
 */
export const announce: TriggerFunction = {
  ending: '_announce',
  body: () => `
      declare
        ${channelDeclarations}
        ids text[];
      begin
        if tg_op = 'INSERT' then
          ids := array(select n.key_id from new_rows n limit ${maxAnnounced + 1});
        elsif tg_op = 'DELETE' then
          ids := array(select o.key_id from old_rows o limit ${maxAnnounced + 1});
        elsif tg_op = 'UPDATE' then
          ids := array(
            select distinct changed.changed_id
            from old_rows o full join new_rows n on n.key_id = o.key_id,
              unnest(array[o.key_id, n.key_id]) as changed (changed_id)
            where ${rowOf('o')} is distinct from ${rowOf('n')} and changed.changed_id is not null
            limit ${maxAnnounced + 1});
        end if;
        if tg_op <> 'TRUNCATE' and cardinality(ids) = 0 then
          return null;
        end if;${unlessQueueIsFull}
        if tg_op = 'TRUNCATE' or cardinality(ids) > ${maxAnnounced} then
          perform pg_notify(channel, '');
        else
          perform pg_notify(channel, changed.changed_id) from unnest(ids) as changed (changed_id);
        end if;
        return null;
      end`,
};

/** The same for each row, because logical replication fires no statement triggers. */
export const announceRow: TriggerFunction = {
  ending: '_announce_row',
  body: () => `
      declare
        ${channelDeclarations}
      begin
        if tg_op = 'UPDATE' and ${rowOf('old')} is not distinct from ${rowOf('new')} then
          return null;
        end if;${unlessQueueIsFull}
        if tg_op <> 'INSERT' then
          perform pg_notify(channel, old.key_id);
        end if;
        if tg_op <> 'DELETE' then
          perform pg_notify(channel, new.key_id);
        end if;
        return null;
      end`,
};

/** Always enabled, for tools that restore and copy with `session_replication_role = replica`. */
export const announcementTriggers = (names: Names): string => `
    ${createFunction(names, announce)}
    create trigger announce_insert after insert on ${names.keys} referencing new table as new_rows
      for each statement execute function ${names.qualified('_announce')}();
    create trigger announce_update after update on ${names.keys}
      referencing old table as old_rows new table as new_rows
      for each statement execute function ${names.qualified('_announce')}();
    create trigger announce_delete after delete on ${names.keys} referencing old table as old_rows
      for each statement execute function ${names.qualified('_announce')}();
    create trigger announce_truncate after truncate on ${names.keys}
      for each statement execute function ${names.qualified('_announce')}();
    alter table ${names.keys}
      enable always trigger announce_insert,
      enable always trigger announce_update,
      enable always trigger announce_delete,
      enable always trigger announce_truncate;`;

/** Enabled for replicas only, so that ordinary writes do not pay for each row. */
export const replicatedTrigger = (names: Names): string => `
    ${createFunction(names, announceRow)}
    create trigger announce_replicated after insert or update or delete on ${names.keys}
      for each row execute function ${names.qualified('_announce_row')}();
    alter table ${names.keys} enable replica trigger announce_replicated;`;
