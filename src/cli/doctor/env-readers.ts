import { envFile } from '../environment.js';
import { withoutMarks } from '../env-file/decode.js';
import { findCulprit, findFragile, type OddLine } from '../env-file/odd-lines.js';
import { differingNames, readBoth } from '../env-file/readers.js';
import type { Finding } from '../finding.js';
import type { EnvFile } from './env-file.js';

/** The most variables that are listed by name. */
const maxNamed = 5;

/** A variable that two readers of the file read differently. */
interface Difference {
  readonly name: string;
  /** Counted from 0. */
  readonly index: number;
}

/** Finds what the `.env` holds but not every application will see. */
export function examineReaders(
  { text, wrong }: EnvFile,
  names: readonly string[],
  linesTold: readonly number[],
): Finding[] {
  const findings: Finding[] = [];
  if (wrong) {
    findings.push({
      severity: wrong.isWhole ? 'error' : 'warning',
      code: 'wrong_encoding',
      message:
        `.env is ${wrong.what}: ` +
        `${wrong.isWhole ? 'nothing reads it' : 'what is read has other characters there'}.`,
      remedy: wrong.remedy,
    });
    if (wrong.isWhole) return findings;
  }
  const differences = findDifferences(text).filter(({ index }) => !linesTold.includes(index + 1));
  for (const { culprit, differing } of byCulprit(text, differences)) {
    const isRead = differing.some(({ name }) => names.includes(name));
    const { line, what, remedy, isByteOrderMark } = culprit;
    findings.push({
      severity: isRead ? 'error' : 'warning',
      code: isByteOrderMark ? 'byte_order_mark' : 'readers_differ',
      message:
        `line ${line} of .env ${what}: node --env-file and dotenv read ${list(differing, names)} ` +
        'differently.',
      remedy,
    });
  }
  for (const name of differences.length > 0 ? [] : names) {
    const fragile = findFragile(text, name, envFile);
    if (!fragile) continue;
    findings.push({
      severity: 'note',
      code: 'fragile_line',
      message:
        `line ${fragile.line} of .env ${fragile.what}: some releases of Node then read ${name} ` +
        'on the next line differently.',
      remedy: fragile.remedy,
    });
  }
  const hasMark = findings.some(({ code }) => code === 'byte_order_mark');
  if (text.startsWith('\uFEFF') && !hasMark) {
    findings.push({
      severity: 'warning',
      code: 'byte_order_mark',
      message:
        '.env begins with a byte order mark: node --env-file would take it for a part of a name.',
      remedy: withoutMarks(envFile),
    });
  }
  return findings;
}

function findDifferences(text: string): Difference[] {
  const lines = text.split('\n');
  const found = differingNames(text).flatMap((written) => {
    // Node 20 reads a comment at the very end as a name.
    if (written.startsWith('#')) return [];
    // What a reader takes for a name may hold the value of another.
    const [name] = /[\w.-]+$/.exec(written.trimEnd()) ?? [];
    if (name === undefined) return [];
    const escaped = name.replaceAll('.', String.raw`\.`);
    const start = new RegExp(String.raw`(?:^|[\s\uFEFF])${escaped}\s*[=:]`);
    const index = lines.findIndex((line) => start.test(line));
    return [{ name, index: Math.max(index, 0) }];
  });
  const byName = new Map(found.map((each) => [each.name, each]));
  return [...byName.values()].toSorted((a, b) => a.index - b.index);
}

function byCulprit(
  text: string,
  differences: readonly Difference[],
): { culprit: OddLine; differing: Difference[] }[] {
  const groups = new Map<number, { culprit: OddLine; differing: Difference[] }>();
  for (const difference of differences) {
    const { name, index } = difference;
    const culprit = findCulprit(text, index, envFile, (rest) => {
      const [node, dotenv] = readBoth(rest);
      return dotenv.has(name) && node.get(name) === dotenv.get(name);
    }) ?? {
      line: index + 1,
      what: 'can be read in two ways',
      remedy: 'write it as NAME=<value>, and put what is odd into quotes',
    };
    const group = groups.get(culprit.line);
    if (group) group.differing.push(difference);
    else groups.set(culprit.line, { culprit, differing: [difference] });
  }
  return [...groups.values()];
}

/** Lists names, and line numbers for what may be a part of a value. */
function list(differing: readonly Difference[], names: readonly string[]): string {
  const words = differing
    .slice(0, maxNamed)
    .map(({ name, index }) =>
      names.includes(name) || /^[A-Z_][A-Z0-9_]{0,63}$/.test(name)
        ? `${name} (line ${index + 1})`
        : `a variable (line ${index + 1})`,
    );
  const rest = differing.length - words.length;
  return words.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
