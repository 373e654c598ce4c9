/** Where a server says that it reads the key. */
export interface Expectation {
  readonly header: string;
  readonly scheme?: string;
}

/**
 * The server chooses these names, and somebody will paste them into a shell. So only plain words
 * are accepted.
 */
const isPastable = (name: string) => /^\w[\w-]{0,63}$/.test(name);

/**
 * Reads the first challenge of a 401 (RFC 9110, section 11.6.1). `undefined` for `Basic`, for
 * none, or for one with odd names.
 */
export function readChallenge(value: string | undefined): Expectation | undefined {
  if (value === undefined) return undefined;
  const [, scheme] = /^\s*([!#$%&'*+.^_`|~\w-]+)(?:\s|$)/.exec(value) ?? [];
  if (
    scheme === undefined ||
    !isPastable(scheme) ||
    /^(basic|digest|negotiate|ntlm)$/i.test(scheme)
  )
    return undefined;
  const [, header] = /[\s,]header="([^"]*)"/i.exec(value) ?? [];
  if (header !== undefined && !isPastable(header)) return undefined;
  if (/^apikey$/i.test(scheme)) return header === undefined ? undefined : { header };
  return { header: header ?? 'Authorization', scheme };
}

export const sameExpectation = (a: Expectation, b: Expectation) =>
  a.header.toLowerCase() === b.header.toLowerCase() &&
  (a.scheme ?? '').toLowerCase() === (b.scheme ?? '').toLowerCase();

/** As options of `check`. */
export const asOptions = ({ header, scheme }: Expectation) =>
  `--header ${header}${scheme === undefined ? '' : ` --scheme ${scheme}`}`;
