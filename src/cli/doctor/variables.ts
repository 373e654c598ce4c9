import {
  isReference,
  isUnresolved,
  parseKeyPairs,
  parseKeys,
  type KeyEntry,
} from '../../sources/key-entries.js';
import { listKeys } from '../../sources/key-table.js';
import { describeWeakness } from '../../sources/weakness.js';
import { programName } from '../command-line.js';
import type { Finding, Severity } from './finding.js';

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

/** What is wrong with a variable that is set. */
export function examineVariable(variable: KeyVariable, value: string): Finding[] {
  const { name, isList } = variable;
  const generate = `${programName} generate --env ${name}${isList ? ' --user <user>' : ''}`;
  const findings: Finding[] = [];
  const find = (severity: Severity, code: string, message: string, remedy: string) =>
    findings.push({ severity, code, message: `${name} ${message}.`, remedy });

  if (/^[ \t\u00a0]|[ \t\r\u00a0]$/.test(value)) {
    find('warning', 'padded_variable', 'has blanks around its value', 'take them away');
  }
  const unresolved = isList ? isReference(value.trim()) : isUnresolved(value);
  if (unresolved) {
    const remedy = 'let the tool that starts the app fill it in, or put the key itself there';
    find('error', 'unresolved_reference', 'holds a reference that nothing has filled in', remedy);
  }
  const entries = entriesOf(variable, value);
  const quoted = entries.filter(({ user, key }) => [user, key, `${user}:${key}`].some(isQuoted));
  if (isQuoted(value.trim()) || quoted.length > 0) {
    const places = isQuoted(value.trim()) ? '' : ` (${quoted.map(({ place }) => place).join(', ')})`;
    const remedy = isList
      ? 'take them away: the server takes them for a part of the user or of the key'
      : 'take them away: whoever sends the key without them is refused';
    find('error', 'quoted_variable', `has quotes that are a part of its value${places}`, remedy);
  }
  const isJoined = isList ? isJoinedPair : isJoinedKey;
  const joined = entries.filter(({ key }) => isJoined(key)).map(({ place }) => place);
  if (joined.length > 0) {
    const message = `has a ; between ${isList ? 'entries' : 'keys'} (${joined.join(', ')}), which makes what follows a part of the key`;
    find('error', isList ? 'broken_list' : 'broken_key', message, 'write a comma in place of each ;');
  }
  const { problems, weak } = listKeys(entries, 'examined');
  const unexpanded = entries.filter(({ key }) => isShellVariable(key)).map(({ place }) => place);
  if (unexpanded.length > 0) {
    const remedy =
      'let a shell expand it before the app starts, or put the key itself there: not every tool that reads a .env does so';
    const message = `holds what looks like a variable that nothing has expanded (${unexpanded.join(', ')})`;
    find('error', 'unresolved_reference', message, remedy);
  }
  const isNew = ({ place }: { readonly place: string }) =>
    !unexpanded.includes(place) && !joined.includes(place);
  for (const { message, isShared } of problems.filter(isNew)) {
    const code = isShared ? 'shared_key' : isList ? 'broken_list' : 'broken_key';
    const remedy = isShared
      ? `give each user a key of their own: ${generate}`
      : 'mend it; until then the whole variable is not used, and keys that nothing else knows are answered 503';
    find('error', code, `is not used: ${message}`, remedy);
  }
  for (const { place, weakness } of weak.filter(isNew)) {
    // Told of above.
    if (weakness === 'quoted') continue;
    const message = `holds a key that ${describeWeakness[weakness]} (${place})`;
    find('error', `${weakness}_key`, message, `replace it: ${generate}`);
  }
  return findings;
}

/** Of variables that are not set, where that leaves the app without a key. */
export function examineUnset(
  variables: readonly KeyVariable[],
  environment: Environment,
  { wereNamed, hasDatabase }: { wereNamed: boolean; hasDatabase: boolean },
): Finding[] {
  const unset = variables.filter(({ name }) => environment[name] === undefined);
  const empty = variables.filter(
    ({ name }) => environment[name] !== undefined && !isFilled(environment[name]),
  );
  const isConfigured = hasDatabase || unset.length + empty.length < variables.length;
  const severity = wereNamed || !isConfigured ? 'error' : 'warning';
  const findings: Finding[] = empty.map(({ name, isList }) => ({
    severity,
    code: 'empty_variable',
    message: `${name} is set but empty.`,
    remedy: `fill it, ${programName} generate --env ${name}${isList ? ' --user <user>' : ''}, or take it away`,
  }));
  if (unset.length === 0 || (isConfigured && !wereNamed) || (empty.length > 0 && !wereNamed)) return findings;
  const names = unset.map(({ name }) => name);
  findings.push({
    severity: 'error',
    code: 'unset_variable',
    message: `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not set: requireApiKey() answers 503.`,
    remedy: `${programName} generate --env ${names[0]} >> .env`,
  });
  return findings;
}

/** `$FOO`, `$(command)`, `%FOO%`: a key could look like that, and none does. */
const isShellVariable = (text: string) =>
  /^(\$[A-Za-z_]\w{0,63}|\$\([^)]*\)|%[A-Za-z_]\w{0,63}%)$/.test(text);

/** `k;bob:k`: what is left of two pairs that no comma parts. A key made at random hardly looks so. */
const isJoinedPair = (key: string) => /;\s*[\w.@-]+\s*:/.test(key);

/** Keys long enough to be some, parted by nothing else. */
const isJoinedKey = (key: string) => /^[^\s;]{32,}(\s*;\s*[^\s;]{32,})+$/.test(key);

const isQuoted = (text: string) => /^["'`\u2018\u201c].*["'`\u2019\u201d]$/s.test(text);
