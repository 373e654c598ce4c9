import type { ImportKeyOptions } from '../../manager/key-options.js';
import { parseInstant } from '../values/instant.js';
import { likelyProblemOf } from './likely-problem.js';

/** One key to take over, as it stands in a file: not yet checked. */
export interface ImportEntry {
  /** The place of the entry, for messages: `line 2`. */
  readonly place: string;
  readonly options: ImportKeyOptions;
  /** Why it could not be read. */
  readonly problem?: string | undefined;
  /** Why it is unlikely to be what it was read as. */
  readonly likelyProblem?: string | undefined;
}

/** An entry that could not be read. */
export const unreadable = (place: string, problem: string): ImportEntry => ({
  place,
  options: { user: '' },
  problem,
});

/** An entry that was read. `likelyProblem` is checked for here unless it is given. */
export const fileEntry = (
  place: string,
  options: ImportKeyOptions,
  likelyProblem?: string,
): ImportEntry => ({ place, options, likelyProblem: likelyProblem ?? likelyProblemIn(options) });

/** Only looks at values of the right types. Wrong types are found later. */
function likelyProblemIn(options: ImportKeyOptions): string | undefined {
  const { user, key, name } = options as unknown as Readonly<Record<string, unknown>>;
  const areTexts = [key, name].every((each) => each === undefined || typeof each === 'string');
  return typeof user === 'string' && areTexts ? likelyProblemOf(options) : undefined;
}

/** The entry of a CSV row or a JSON object. Absent values count as not given. */
export function entryOf(place: string, values: Readonly<Record<string, unknown>>): ImportEntry {
  const { expiresAt, key, ...rest } = values;
  const instant = typeof expiresAt === 'string' ? parseInstant(expiresAt) : undefined;
  const options = {
    ...rest,
    key: typeof key === 'string' ? key.trim() : key,
    expiresAt: instant,
  } as unknown as ImportKeyOptions;
  // PostgreSQL writes an end that never comes as infinity.
  const isEndless = typeof expiresAt === 'string' && /^(infinity|never)$/i.test(expiresAt);
  if (expiresAt === undefined || isEndless || instant) return fileEntry(place, options);
  return {
    place,
    options,
    problem: 'has an expiry that is not a date such as 2027-01-31 or 2027-01-31T12:00Z',
  };
}
