import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual, types } from 'node:util';
import type { ChangeContext, ChangedField, KeyEvent, KeyEventType } from './key-event.js';
import type { KeyRecord } from './key-record.js';

/**
 * Matches what could be a key, a digest or the token of a claim link. JavaScript and PostgreSQL
 * read this regular expression alike.
 */
export const secretPattern = [
  '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}',
  '(?:sha256:)?[0-9a-fA-F]{64,}',
  // A token has 43 characters of base64url. A long word in lower case is not one.
  '(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])',
].join('|');

/** What an event holds in place of a secret. */
export const secretMark = '<secret>';

const secrets = new RegExp(secretPattern, 'g');

/** Masks what could be a secret, because more people read events than keys. */
export const maskEventText = (text: string): string => text.replaceAll(secrets, secretMark);

/**
 * The fields whose changes an event holds. `replacedBy` is an id made by this library, so it is
 * not masked.
 */
const comparedFields = [
  'name',
  'scopes',
  'expiresAt',
  'metadata',
  'user',
  'allowedAddresses',
  'pausedUntil',
  'replacedBy',
] as const satisfies readonly ChangedField[];

/** The `changes` of an event: how two states of a record differ. Empty if they do not. */
export function changesBetween(
  before: KeyRecord,
  after: KeyRecord,
): Required<KeyEvent>['changes'] | undefined {
  const changed = comparedFields
    .filter((field) => !isDeepStrictEqual(plain(before[field]), plain(after[field])))
    .map((field): [ChangedField, [unknown, unknown]] => [
      field,
      [plainOrMasked(field, before[field]), plainOrMasked(field, after[field])],
    ]);
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

const plainOrMasked = (field: ChangedField, value: unknown) =>
  field === 'replacedBy' ? plain(value) : maskEventValue(plain(value));

/** A value as an event holds it: times as text in UTC, absent values as `null`. */
const plain = (value: unknown): unknown =>
  types.isDate(value) ? value.toISOString() : (value ?? null);

/** The same for JSON, including the names of its fields. */
export function maskEventValue(value: unknown): unknown {
  if (typeof value === 'string') return maskEventText(value);
  if (Array.isArray(value)) return value.map(maskEventValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [maskEventText(name), maskEventValue(part)]),
  );
}

/**
 * Makes the event of a change. `by` and `reason` are masked too, because people paste secrets
 * there.
 */
export function createEvent(
  what: KeyEventType,
  { keyId, claimId, user }: Pick<KeyEvent, 'keyId' | 'claimId' | 'user'>,
  { by, reason, via, at }: ChangeContext,
  changes?: KeyEvent['changes'],
): KeyEvent {
  return {
    eventId: `event_${randomBytes(16).toString('hex')}`,
    at: new Date(at),
    what,
    ...(keyId !== undefined && { keyId }),
    ...(claimId !== undefined && { claimId }),
    user,
    ...(by !== undefined && { by: maskEventText(by) }),
    ...(reason !== undefined && { reason: maskEventText(reason) }),
    via,
    ...(changes && { changes }),
  };
}
