import {
  assertArgument,
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

const headerForms = 'the name of a header, { name, scheme? }, or an array of these, each name once';

const isHeaderObject = (value: unknown): boolean => {
  if (!isPlainObject(value)) return false;
  const { name, scheme, ...others } = value;
  return (
    Object.keys(others).length === 0 &&
    mustBeHeaderName(name) === undefined &&
    (scheme === undefined || mustBeToken(scheme) === undefined)
  );
};

export const mustBeHeader: Check = (value) => {
  if (typeof value === 'string') return mustBeHeaderName(value);
  return isHeaderObject(value) ? undefined : headerForms;
};

export const mustBeHeaders: Check = (value) => {
  if (!Array.isArray(value)) return mustBeHeader(value);
  const headers: unknown[] = Array.from(value);
  if (!headers.every((each) => mustBeHeader(each) === undefined)) return headerForms;
  const names = new Set(
    (headers as (string | HeaderOption)[]).map((each) =>
      (typeof each === 'string' ? each : each.name).toLowerCase(),
    ),
  );
  return names.size > 0 && names.size === headers.length ? undefined : headerForms;
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
  if (typeof header !== 'string')
    assertArgument(caller, '"scheme"', scheme, () =>
      scheme === undefined ? undefined : 'in the object of its header, { name, scheme }',
    );
  return [header].flat().map((each: string | HeaderOption) => {
    const given = typeof each === 'string' ? { name: each, scheme } : each;
    return {
      name: given.name,
      scheme: given.scheme,
      lowerName: given.name.toLowerCase(),
      lowerScheme: given.scheme?.toLowerCase(),
    };
  });
}
