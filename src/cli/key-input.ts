import { createReadStream } from 'node:fs';
import { Failure } from './failure.js';
import { rememberSecret } from './secrets.js';
import { say } from './terminal/output.js';
import { decodeText } from './values/decode-text.js';
import { promptSecret } from './terminal/prompt.js';

const maxLength = 100_000;

/**
 * Reads a key from a file (`-`: standard input) or from standard input, without blanks around it.
 * Empty if there is none.
 */
export async function readKey(keyFile: string | undefined): Promise<string> {
  const isPiped = keyFile === undefined || keyFile === '-';
  const text = isPiped ? await readStandardInput() : await readFile(keyFile, maxLength);
  const key = text.trim();
  if (/[\r\n]/.test(key)) throw new Failure('there is more than one line: give one key alone');
  rememberSecret(key);
  return key;
}

/** The text of a file, or of standard input for `-`. */
export async function readInput(file: string): Promise<string> {
  const limit = Number.POSITIVE_INFINITY;
  return file === '-' ? readAll(process.stdin, limit, 'standard input') : readFile(file, limit);
}

async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) return promptSecret('Key (not shown): ');
  // A pipe that nobody writes into would look like a command that hangs.
  const hint = setTimeout(
    () => say('Waiting for a key on standard input (Ctrl-C to stop).'),
    3_000,
  );
  try {
    return await readAll(process.stdin, maxLength, 'standard input');
  } finally {
    clearTimeout(hint);
  }
}

async function readAll(
  stream: AsyncIterable<unknown>,
  limit: number,
  name: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw new Failure(`${name} is longer than any key`);
    chunks.push(chunk);
  }
  return decodeText(Buffer.concat(chunks), name);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'you may not read it',
  EISDIR: 'it is a folder',
};

async function readFile(file: string, limit: number): Promise<string> {
  try {
    return await readAll(createReadStream(file), limit, file);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new Failure(`${file} cannot be read: ${reasons[code] ?? code}`, { cause: error });
  }
}
