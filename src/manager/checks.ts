import { addressProblem } from '../lib/addresses.js';
import { isValidDate } from '../lib/values.js';
import {
  ArgumentError,
  describe,
  isName,
  isScopes,
  mustBeName,
  mustBeScopes,
  type Check,
} from '../lib/options.js';

export const maxNameLength = 256;
const maxScopes = 100;
const maxAddresses = 100;
const maxMetadataLength = 10_000;

export const mustBeText: Check = (value) =>
  isName(value) && value.length > maxNameLength
    ? `at most ${maxNameLength} characters long`
    : mustBeName(value);

export const mustBeScopeList: Check = (value) =>
  isScopes(value) &&
  (value.length > maxScopes || value.some(({ length }) => length > maxNameLength))
    ? `an array of at most ${maxScopes} scopes, each of at most ${maxNameLength} characters`
    : mustBeScopes(value);

export const mustBeInstant: Check = (value) => {
  if (!isValidDate(value)) return 'a valid Date';
  const year = value.getUTCFullYear();
  return year >= 1 && year <= 9999 ? undefined : 'a Date in the years 1 to 9999';
};

export const mustBeMetadata: Check = (value) => {
  const expected = `a JSON object of at most ${maxMetadataLength} characters, none of them NUL`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected;
  try {
    const json = JSON.stringify(value);
    // PostgreSQL's jsonb can hold neither NUL nor half of a surrogate pair.
    return json.length <= maxMetadataLength && !/\\u(0000|d[89a-f]..)/i.test(json)
      ? undefined
      : expected;
  } catch {
    return expected;
  }
};

/** Names the entry by its place, because a key may have been passed by mistake. */
export const mustBeAddresses: Check = (value) => {
  const expected =
    `an array of at most ${maxAddresses} IP addresses and CIDR blocks, such as "203.0.113.0/24" ` +
    'or "2001:db8::/48"';
  if (!Array.isArray(value) || value.length > maxAddresses) return expected;
  const problems = Array.from(value, addressProblem);
  const place = problems.findIndex((problem) => problem !== undefined);
  return place === -1 ? undefined : `${expected}; entry ${place + 1} ${problems[place]}`;
};

export const mustBeNumber: Check = (value) => (typeof value === 'number' ? undefined : 'a number');

export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);

export const oneOf =
  (...known: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && known.includes(value)
      ? undefined
      : known.map((each) => `"${each}"`).join(' or ');

/** @throws {ArgumentError} if it is not a string. The value is never printed: it could be a key. */
export function assertKeyId(caller: string, keyId: unknown): void {
  if (typeof keyId !== 'string')
    throw new ArgumentError(caller, `the key id must be a string; received ${describe(keyId)}`, {
      option: 'keyId',
      expected: 'a string',
    });
}
