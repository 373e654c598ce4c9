import { secretMark, secretPattern } from '../../event-changes.js';
import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { announcedColumns, rowOf } from './announcements.js';
import { createFunction, type TriggerFunction } from './trigger-function.js';

/** A time as events hold it, as an SQL expression. Null for none and for an infinite one. */
const time = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The fields whose values are kept, as one JSON value. */
const fields = (row: string) => `jsonb_build_object(
            'name', ${row}.name, 'scopes', ${row}.scopes, 'expiresAt', ${time(`${row}.expires_at`)},
            'metadata', ${row}.metadata, 'user', ${row}.user_name,
            'allowedAddresses', case when cardinality(${row}.allowed_addresses) > 0
              then ${row}.allowed_addresses end,
            'pausedUntil', ${time(`${row}.paused_until`)})`;

/** The columns that count as a change. The end of the wait for a first use does not. */
const columns = announcedColumns.filter((column) => column !== 'overlap_ms');

/** Masks what could be a secret, because more people read events than keys. An SQL expression. */
const masked = (text: string) =>
  `regexp_replace(${text}, ${quoteLiteral(secretPattern)}, ${quoteLiteral(secretMark)}, 'g')`;

/**
 * The same for a JSON value, as text. Escapes are replaced first, so that no match begins inside
 * one. Those of quotes and backslashes come back. Others become blanks.
 */
const maskedJson = (json: string) =>
  `replace(replace(${masked(`regexp_replace(
            replace(replace(${json}::text, E'\\\\\\\\', chr(1)), E'\\\\"', chr(2)),
            E'\\\\\\\\(u[0-9a-f]{4}|[bfnrt])', ' ', 'g')`)}, chr(2), E'\\\\"'), chr(1),
              E'\\\\\\\\')::jsonb`;

/**
 * The start of both functions. A statement says who makes the change in a setting that lasts
 * until the transaction ends. It adds the time at which the server received the statement, so
 * that a later statement of the transaction does not use it.
 */
const declarations = `
        setting constant text := current_setting('require_api_key.context', true);
        stamp constant text := statement_timestamp()::text || ' ';
        context constant jsonb := case when starts_with(setting, stamp)
          then substr(setting, length(stamp) + 1)::jsonb end;
        what text;
        its_key text;
        its_claim text;
        owner text;
        previous_owner text;
        changes jsonb;
        changed_by text;
        why text;
        target regclass;`;

const into = '(what, key_id, claim_id, user_name, previous_user, changed_by, reason, via, changes)';

/** The role that sent the statement. The function itself runs as its owner. */
const sender = `coalesce(nullif(current_setting('role'), 'none'), session_user)`;

/**
 * Who makes the change. Without a word from the statement, the role that sent it. Only a role that
 * may write events itself may leave none: any role can set the context.
 */
const who = (names: Names) => `
        if context ->> 'isSilent' = 'true' and has_table_privilege(${sender}::name,
          to_regclass(${quoteLiteral(names.events)})::oid, 'insert') then
          return null;
        end if;
        if context is null then
          changed_by := ${sender};
        else
          changed_by := ${masked("(context ->> 'by')")};
          why := ${masked("(context ->> 'reason')")};
        end if;`;

/**
 * Writes events, whose values are the SQL `source`. The table may have been renamed without its
 * events, or before `migrate` bound the function to it. Then the events of its new name are used,
 * or else those of the old one. The function's owner must own both tables, so that nobody can
 * write rows into their own table with rights that they lack.
 */
const write = (
  names: Names,
  {
    table,
    ending,
    source,
    given,
  }: { table: string; ending: string; source: string; given: string },
) => `
        if tg_relid = to_regclass(${quoteLiteral(table)})::oid then
          insert into ${names.events} ${into} ${source};
          return null;
        end if;
        target := coalesce(
          to_regclass(format('%I.%I', tg_table_schema,
            left(tg_table_name, length(tg_table_name) - ${ending.length}) || '_events')),
          to_regclass(${quoteLiteral(names.events)}));
        if not exists (
          select from pg_class fired, pg_class e, pg_roles me
          where fired.oid = tg_relid and e.oid = target and me.rolname = current_user
            and fired.relowner = me.oid and e.relowner = me.oid
        ) then
          raise exception using errcode = 'undefined_table',
            message = 'the table of events is missing, or not for this table';
        end if;
        execute format('insert into %s ${into} ${given}', target)
          using what, its_claim, changed_by, why, coalesce(context ->> 'via', 'sql'), its_key,
            owner, previous_owner, changes;
        return null;`;

const writeEvent = (names: Names, table: string, ending: string) => `
        if changes::text ~ '[0-9A-Za-z_-]{43}' then
          changes := ${maskedJson('changes')};
        end if;${write(names, {
          table,
          ending,
          source: `
            values (what, its_key, its_claim, owner, previous_owner, changed_by, why,
              coalesce(context ->> 'via', 'sql'), changes)`,
          given: 'values ($1, $6, $2, $7, $8, $3, $4, $5, $9)',
        })}`;

const whatOfInsert = `case when its_claim is not null then 'claimed'
            when context ->> 'isImport' = 'true' then 'imported' else 'created' end`;

/**
 * Writes the events of added or deleted keys, one batch for each statement: a statement may add
 * very many.
 */
