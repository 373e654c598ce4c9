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
 * Where the challenges of a 401 say that the key is read (RFC 9110, section 11.6.1), one for each
 * header. Leaves out `Basic` and the like, and challenges with odd names.
 */
export function readChallenges(value: string | undefined): Expectation[] {
  const parts = (value ?? '').match(/(?:[^",]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  const challenges: string[] = [];
  for (const part of parts.map((each) => each.trim())) {
    // A parameter such as `error="..."` belongs to the challenge before it.
    if (/^[\w-]+\s*=/.test(part)) challenges.push(`${challenges.pop() ?? ''}, ${part}`);
    else challenges.push(part);
  }
  return challenges.flatMap((each) => readChallenge(each) ?? []);
}

function readChallenge(value: string): Expectation | undefined {
  const [, scheme] = /^([!#$%&'*+.^_`|~\w-]+)(?:\s|$)/.exec(value) ?? [];
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
