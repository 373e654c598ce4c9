import { Failure } from '../failure.js';
import { mask } from '../secrets.js';

/** Words for a human, on stderr. */
export function say(text: string): void {
  process.stderr.write(`${mask(text)}\n`);
}

/** The answer, on stdout. Whoever stops reading it early (`| head`) has seen enough. */
export async function print(text: string): Promise<void> {
  const error = await write(`${text}\n`);
  if (error && error.code !== 'EPIPE') throw unwritable(error);
}

export async function printJson(value: unknown): Promise<void> {
  await print(JSON.stringify(value, null, 2));
}

/**
 * A secret, which nobody can print a second time: what cannot be written is lost, also where nobody reads it.
 *
 * @param remedy what to do about a key that was made and is lost
 */
export async function printSecret(text: string, remedy: string): Promise<void> {
  const error = await write(`${text}\n`);
  if (error) throw unwritable(error, `; the key is lost: ${remedy}`);
  if (process.stdout.isTTY) {
    say(
      'Warning: the key stands on your terminal, which scrolls away and may be recorded: keep it with > file.',
    );
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
    error.code === 'ENOSPC' ? 'no space is left' : error.code === 'EPIPE' ? 'nobody reads it' : error.code;
  return new Failure(`standard output cannot be written: ${why}${consequence}`, { cause: error });
}

/** Text of unknown origin without what could move the cursor or forge a line. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');
}
