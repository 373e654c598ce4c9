import { InvalidArgumentError } from 'commander';
import { parseDuration } from './duration.js';

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?)?$/;

/**
 * The instant of an ISO 8601 date, or of one in PostgreSQL's form
 * (`2027-03-01 00:00:00.123456+00`). In local time if it names no zone. `undefined` if it is no
 * date.
 */
export function parseInstant(text: string): Date | undefined {
  const [, year, month, day, clock = '00:00', seconds = '00', fraction = '', utc, hours, minutes] =
    pattern.exec(text) ?? [];
  if (day === undefined) return undefined;
  // Date lets February 31 pass as March 3.
  if (Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate())
    return undefined;
  const zone = hours === undefined ? (utc ?? '') : `${hours}:${minutes ?? '00'}`;
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const instant = new Date(`${year}-${month}-${day}T${clock}:${seconds}.${milliseconds}${zone}`);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** When a key expires: a duration from now, a date in the future, or `never`. */
export function expiryArgument(text: string): Date | 'never' {
  return text === 'never' ? text : futureInstant(text, 'never, 90d');
}

/** When something ends by itself: a duration from now, or a date in the future. */
export const futureArgument = (text: string): Date => futureInstant(text, '1h, 90d');

/** @param forms what may be written beside a date */
function futureInstant(text: string, forms: string): Date {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return beforeYear10000(new Date(Date.now() + ms));
  const instant = parseInstant(text);
  if (!instant) throw new InvalidArgumentError(`Write ${forms}, 2027-01-31 or 2027-01-31T12:00Z.`);
  if (instant.getTime() <= Date.now()) throw new InvalidArgumentError('That is in the past.');
  return beforeYear10000(instant);
}

/** When something began: a duration before now, or a date in the past. */
export function pastArgument(text: string): Date {
  const ms = parseDuration(text);
  const instant = ms === undefined ? parseInstant(text) : new Date(Date.now() - ms);
  if (!instant) throw new InvalidArgumentError('Write 7d, 2026-11-01 or 2026-11-01T12:00Z.');
  if (instant.getTime() > Date.now()) throw new InvalidArgumentError('That is in the future.');
  return instant;
}

/** The last year that four digits can write, and that every database holds. */
function beforeYear10000(instant: Date): Date {
  if (instant.getTime() >= Date.UTC(10_000))
    throw new InvalidArgumentError('That is too far in the future.');
  return instant;
}
