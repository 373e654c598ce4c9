import type { KeyEvent } from '../key-event.js';
import type { Row } from './database.js';
import { instant, milliseconds, text, type JsonFields } from './json-fields.js';

/** The event of row `e` as one JSON text. */
export const selectEvent = (e: string): string => `pg_catalog.json_build_object(
    'eventId', ${e}.event_id, 'at', ${milliseconds(`${e}.at`)}, 'what', ${e}.what,
    'keyId', ${e}.key_id, 'claimId', ${e}.claim_id, 'user', ${e}.user_name,
    'by', ${e}.changed_by, 'reason', ${e}.reason, 'via', ${e}.via,
    'changes', ${e}.changes
  )::text`;

export function readEvent(row: Row): KeyEvent {
  const found = JSON.parse(row['event'] ?? '{}') as JsonFields;
  return {
    eventId: found['eventId'] as string,
    at: instant('at', found).at ?? new Date(Number.NaN),
    what: found['what'] as KeyEvent['what'],
    ...text('keyId', found),
    ...text('claimId', found),
    user: found['user'] as string,
    ...text('by', found),
    ...text('reason', found),
    via: found['via'] as KeyEvent['via'],
    ...(found['changes'] != null && { changes: found['changes'] }),
  };
}