export const recordKeys: TriggerFunction = {
  ending: '_record_keys',
  body: (names) => `
      declare${declarations}
      begin
        if current_setting('session_replication_role') = 'replica' then
          return null;
        end if;${who(names)}
        if tg_op = 'DELETE' then
          what := 'deleted';
        else
          its_claim := context ->> 'claimId';
          what := ${whatOfInsert};
        end if;${write(names, {
          table: names.keys,
          ending: '',
          source: `
            select what, r.key_id, its_claim, r.user_name, null, changed_by, why,
              coalesce(context ->> 'via', 'sql'), null
            from changed_rows r`,
          given: 'select $1, r.key_id, $2, r.user_name, null, $3, $4, $5, null from changed_rows r',
        })}
      end`,
};

/**
 * Writes the one event of a changed key. A use alone leaves none. `recordKeys` handles added and
 * deleted keys, unless they come from replication, which fires no statement triggers.
 */
export const recordKey: TriggerFunction = {
  ending: '_record_key',
  body: (names) => `
      declare${declarations}
        is_rotated boolean;
      begin
        if tg_op <> 'UPDATE' and current_setting('session_replication_role') <> 'replica' then
          return null;
        end if;${who(names)}
        if tg_op = 'DELETE' then
          what := 'deleted';
          its_key := old.key_id;
          owner := old.user_name;
        elsif tg_op = 'INSERT' then
          its_claim := context ->> 'claimId';
          what := ${whatOfInsert};
          its_key := new.key_id;
          owner := new.user_name;
        else
          is_rotated := coalesce(context ->> 'rotates' = new.key_id, false);
          if not is_rotated
            and ${rowOf('old', columns)} is not distinct from ${rowOf('new', columns)}
            and (new.overlap_ms is null or new.overlap_ms is not distinct from old.overlap_ms) then
            return null;
          end if;
          changes := (
            select jsonb_object_agg(b.key, jsonb_build_array(b.value, a.value))
            from jsonb_each(${fields('old')}) b
              join jsonb_each(${fields('new')}) a on a.key = b.key
            where a.value is distinct from b.value);
          if is_rotated then
            changes := coalesce(changes, '{}')
              || jsonb_build_object('replacedBy', jsonb_build_array(null, context -> 'replacedBy'));
          end if;
          what := case when is_rotated then 'rotated'
            when old.revoked_at is null and new.revoked_at is not null then 'revoked'
            when new.paused_at is not null
              and (new.paused_at, new.paused_until)
                is distinct from (old.paused_at, old.paused_until) then 'paused'
            when new.paused_at is null and old.paused_at is not null then 'resumed'
            else 'updated' end;
          its_key := new.key_id;
          owner := new.user_name;
          previous_owner := nullif(old.user_name, new.user_name);
        end if;${writeEvent(names, names.keys, '')}
      end`,
};

/** The columns of a claim link that a claim leaves as they are. */
const linkColumns = [
  'claim_id',
  'token_digest',
  'user_name',
  'name',
  'scopes',
  'metadata',
  'key_expires_at',
  'created_at',
  'expires_at',
  'revoked_at',
  'allowed_addresses',
];

/**
 * The same for a claim link. A claim is recorded by the event of the key that it makes. By hand,
 * anything may be done to a link.
 */
export const recordClaim: TriggerFunction = {
  ending: '_record_claim',
  body: (names) => `
      declare${declarations}
      begin${who(names)}
        if tg_op = 'INSERT' then
          what := 'claim_created';
        elsif ${rowOf('old', linkColumns)} is not distinct from ${rowOf('new', linkColumns)}
          and (coalesce(context ->> 'claimId' = new.claim_id and old.claimed_at is null, false)
            or (old.claimed_at, old.key_id) is not distinct from (new.claimed_at, new.key_id)) then
          return null;
        else
          what := case when old.revoked_at is null and new.revoked_at is not null
              then 'claim_revoked'
            when old.claimed_at is null and new.claimed_at is not null then 'claimed'
            else 'updated' end;
          its_key := new.key_id;
          previous_owner := nullif(old.user_name, new.user_name);
        end if;
        its_claim := new.claim_id;
        owner := new.user_name;${writeEvent(names, names.claims, '_claims')}
      end`,
};

/** Changes made by replication and copying tools count too. */
export const eventTriggers = (names: Names): string => `
    ${createFunction(names, recordKeys)}
    create trigger record_insert after insert on ${names.keys} referencing new table as changed_rows
      for each statement execute function ${names.qualified('_record_keys')}();
    create trigger record_delete after delete on ${names.keys} referencing old table as changed_rows
      for each statement execute function ${names.qualified('_record_keys')}();
    ${createFunction(names, recordKey)}
    create trigger record_update after update on ${names.keys}
      for each row execute function ${names.qualified('_record_key')}();
    create trigger record_replicated after insert or delete on ${names.keys}
      for each row execute function ${names.qualified('_record_key')}();
    alter table ${names.keys}
      enable always trigger record_update,
      enable replica trigger record_replicated;
    ${createFunction(names, recordClaim)}
    create trigger record_event after insert or update on ${names.claims}
      for each row execute function ${names.qualified('_record_claim')}();
    alter table ${names.claims} enable always trigger record_event;`;
