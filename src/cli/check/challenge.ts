/** Where a server says that it reads the key. */
export interface Expectation {
  readonly header: string;
  readonly scheme?: string;
}

/** The server chooses them, and somebody will paste them into a shell: nothing that one would read as more than a word. */
const isPastable = (name: string) => /^\w[\w-]{0,63}$/.test(name);

/** What the first challenge of a 401 tells (RFC 9110, section 11.6.1); of a `Basic` one, none, or one with odd names, nothing. */
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

/** As it is to be given to `check`. */
export const asOptions = ({ header, scheme }: Expectation) =>
  `--header ${header}${scheme === undefined ? '' : ` --scheme ${scheme}`}`;
