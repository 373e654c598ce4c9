import { parseDigest } from '../../keys/digest.js';
import { splitPair } from '../../sources/key-entries.js';
import { linesOf } from '../values/decode-text.js';
import { fileEntry, type ImportEntry } from './import-entry.js';
import { isTime } from './likely-problem.js';

/** The shortest key that is taken for one in a file whose form is guessed. */
const minLength = 16;

/**
 * The keys of lines of `user:key`. Other forms hold colons too, above all in times and addresses,
 * so a line must be such a pair and nothing else.
 *
 * @param isDeclared whether this form was given. Keys may then be short and hold colons
 */
export function readPairs(text: string, isDeclared: boolean): ImportEntry[] {
  return linesOf(text)
    .map((line, index) => ({ line: line.trim(), place: `line ${index + 1}` }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, place }) => {
      const { user, key } = splitPair(line);
      const likelyProblem =
        likelyProblemOfPair(user, key) ?? (isDeclared ? undefined : unlikelyPart(user, key));
      return fileEntry(place, { user, key }, likelyProblem);
    });
}

function likelyProblemOfPair(user: string, key: string): string | undefined {
  if (/^user(_?name)?$/i.test(user) && /^((api_?)?key|digest)$/i.test(key))
    return 'is a header, but lines of user:key have none: delete it';
  if (/[,;|\t"]|^['`[{]/.test(user))
    return 'has a comma, another separator or a quote in its user: write CSV with a header instead';
  if (isTime(user)) return 'has a time in its user: write CSV with a header instead';
  if (key.startsWith('//')) return 'is an address, not user:key';
  if (/^(["'`]).*\1$/.test(key)) return 'has quotes around its key: delete them';
  return undefined;
}

/** Text that may belong to a pair, but usually means that the file has another form. */
function unlikelyPart(user: string, key: string): string | undefined {
  const signs: readonly (readonly [boolean, string])[] = [
    [key.length < minLength, `has a key shorter than ${minLength} characters`],
    [key.includes(':') && !parseDigest(key), 'has more than one colon'],
    [/[;|"\\<>{}]/.test(key), 'has a separator, a quote or a bracket in its key'],
    [/[=\\<>{}[\]]/.test(user), 'has "=" or a bracket in its user'],
  ];
  const sign = signs.find(([applies]) => applies)?.[1];
  return sign && `${sign}: if it is user:key all the same, add --format pairs`;
}
