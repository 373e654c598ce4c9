import { secretMark } from '../../event-changes.js';
import type { ChangedField } from '../../key-event.js';
import type { Names } from '../names.js';
import { timeSql } from '../values.js';
import { announcedColumns, type Trigger } from './trigger.js';

/** A run of this many characters may be a key, a digest or a token. Events must hold none. */
const secretLength = 43;
const isSecretLike = (value: string) => `${value} glob '*${'[0-9A-Za-z_-]'.repeat(secretLength)}*'`;

/**
 * A value as JSON. SQLite has no regular expressions, so a change by hand gets a mark for the
 * whole value if any part looks like a secret. For other changes the store masks only those
 * parts.
 */
const masked = (value: string, json: string) =>
  `case when c.id is null and ${isSecretLike(value)} then '"${secretMark}"'
    else coalesce(${json}, 'null') end`;
const textJson = (value: string) => masked(value, `json_quote(${value})`);
const rawJson = (value: string) => masked(value, value);
const timeJson = (value: string) => `json_quote(${timeSql(value)})`;

/** The columns whose values before and after an event keeps. */
const fields: readonly (readonly [ChangedField, string, (value: string) => string])[] = [
  ['name', 'name', textJson],
  ['scopes', 'scopes', rawJson],
  ['expiresAt', 'expires_at', timeJson],
  ['metadata', 'metadata', rawJson],
  ['user', 'user_name', textJson],
  ['allowedAddresses', 'allowed_addresses', rawJson],
  ['pausedUntil', 'paused_until', timeJson],
];

const changedPart = ([field, column, json]: (typeof fields)[number]) =>
  `case when new.${column} is not old.${column}
          then ',"${field}":[' || ${json(`old.${column}`)} || ',' || ${json(`new.${column}`)} || ']'
            else '' end`;

const replacedByPart = `case when c.rotates = new.key_id
          then ',"replacedBy":[null,' || json_quote(c.successor) || ']' else '' end`;

const changes = `nullif('{' || substr(
          ${[...fields.map(changedPart), replacedByPart].join('\n          || ')}, 2)
            || '}', '{}')`;

/** The end of an overlap is part of a first use, not a change of its own. */
const isChanged = announcedColumns
  .map((column) =>
    column === 'overlap_ms'
      ? '(new.overlap_ms is not old.overlap_ms and new.overlap_ms is not null)'
      : `new.${column} is not old.${column}`,
  )
  .join(' or ');

/** Write the event of each change. A change by hand has no context. */
export function eventTriggers(names: Names): Trigger[] {
  const addEvent = (columns: string, values: string, condition = '1') => `
        insert into ${names.events} (${columns}, changed_by, reason, via)
        select ${values}, c.changed_by, c.reason, coalesce(c.via, 'sql')
        from (select 1) left join ${names.context} c on c.id = 1
        where coalesce(c.is_silent, 0) = 0 and ${condition};`;
  return [
    {
      ending: '_event_insert',
      body: `after insert on ${names.keys} begin
        ${addEvent(
          'what, key_id, claim_id, user_name',
          `coalesce(c.added, 'created'), new.key_id, c.claim_id, new.user_name`,
        )}
        insert into ${names.events} (what, key_id, user_name, via, changes)
        select 'rotated', k.key_id, k.user_name, 'sql',
          json_object('replacedBy', json_array(null, new.key_id))
        from ${names.keys} k
        where k.key_id = new.replaces and not exists (select 1 from ${names.context});
      end`,
    },
    {
      ending: '_event_update',
      body: `after update of ${announcedColumns.join(', ')} on ${names.keys}
      when ${isChanged} or exists (select 1 from ${names.context} where rotates = new.key_id)
      begin
        ${addEvent(
          'what, key_id, user_name, previous_user, changes',
          `case when c.rotates = new.key_id then 'rotated'
          when old.revoked_at is null and new.revoked_at is not null then 'revoked'
          when new.paused_at is not null
            and (new.paused_at is not old.paused_at or new.paused_until is not old.paused_until)
              then 'paused'
          when old.paused_at is not null and new.paused_at is null then 'resumed'
          else 'updated' end, new.key_id, new.user_name, nullif(old.user_name, new.user_name),
            ${changes}`,
        )}
      end`,
    },
    {
      ending: '_event_delete',
      body: `after delete on ${names.keys} begin
        ${addEvent('what, key_id, user_name', `'deleted', old.key_id, old.user_name`)}
      end`,
    },
    {
      ending: '_claim_event_insert',
      body: `after insert on ${names.claims} begin
        ${addEvent('what, claim_id, user_name', `'claim_created', new.claim_id, new.user_name`)}
      end`,
    },
    {
      // A claim leaves only the event of its key. By hand, anything may be done to a link.
      ending: '_claim_event_update',
      body: `after update on ${names.claims} begin
        ${addEvent(
          'what, claim_id, key_id, user_name, previous_user',
          `case when old.revoked_at is null and new.revoked_at is not null then 'claim_revoked'
          when old.claimed_at is null and new.claimed_at is not null then 'claimed'
          else 'updated' end, new.claim_id, new.key_id, new.user_name,
            nullif(old.user_name, new.user_name)`,
          `c.claim_id is not new.claim_id and (${[
            'claim_id',
            'token_digest',
            'user_name',
            'name',
            'scopes',
            'metadata',
            'key_expires_at',
            'created_at',
            'expires_at',
            'claimed_at',
            'key_id',
            'revoked_at',
            'allowed_addresses',
          ]
            .map((column) => `new.${column} is not old.${column}`)
            .join(' or ')})`,
        )}
      end`,
    },
    {
      ending: '_events_stay',
      body: `before update on ${names.events} when not exists (select 1 from ${names.context}) begin
        select raise(abort, 'events are never changed');
      end`,
    },
  ];
}
