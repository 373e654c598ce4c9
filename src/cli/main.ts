import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { Command } from 'commander';
import { addCommands } from './commands/index.js';
import { explainError } from './explain-error.js';
import { Failure } from './failure.js';
import { programName } from './paste-line.js';
import { mask, refuseKeysIn } from './secrets.js';
import { plain, say } from './terminal/output.js';

/** Runs one command line to its end, and sets the exit code: 0 done, 1 failed, 2 misused. */
export async function main(args: readonly string[]): Promise<void> {
  // If a reader is gone (`| head`), the write reports it. Without a listener here, the error would
  // end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // A process that waits for something that never comes ends too. That must not look like success.
  let isDecided = false;
  process.once('exit', () => {
    if (isDecided || process.exitCode) return;
    say('error: it stopped before it finished');
    process.exitCode = 1;
  });
  try {
    refuseKeysIn(args);
    await createProgram(version()).parseAsync([...args], { from: 'user' });
  } catch (error) {
    const { sentence, exitCode } = explainError(error);
    // An error text of the database may have several lines, or look like one of this program's.
    if (sentence !== undefined) say(`error: ${plain(sentence.replaceAll(/\s*\n\s*/g, ' '))}`);
    if (exitCode !== 0 && args.includes('--debug')) say(describeOrigin(error));
    process.exitCode = exitCode;
  } finally {
    isDecided = true;
  }
}

/** The stack of an error, masked except for this program's own sentence. */
function describeOrigin(error: unknown): string {
  const text = inspect(error, { depth: 6 });
  return error instanceof Failure && error.message !== ''
    ? text.split(error.message).map(mask).join(error.message)
    : mask(text);
}

/** The whole command line, not yet run. */
export function createProgram(release = '0'): Command {
  const program = new Command(programName)
    .description('Creates and manages API keys, and finds out why a key does not work.')
    .version(release)
    .option('--json', 'answer in JSON, with times in ISO 8601')
    .option('--debug', 'say where an error comes from, without passwords and keys')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText(
      'after',
      '\nThe database is DATABASE_URL, from the environment or .env, or --database.\n' +
        'Exit code: 0 done, 1 failed, 2 wrong usage.\n\nExample:\n  $ ' +
        `${programName} create alice --out alice.key`,
    );
  addCommands(program);
  return program;
}

/** Out of the package that the running program is a part of. */
function version(): string {
  try {
    const bin = realpathSync(process.argv[1] ?? '');
    const manifest = readFileSync(join(dirname(bin), '../../package.json'), 'utf8');
    return (JSON.parse(manifest) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}
