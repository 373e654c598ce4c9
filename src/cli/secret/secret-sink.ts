import { InvalidArgumentError, type Command } from 'commander';
import type { GlobalOptions } from '../command.js';
import { Failure, Misuse } from '../failure.js';
import { programName } from '../paste-line.js';
import { onSignals } from '../terminal/interrupt.js';
import { printJson, printSecret, say, toJson } from '../terminal/output.js';
import { reserveFile, type ReservedFile } from './reserved-file.js';

export interface OutOptions extends GlobalOptions {
  readonly out?: string;
  readonly force?: true;
}

/** Opens a file for a secret that is yet to be made. */
export type OpenFile = (file: string) => ReservedFile;

interface NamedFile {
  readonly name: string;
  readonly reserved: ReservedFile;
}

interface Delivery {
  readonly what: 'key' | 'link';
  /** The only text on stdout or in the file. */
  readonly secret: string;
  /** What `--json` prints besides, without secrets. */
  readonly json: object;
  /** The secret fields of `--json`, if no file holds them. */
  readonly secretJson: object;
  /** What to do about a secret that was made and lost. */
  readonly remedy: string;
  /** Undoes the making, if possible. Resolves to the outcome: `revoked`. */
  readonly undo?: () => Promise<string>;
}

/**
 * Secret sink: receives one secret, on standard output or in a file that is open before the
 * secret is made.
 */
export class SecretSink {
  readonly #isJson: boolean;
  readonly #file: NamedFile | undefined;

  constructor({ json }: GlobalOptions, file?: NamedFile) {
    this.#isJson = json ?? false;
    this.#file = file;
  }

  async deliver(delivery: Delivery): Promise<void> {
    if (this.#file) await this.#write(delivery, this.#file);
    else await this.#print(delivery);
  }

  async #print({ what, secret, json, secretJson, remedy }: Delivery): Promise<void> {
    await printSecret(this.#isJson ? toJson({ ...secretJson, ...json }) : secret, remedy, what);
  }

  async #write(
    { what, secret, json, remedy, undo }: Delivery,
    { name, reserved }: NamedFile,
  ): Promise<void> {
    try {
      reserved.commit(`${secret}\n`);
    } catch (error) {
      // Nobody has the secret, and printing it instead could leave it in a log. So the change is
      // undone if possible.
      const fate = await undo?.().catch(() => undefined);
      const consequence =
        fate === undefined
          ? `the ${what} is lost: ${remedy}`
          : `the ${what} is lost and ${fate}: try again`;
      throw new Failure(`${(error as Error).message}; ${consequence}`, { cause: error });
    }
    if (this.#isJson) await printJson({ file: name, ...json });
    else say(`The ${what} is in ${name}, which only you can read.`);
  }
}

export function addOutOptions(command: Command): Command {
  return command
    .option(
      '--out <file>',
      'write it into a new file that only you can read, instead of to stdout',
      fileArgument,
    )
    .option('--force', 'with --out: replace the file if it exists');
}

function fileArgument(text: string): string {
  if (text === '' || text === '-') throw new InvalidArgumentError('Write the name of a file.');
  return text;
}

/**
 * Runs work that makes one secret. If it fails first, the file stays as it was.
 *
 * @param open opens the file of `--out`. Default: a file that holds only the secret
 */
export async function withSecretSink<Result>(
  options: OutOptions,
  work: (sink: SecretSink) => Promise<Result>,
  open: OpenFile = (file) => reserveFile(file, { mayReplace: options.force ?? false }),
): Promise<Result> {
  const { out, force } = options;
  if (out === undefined) {
    if (force) throw new Misuse('--force needs --out <file>');
    return work(new SecretSink(options));
  }
  let file: ReservedFile | undefined;
  const off = onSignals(['SIGHUP', 'SIGINT', 'SIGTERM'], (exitCode) => {
    file?.rollback();
    // The database may have been changed already, and its answer is not awaited.
    say(
      'Interrupted: a key or link may have been created, and it is lost. Look for it with ' +
        `"${programName} list" or "${programName} claims".`,
    );
    process.exit(exitCode);
  });
  try {
    const reserved = open(out);
    file = reserved;
    return await work(new SecretSink(options, { name: out, reserved }));
  } finally {
    off();
    file?.rollback();
  }
}
