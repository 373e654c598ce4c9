import { parseKeyPairs } from '../../sources/key-entries.js';
import { listKeys } from '../../sources/key-table.js';
import { findCulprit } from '../env-file/odd-lines.js';
import { readBoth, type Values } from '../env-file/readers.js';
import { Failure } from '../failure.js';
import { programName } from '../paste-line.js';

/** The place of a key in a `.env`. */
export interface EnvPlace {
  /** The variable. */
  readonly name: string;
  /** The user of the key, if the variable holds `user:key` pairs. */
  readonly user?: string;
  /** The file, for messages. */
  readonly file: string;
}

/** A key as it stands in the value of its variable. */
export const entryOf = (user: string | undefined, key: string): string =>
  user === undefined ? key : `${user}:${key}`;

/**
 * Adds one key to the text of a `.env`, on the line of its variable or on a new one at the end.
 * Every other byte stays.
 *
 * @throws {Failure} if that would replace a key, or if an application would not find the key or
 *   would read anything else differently
 */
export function addEntry(text: string, place: EnvPlace, key: string): string {
  const added = tryToAdd(text, place, key);
  // The tools and authors of such files know more forms than these rules.
  if (added !== undefined && holdsOneMore(text, added, place, key)) return added;
  throw new Failure(
    `${place.file} is written in a way that cannot be added to safely: ` +
      adviceOn(text, place, key),
  );
}

function tryToAdd(text: string, place: EnvPlace, key: string): string | undefined {
  const { name, user } = place;
  const value = readBoth(text)[1].get(name);
  return value === undefined
    ? withLine(text, `${name}=${entryOf(user, key)}`)
    : withEntry(text, place, value, entryOf(user, key));
}

/** Which line to mend. */
function adviceOn(text: string, place: EnvPlace, key: string): string {
  const [start] = startsOf(text, place.name);
  const culprit = findCulprit(
    text,
    text.slice(0, start).split('\n').length - 1,
    place.file,
    (rest) => {
      const [node, dotenv] = readBoth(rest);
      // Without the line of the variable itself the key could always be added.
      if (start !== undefined && !dotenv.has(place.name) && !node.has(place.name)) return false;
      try {
        const added = tryToAdd(rest, place, key);
        return added !== undefined && holdsOneMore(rest, added, place, key);
      } catch {
        return false;
      }
    },
  );
  const mend = culprit && `line ${culprit.line} ${culprit.what}: ${culprit.remedy}`;
  const isSet = readBoth(text)[1].has(place.name);
  if (mend === undefined || isSet) {
    return `add the key by hand, ${handMade(place)}${mend === undefined ? '' : `; ${mend}`}`;
  }
  return mend;
}

function withLine(text: string, line: string): string {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  return `${text}${text === '' || text.endsWith('\n') ? '' : end}${line}${end}`;
}

function withEntry(
  text: string,
  place: EnvPlace,
  value: string,
  entry: string,
): string | undefined {
  const starts = startsOf(text, place.name);
  const [start] = starts;
  if (start === undefined) return undefined;
  const lines = starts.map((each) => text.slice(0, each).split('\n').length);
  if (starts.length > 1) {
    throw new Failure(
      `${place.file} sets ${place.name} on lines ${lines.join(' and ')}, and only the last one ` +
        'counts: make one line of them first',
    );
  }
  if (value.trim() !== '') assertRoom(place, value, `on line ${lines[0]}`);
  const [from, written] = valueAt(text, start) ?? [];
  if (from === undefined || written === undefined) return undefined;
  const kept = written.trimEnd();
  const comma = kept === '' || kept.endsWith(',') ? '' : ',';
  const end = from + kept.length;
  return `${text.slice(0, end)}${comma}${entry}${text.slice(end)}`;
}

/** Where values of the variable begin. */
const startsOf = (text: string, name: string) =>
  [
    ...text.matchAll(new RegExp(String.raw`^[ \t\uFEFF]*(?:export[ \t]+)?${name}[ \t]*=`, 'gm')),
  ].map((match) => match.index + match[0].length);

/**
 * The start of the value, after its quote if it has one, and the text up to the other quote, a
 * comment or the end.
 */
function valueAt(text: string, start: number): [from: number, written: string] | undefined {
  const rest = text.slice(start);
  const [opening, quote] = /^[ \t]*(["'`])/.exec(rest) ?? [];
  if (opening === undefined || quote === undefined) {
    const [written = ''] = /^[^#\r\n]*/.exec(rest) ?? [];
    // Whether a # after a letter begins a comment depends on the tool.
    const isCut = rest[written.length] === '#' && /\S$/.test(written);
    return isCut ? undefined : [start, written];
  }
  const inside = rest.slice(opening.length);
  const end = inside.search(new RegExp(String.raw`${quote}[ \t]*(?:#.*)?\r?$`, 'm'));
  return end === -1 ? undefined : [start + opening.length, inside.slice(0, end)];
}

/** @throws {Failure} if the variable is set and cannot hold this key besides */
function assertRoom(place: EnvPlace, value: string, where: string): void {
  const { name, user, file } = place;
  const pairs = parseKeyPairs(value);
  const [problem] = listKeys(pairs, 'examined').problems;
  if (user === undefined) {
    const isList = pairs.length > 0 && problem === undefined;
    const advice = isList ? '; or give --user <user> to add to its list' : '';
    throw new Failure(
      `${file} sets ${name} already, ${where}: to change the key, ` +
        `${handMade(place, '<old key>')}${advice}`,
    );
  }
  if (problem !== undefined) {
    throw new Failure(
      `${name} in ${file}, ${where}, is no sound list of user:key (${problem.message}): fix it ` +
        `first, see ${programName} doctor --list-variable ${name}`,
    );
  }
  if (pairs.some((pair) => pair.user === user)) {
    throw new Failure(
      `${user} has a key in ${name} of ${file} already, ${where}: to change it, ` +
        handMade(place, `${user}:<old key>`),
    );
  }
}

/** How to do it by hand. With an old entry, both keys work while clients switch. */
function handMade({ name, user }: EnvPlace, old?: string): string {
  const made = `make one with ${programName} generate --out <file>`;
  const entry = entryOf(user, '<new key>');
  return old === undefined
    ? `${made}, and write it as ${name}=${entry}`
    : `${made}, write ${entry},${old} there by hand, and remove the old key when nobody uses ` +
        'it any more';
}

/** Whether each reader reads the file as before, but for the one key more. */
function holdsOneMore(before: string, after: string, place: EnvPlace, key: string): boolean {
  const texts = [readBoth(before), readBoth(after)] as const;
  return [0, 1].every((reader) => isOneMore(texts[0][reader]!, texts[1][reader]!, place, key));
}

function isOneMore(before: Values, after: Values, { name, user }: EnvPlace, key: string): boolean {
  const others = (values: Values) =>
    [...values]
      .filter(([each]) => each !== name)
      .map((pair) => JSON.stringify(pair))
      .toSorted();
  if (!isSame(others(before), others(after))) return false;
  const [old = '', value = ''] = [before.get(name), after.get(name)];
  if (user === undefined) return old.trim() === '' && value === key;
  const entriesIn = (list: string) => parseKeyPairs(list).map((pair) => [pair.user, pair.key]);
  return isSame(entriesIn(value), [...entriesIn(old), [user, key]]);
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
