import { fstatSync } from 'node:fs';
import { maskKeys } from '../../lib/mask.js';
import { Failure } from '../failure.js';

/**
 * Prints words for a person on stderr, keys in them masked. Passwords and other secrets must be
 * hidden with `mask` before.
 */
export function say(text: string): void {
  const lines = maskKeys(text).split('\n').map(plain);
  process.stderr.write(`${lines.join('\n')}\n`);
}

/**
 * Prints the answer on stdout, with a last newline. A reader that stops early (`| head`) has seen
 * enough.
 */
export async function print(text: string): Promise<void> {
  const error = await write(`${text}\n`);
  if (error && error.code !== 'EPIPE') throw unwritable(error);
}

export async function printJson(value: unknown): Promise<void> {
  await print(toJson(value));
}

/** JSON without control and direction characters, which a terminal would obey. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Prints a secret, which cannot be printed a second time. If it cannot be written, it is lost.
 *
 * @param remedy what to do about a secret that was made and lost
 */
export async function printSecret(
  text: string,
  remedy: string,
  what: 'key' | 'link' = 'key',
): Promise<void> {
  const error = await write(`${text}\n`);
  if (error) throw unwritable(error, `; the ${what} is lost: ${remedy}`);
  if (process.stdout.isTTY) {
    say(
      `Warning: the ${what} is shown on your terminal, which may be recorded; next time write ` +
        'it into a file: --out <file>.',
    );
  } else if (isOpenFile()) {
    say(
      'Warning: other users of this machine can read the file: chmod 600 it, and next time use ' +
        '--out <file>.',
    );
  }
}

function isOpenFile(): boolean {
  // Windows has no such bits.
  if (process.platform === 'win32') return false;
  try {
    const stat = fstatSync(1);
    return stat.isFile() && (stat.mode & 0o077) !== 0;
  } catch {
    return false;
  }
}

function write(text: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    try {
      process.stdout.write(text, (error) => resolve(error ?? undefined));
    } catch (error) {
      // Files are written at once, and throw.
      resolve(error as NodeJS.ErrnoException);
    }
  });
}

function unwritable(error: NodeJS.ErrnoException, consequence = ''): Failure {
  const why =
    error.code === 'ENOSPC'
      ? 'the disk is full'
      : error.code === 'EPIPE'
        ? 'nothing reads it'
        : error.code;
  return new Failure(`cannot write to standard output: ${why}${consequence}`, { cause: error });
}

/**
 * Makes one safe line of text from elsewhere: nothing that moves the cursor, forges a line or
 * reverses the direction of writing.
 */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?');
}

/** A number with its noun: `1 key`, `2 keys`. */
export const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? '' : 's'}`;

/** A problem as a sentence of its own. */
export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
