import {
  ArgumentError,
  isPlainObject,
  mustBeHeaderName,
  mustBeToken,
  type Check,
} from '../lib/options.js';

/** A header that may carry the key. */
export interface HeaderOption {
  /** The header's name. Case is ignored (RFC 9110, section 5.1). Not `Cookie` or `Set-Cookie`. */
  name: string;
  /**
   * The word before the key, such as `Bearer`. Case is ignored (RFC 9110, section 11.1). A header
   * with another scheme, or with none, counts as no key. Default none.
   */
  scheme?: string | undefined;
}

/** One header by its name or with a scheme, or several, of which exactly one may hold a key. */
export type HeadersOption = string | HeaderOption | readonly (string | HeaderOption)[];

/** A header as a guard reads it. */
export interface KeyHeader {
  readonly name: string;
  readonly scheme: string | undefined;
  /** In lower case, for look-ups and comparisons. */
  readonly lowerName: string;
  readonly lowerScheme: string | undefined;
}

export const mustBeHeader: Check = (value) => {
  if (!isPlainObject(value)) return mustBeHeaderName(value);
  const { name, scheme, ...others } = value;
  if (Object.keys(others).length > 0) return 'an object of "name" and "scheme"';
  const problem = mustBeHeaderName(name);
  if (problem !== undefined) return `an object whose "name" is ${problem}`;
  const isScheme = scheme === undefined || mustBeToken(scheme) === undefined;
  return isScheme ? undefined : 'an object whose "scheme" is a single word without blanks';
};

export const mustBeHeaders: Check = (value) => {
  if (!Array.isArray(value)) return mustBeHeader(value);
  if (value.length === 0) return 'a header, or a non-empty array of headers';
  for (const each of Array.from<unknown>(value)) {
    const problem = mustBeHeader(each);
    if (problem !== undefined) return `an array in which each header is ${problem}`;
  }
  const names = (value as (string | HeaderOption)[]).map((each) => nameOf(each).toLowerCase());
  return new Set(names).size === names.length ? undefined : 'an array that names each header once';
};

/**
 * The headers that checked options name.
 *
 * @throws {ArgumentError} if `scheme` stands beside an object or an array.
 */
export function keyHeaders(
  caller: string,
  header: HeadersOption = 'X-API-Key',
  scheme?: string,
): readonly KeyHeader[] {
  if (scheme !== undefined && typeof header !== 'string') {
    const expected = 'in the object of its header: { name, scheme }';
    throw new ArgumentError(caller, `"scheme" must stand ${expected}`, {
      option: 'scheme',
      expected,
    });
  }
  return [header].flat().map((each: string | HeaderOption) => {
    const name = nameOf(each);
    const its = typeof each === 'string' ? scheme : each.scheme;
    return {
      name,
      scheme: its,
      lowerName: name.toLowerCase(),
      lowerScheme: its?.toLowerCase(),
    };
  });
}

const nameOf = (header: string | HeaderOption) =>
  typeof header === 'string' ? header : header.name;
