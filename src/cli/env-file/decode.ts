import { quote } from '../paste-line.js';

/** Why a file is not UTF-8, which all its readers expect. */
interface WrongEncoding {
  /** Completes "it is ...". */
  readonly what: string;
  /** A line to paste, in any shell. */
  readonly remedy: string;
  /** Whether no line of it can be read. */
  readonly isWhole: boolean;
}

/** The text of a `.env` as it was meant. */
export interface DecodedEnv {
  readonly text: string;
  readonly wrong?: WrongEncoding;
}

/**
 * Decodes strictly, and says what the file is if it is not UTF-8. Keeps a byte order mark of
 * UTF-8.
 */
export function decodeEnv(bytes: Buffer, file: string): DecodedEnv {
  const wide = wideEncodingOf(bytes);
  if (wide !== undefined) {
    const what = `not UTF-8 text, but ${wide.toUpperCase().slice(0, 6)}`;
    const remedy = rewrite(file, `new TextDecoder('${wide}').decode(b)`);
    return { text: new TextDecoder(wide).decode(bytes), wrong: { what, remedy, isWhole: true } };
  }
  if (bytes.includes(0)) {
    const what =
      `not UTF-8 text from line ${lineWhere(bytes, (line) => line.includes(0))} on: every other ` +
      'byte is NUL, as if UTF-16 was added to it';
    const remedy = rewrite(file, String.raw`b.toString().replaceAll('\0','')`);
    const text = bytes.toString('utf8').replaceAll('\0', '');
    return { text, wrong: { what, remedy, isWhole: true } };
  }
  if (isUtf8(bytes)) return { text: bytes.toString('utf8') };
  const line = lineWhere(bytes, (each) => !isUtf8(each));
  const what =
    `not UTF-8 text on line ${line}, but Windows-1252, or another encoding of one byte a ` +
    'character';
  const remedy = rewrite(file, "new TextDecoder('windows-1252').decode(b)");
  return { text: bytes.toString('utf8'), wrong: { what, remedy, isWhole: false } };
}

/** The command that removes byte order marks from the file. */
export const withoutMarks = (file: string) =>
  rewrite(file, String.raw`b.toString().replaceAll('\ufeff','')`);

/** The command that ends the file's lines with line feeds. */
export const withLineFeeds = (file: string) =>
  rewrite(file, String.raw`b.toString().replace(/\r\n?/g,'\n')`);

/**
 * Works in place, so that mode and owner stay. Has no `$`, `!`, backtick or double quote inside,
 * so sh, cmd and PowerShell read it alike.
 */
function rewrite(file: string, expression: string): string {
  const path = file.replaceAll('\\', '/');
  const name = quote(path) === path ? path : '<file>';
  return (
    `node -e "const fs=require('fs'),b=fs.readFileSync('${name}');` +
    `fs.writeFileSync('${name}',${expression})"`
  );
}

function wideEncodingOf(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (!bytes.includes(0)) return undefined;
  // Without a mark: in UTF-16 nearly every other byte of a `.env` is NUL, always on the same side.
  const zeros = [0, 0];
  for (const [index, byte] of bytes.entries()) if (byte === 0) zeros[index % 2]!++;
  const [even = 0, odd = 0] = zeros;
  if (Math.max(even, odd) < bytes.length * 0.4) return undefined;
  return odd > even ? 'utf-16le' : 'utf-16be';
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The number of the first line for which `holds` is true, counted from 1. */
function lineWhere(bytes: Buffer, holds: (line: Buffer) => boolean): number {
  let start = 0;
  for (let number = 1; ; number++) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1 || holds(bytes.subarray(start, end))) return number;
    start = end + 1;
  }
}
