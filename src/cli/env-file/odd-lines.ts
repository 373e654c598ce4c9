import { withLineFeeds, withoutMarks } from './decode.js';
import { readBoth } from './readers.js';

/** Why readers of a `.env` differ, and how to write the line instead. Holds no value. */
export interface OddLine {
  /** Counted from 1. */
  readonly line: number;
  /** Completes "line 3 ...". */
  readonly what: string;
  readonly remedy: string;
  readonly isByteOrderMark?: boolean;
}

/** The most lines that are tried. */
const maxTried = 200;

/**
 * Finds the line that makes another be read wrong: the nearest line above whose removal helps,
 * else the line itself, else one below.
 *
 * @param own the line that is read wrong, counted from 0. The number of lines for one at the end
 * @param isGood whether a text without a line is read well
 */
export function findCulprit(
  text: string,
  own: number,
  file: string,
  isGood: (text: string) => boolean,
): OddLine | undefined {
  const lines = text.split('\n');
  const isToBlame = (index: number) => isGood(lines.toSpliced(index, 1).join('\n'));
  const above = range(own - 1, Math.max(own - maxTried, 0), -1).find(isToBlame);
  const culprit = above ?? (own < lines.length && describe(lines[own]!, file) ? own : undefined);
  const blamed =
    culprit ?? range(own + 1, Math.min(own + maxTried, lines.length - 1), 1).find(isToBlame);
  if (blamed === undefined) return undefined;
  const found = describe(lines[blamed]!, file) ?? {
    what: 'is read in two ways',
    remedy: 'write it as NAME=<value>, or remove it',
  };
  return { line: blamed + 1, ...found };
}

/**
 * The line before the variable's, if versions of Node differ on it: it has no `=`, or only blanks
 * after it. The running Node may read both lines well, and that of the application may not.
 */
export function findFragile(text: string, name: string, file: string): OddLine | undefined {
  const lines = text.split('\n');
  const assignment = new RegExp(String.raw`^\s*(?:export )?${name}\s*=`);
  const own = lines.findIndex((line) => assignment.test(line));
  const before = lines.slice(0, Math.max(own, 0)).findLastIndex((each) => !/^\s*(#|$)/.test(each));
  const line = lines[before]?.replace(/\r$/, '');
  if (line === undefined) return undefined;
  const [, assigned] = /^\s*(?:export\s+)?([\w.-]+)\s*=\s+$/.exec(line) ?? [];
  if (assigned === undefined && line.includes('=')) return undefined;
  const rest = lines.toSpliced(before, 1).join('\n');
  const others = (of: string) =>
    [...readBoth(of)[1]].filter(([each]) => each !== assigned).join('\n');
  // A line within a quoted value.
  if (others(text) !== others(rest)) return undefined;
  const found = describe(line, file);
  return found && { line: before + 1, ...found };
}

function range(from: number, to: number, step: 1 | -1): number[] {
  return Array.from({ length: Math.max((to - from) * step + 1, 0) }, (_, i) => from + i * step);
}

type Description = Omit<OddLine, 'line'>;

/** What is odd about a line. Only its name is repeated. */
function describe(line: string, file: string): Description | undefined {
  const text = line.replace(/\r$/, '');
  if (/^\s*\uFEFF/.test(text)) {
    const what = 'begins with a byte order mark, which nobody sees';
    return { what, remedy: withoutMarks(file), isByteOrderMark: true };
  }
  if (text.includes('\r')) {
    return { what: 'has line ends of CR alone', remedy: withLineFeeds(file) };
  }
  const trimmed = text.trim();
  if (trimmed.startsWith('#') && trimmed.includes('=')) {
    const what = 'is a comment in which node --env-file sees a variable';
    return { what, remedy: 'end it with a line break, or take the = out of it' };
  }
  if (trimmed === '' || trimmed.startsWith('#')) return undefined;
  const [, name] = /^\s*(?:export\s+)?([A-Z_][A-Z0-9_]{0,63})\s*[=:]/.exec(text) ?? [];
  return describeName(text, name) ?? describeValue(text, name ?? 'NAME');
}

function describeName(text: string, name = 'NAME'): Description | undefined {
  if (/^\s*[\w.-]+\s*:(\s|$)/.test(text)) {
    return { what: 'has a colon where = belongs', remedy: `write ${name}=<value>` };
  }
  if (!text.includes('=')) {
    const remedy = 'remove it, put # in front of it, or close the quote that it belongs to';
    return { what: 'has no =', remedy };
  }
  if (/^\s*export(?! [\w.-])\s/.test(text)) {
    const what = 'has other than one space behind export';
    return { what, remedy: `write export ${name}=<value>` };
  }
  if (!/^\s*(?:export )?[\w.-]+\s*=/.test(text)) {
    const what = 'has other than a name in front of its =';
    return { what, remedy: 'write a name of letters, digits and _, and nothing else there' };
  }
  return undefined;
}

function describeValue(text: string, name: string): Description | undefined {
  const value = text.slice(text.indexOf('=') + 1);
  if (value !== '' && value.trim() === '') {
    return { what: 'has only blanks behind its =', remedy: `write ${name}= without blanks` };
  }
  const [, quote, rest = ''] = /^\s*(["'`])(.*)$/.exec(value) ?? [];
  if (quote !== undefined) {
    const end = rest.indexOf(quote);
    if (end === -1) {
      const remedy = 'close the quote on this line, or remove it';
      return { what: 'opens a quote that it does not close', remedy };
    }
    if (!/^\s*(#.*)?$/.test(rest.slice(end + 1))) {
      const remedy = `put the whole value of ${name} into quotes of a kind that it does not hold`;
      return { what: 'has more behind its closing quote', remedy };
    }
    if (rest[end - 1] === '\\') {
      const remedy = `put the value of ${name} into quotes of another kind`;
      return { what: 'has a backslash in front of its closing quote', remedy };
    }
  }
  if (/^[^\S \t]|[^\S \t]$/.test(value)) {
    return { what: 'has an odd kind of blank around its value', remedy: 'remove it' };
  }
  return undefined;
}
