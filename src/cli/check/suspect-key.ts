import { parseApiKey } from '../../keys/key-format.js';
import type { Finding } from '../finding.js';
import { isQuoted, mistypedKey, moreThanKey } from '../key-problem.js';
import type { Expectation } from './challenge.js';

/** Longer than a header line with a key of any form. */
const maxLength = 1_000;

/**
 * What looks wrong with a key, if anything, without quoting it. A server may accept the key all
 * the same.
 */
export function suspectKey(key: string, expected: Expectation): Finding | undefined {
  // A text longer than any key is only reported as such. Searching it would take long.
  if (key.length > maxLength || parseApiKey(key)) return undefined;
  if (isQuoted(key)) {
    return suspect(
      'quoted_key',
      'is in quotes, which are sent as a part of it',
      'remove the quotes',
    );
  }
  const inHeader = suspectHeader(key, expected);
  if (inHeader) return inHeader;
  const problem = moreThanKey(key) ?? mistypedKey(key);
  return problem && suspect(problem.code, problem.what, problem.remedy);
}

function suspectHeader(key: string, { header, scheme }: Expectation): Finding | undefined {
  const [, name, rest = key] = /^([A-Za-z][\w-]*):[ \t]*(.*)$/.exec(key) ?? [];
  const isHeader = name !== undefined && /^(x-.+|authorization)$/i.test(name);
  if (!isHeader && name?.toLowerCase() !== header.toLowerCase()) return suspectScheme(key, scheme);
  const [word] = /^(Bearer|ApiKey)(?=[ \t])/i.exec(rest) ?? [];
  const behind = word === undefined ? 'its colon' : `the word ${word}`;
  return suspect(
    'header_line',
    'is a whole header line, with the name of the header',
    `keep only what is behind ${behind}`,
  );
}

function suspectScheme(key: string, scheme = 'Bearer'): Finding | undefined {
  const [word] = /^[A-Za-z]+(?=[ \t])/.exec(key) ?? [];
  const known = [scheme, 'Bearer', 'ApiKey'].find(
    (each) => each.toLowerCase() === word?.toLowerCase(),
  );
  if (known === undefined) return undefined;
  return suspect(
    'header_line',
    `has the word ${known} in front of it`,
    `keep only what is behind it; if the server expects the word, give --scheme ${known}`,
  );
}

const suspect = (code: string, message: string, remedy: string): Finding => ({
  severity: 'error',
  code,
  message: `Your key ${message}.`,
  remedy,
});
