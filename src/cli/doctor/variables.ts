import {
  isReference,
  isUnresolved,
  parseKeyPairs,
  parseKeys,
  splitPair,
  type KeyEntry,
} from '../../sources/key-entries.js';
import { parseDigest } from '../../keys/digest.js';
import { parseApiKey } from '../../keys/key-format.js';
import { listKeys } from '../../sources/key-table.js';
import { describeWeakness } from '../../sources/weakness.js';
import {
  aloneRemedy,
  isQuoted,
  leftOverQuote,
  mistypedKey,
  moreThanKey,
  type KeyProblem,
} from '../key-problem.js';
import { programName } from '../paste-line.js';
import type { Finding, Severity } from '../finding.js';

export interface KeyVariable {
  readonly name: string;
  /** Whether it holds `user:key` pairs instead of one key. */
  readonly isList: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The entries as the library will read them. */
export function entriesOf({ isList }: KeyVariable, value: string): KeyEntry[] {
  return isList ? parseKeyPairs(value) : parseKeys(value, 'default');
}

/** Whether it is set to more than blanks. */
export const isFilled = (value: string | undefined): value is string =>
  value !== undefined && value.trim() !== '';

/**
 * Finds what is wrong with a variable that is set.
 *
 * @param isQuoteTold whether an unclosed quote was found in the file already
 */
export function examineVariable(
  variable: KeyVariable,
  value: string,
  isQuoteTold = false,
): Finding[] {
  const { name, isList } = variable;
  const generate = `${programName} generate --env ${name}${isList ? ' --user <user>' : ''}`;
  const findings: Finding[] = [];
  const find = (severity: Severity, code: string, message: string, remedy: string) =>
    findings.push({ severity, code, message: `${name} ${message}.`, remedy });

  if (/^[ \t\u00a0]|[ \t\r\u00a0]$/.test(value)) {
    find('warning', 'padded_variable', 'has blanks around its value', 'remove them');
  }
  const unresolved = isList ? isReference(value.trim()) : isUnresolved(value);
  if (unresolved) {
    const remedy = 'let the tool that starts the app fill it in, or write the key itself';
    find('error', 'unresolved_reference', 'holds a reference that was not filled in', remedy);
  }
  const entries = entriesOf(variable, value);
  const quoted = entries.filter(({ user, key }) => [user, key, `${user}:${key}`].some(isQuoted));
  if (isQuoted(value.trim()) || quoted.length > 0) {
    const places = isQuoted(value.trim())
      ? ''
      : ` (${quoted.map(({ place }) => place).join(', ')})`;
    const remedy = isList
      ? 'remove them: the server reads them as part of the user or of the key'
      : 'remove them: a client that sends the key without them is refused';
    find('error', 'quoted_variable', `has quotes that are part of its value${places}`, remedy);
  }
  const pairs = isList ? [] : entries.filter(({ key }) => isPair(key)).map(({ place }) => place);
  if (pairs.length > 0) {
    const remedy =
      'users belong in API_KEYS; write the key alone, as the whole value is taken for the key';
    find('error', 'user_with_key', `holds what looks like user:key (${pairs.join(', ')})`, remedy);
  }
  const isJoined = isList ? isJoinedPair : isJoinedKey;
  const joined = entries.filter(({ key }) => isJoined(key)).map(({ place }) => place);
  if (joined.length > 0) {
    const message =
      `has a ; between ${isList ? 'entries' : 'keys'} (${joined.join(', ')}), so the rest is ` +
      'read as part of the key';
    find(
      'error',
      isList ? 'broken_list' : 'broken_key',
      message,
      'write a comma instead of each ;',
    );
  }
  const keyProblems = findKeyProblems(entries, isList).filter(({ place }) =>
    [pairs, joined, quoted.map((each) => each.place)].every((told) => !told.includes(place)),
  );
  for (const [{ code, what, remedy }, places] of groupByProblem(keyProblems)) {
    if (isQuoteTold && what === leftOverQuote) continue;
    const where =
      places.length === 1 ? `the key in ${places[0]}` : `the keys in ${places.join(', ')} each`;
    find('error', code, `holds a mistake: ${where} ${what}`, remedy);
  }
  const { problems, weak } = listKeys(entries, 'examined');
  const unexpanded = entries.filter(({ key }) => isShellVariable(key)).map(({ place }) => place);
  if (unexpanded.length > 0) {
    const remedy =
      'let a shell expand it before the app starts, or write the key itself: not every tool that ' +
      'reads a .env expands variables';
    const places = unexpanded.join(', ');
    const message = `holds what looks like a variable that was not expanded (${places})`;
    find('error', 'unresolved_reference', message, remedy);
  }
  const isNew = ({ place }: { readonly place: string }) =>
    !unexpanded.includes(place) &&
    !joined.includes(place) &&
    !keyProblems.some((each) => each.place === place);
  for (const { message, isShared } of problems.filter(isNew)) {
    const code = isShared ? 'shared_key' : isList ? 'broken_list' : 'broken_key';
    const remedy = isShared
      ? `give each user a key of their own: ${generate}`
      : isList && / user(,|$| should)/.test(message)
        ? 'write <user>:<key>, the user first; until then the whole variable is ignored, and ' +
          'requests with its keys are answered 503'
        : 'fix it; until then the whole variable is ignored, and requests with its keys are ' +
          'answered 503';
    find('error', code, `is not used: ${message}`, remedy);
  }
  for (const { place, weakness } of weak.filter(isNew)) {
    // Reported above.
    if (weakness === 'quoted') continue;
    const message = `holds a key that ${describeWeakness[weakness]} (${place})`;
    find('error', `${weakness}_key`, message, `replace it: ${generate}`);
  }
  return findings;
}

const pairRemedy = 'write <user>:<key> and nothing else';

interface ProblemEntry {
  readonly place: string;
  readonly problem: KeyProblem;
}

/** Entries that hold one of this library's keys and something else, or an incomplete key. */
function findKeyProblems(entries: readonly KeyEntry[], isList: boolean): ProblemEntry[] {
  const prefixes = new Set(['key']);
  for (const { key } of entries) {
    const parsed = parseApiKey(key);
    if (parsed) prefixes.add(parsed.prefix);
  }
  return entries.flatMap(({ user, key, place }) => {
    const problem =
      moreThanKey(key) ?? mistypedKey(key, prefixes) ?? (isList ? problemOfUser(user) : undefined);
    if (!problem) return [];
    const remedy = isList && problem.remedy === aloneRemedy ? pairRemedy : problem.remedy;
    return [{ place, problem: { ...problem, remedy } }];
  });
}

/** `"bob` and `API_KEYS=alice`: text before a pair becomes a part of the user. */
function problemOfUser(user: string): KeyProblem | undefined {
  const what = /^["'`\u2018\u201c[{(<]|["'`\u2019\u201d]$/.test(user)
    ? 'has a quote or a bracket at its user'
    : /=/.test(user)
      ? 'has NAME= in front of its user'
      : /\p{Cf}/u.test(user)
        ? 'has invisible characters in its user'
        : /^\\[nrt]/.test(user)
          ? `has ${user.slice(0, 2)} in front of its user, as a backslash and a letter`
          : undefined;
  return what === undefined ? undefined : { code: 'more_than_key', what, remedy: pairRemedy };
}

function groupByProblem(keyProblems: readonly ProblemEntry[]): [KeyProblem, string[]][] {
  const groups = new Map<string, [KeyProblem, string[]]>();
  for (const { problem, place } of keyProblems) {
    const group = groups.get(problem.what);
    if (group) group[1].push(place);
    else groups.set(problem.what, [problem, [place]]);
  }
  return [...groups.values()];
}

/** `$FOO`, `$(command)`, `%FOO%`: a key could look like that, and none does. */
const isShellVariable = (text: string) =>
  /^(\$[A-Za-z_]\w{0,63}|\$\([^)]*\)|%[A-Za-z_]\w{0,63}%)$/.test(text);

/**
 * `alice:<key>` although only a key is allowed. A key from elsewhere may have a colon, but hardly
 * a name before it.
 */
function isPair(text: string): boolean {
  const { user, key } = splitPair(text);
  if (!/^[A-Za-z][\w.@+-]{0,63}$/.test(user) || /^sha256$/i.test(user)) return false;
  return parseDigest(key) !== undefined || /^[\w-]{24,}$/.test(key);
}

/** `k;bob:k`: two pairs without a comma between them. A random key hardly looks like that. */
const isJoinedPair = (key: string) => /;\s*[\w.@-]+\s*:/.test(key);

/** Texts long enough to be keys, separated by nothing else. */
const isJoinedKey = (key: string) => /^[^\s;]{32,}(\s*;\s*[^\s;]{32,})+$/.test(key);
