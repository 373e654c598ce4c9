import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { generateApiKey } from '../../keys/key-format.js';
import { digestApiKey } from '../../keys/digest.js';
import { parseKeyPairs } from '../../sources/key-entries.js';
import { isName } from '../../lib/options.js';
import { mustBeVariableName } from '../../sources/env-key.js';
import { addCommand } from '../command.js';
import { findFragile } from '../env-file/odd-lines.js';
import { readEnvVariables } from '../environment.js';
import { Misuse } from '../failure.js';
import { entryOf } from '../secret/env-entry.js';
import {
  addOutOptions,
  withSecretSink,
  type OpenFile,
  type OutOptions,
} from '../secret/secret-sink.js';
import { reserveEnvFile } from '../secret/reserved-env-file.js';
import { say } from '../terminal/output.js';
import { argumentOf, integerArgument, prefixArgument } from '../values/arguments.js';

interface Options extends OutOptions {
  readonly prefix?: string;
  readonly env?: string;
  readonly user?: string;
  readonly hex?: number;
  readonly base64url?: number;
}

const bytesArgument = integerArgument(16, 256);
/** A user that the list and the tools that read a `.env` take literally. */
const userArgument = argumentOf((text) =>
  isName(text) && !/[\s,:#"'`$\\]/.test(text) && text.toLowerCase() !== 'sha256'
    ? undefined
    : 'a name without blanks, commas, colons, quotes, #, $ and backslashes',
);

export function addGenerate(program: Command): void {
  const command = addCommand(program, 'generate', {
    about: 'Create a key without storing it: the key on stdout or in a file, its digest on stderr.',
    examples: [
      'generate --out partner.key',
      'generate --env INTERNAL_API_KEY --out .env',
      'generate --env API_KEYS --user alice --out .env',
      'generate --hex 32',
    ],
  })
    .option('--prefix <prefix>', 'what the key begins with (default: key)', prefixArgument)
    .option(
      '--env <name>',
      'write a line for a .env file, such as INTERNAL_API_KEY=<key>, instead of the key alone; ' +
        'with --out it is added to that file',
      argumentOf(mustBeVariableName),
    )
    .option('--user <name>', 'with --env: whose key it is, for a list of users', userArgument)
    .addOption(
      new Option('--hex <bytes>', 'a plain secret of this many random bytes, as hexadecimal digits')
        .argParser(bytesArgument)
        .conflicts(['prefix', 'base64url']),
    )
    .addOption(
      new Option('--base64url <bytes>', 'a plain secret of this many random bytes, as base64url')
        .argParser(bytesArgument)
        .conflicts('prefix'),
    );
  addOutOptions(command).action(async (_options: unknown, self: Command) =>
    generate(self.optsWithGlobals<Options>()),
  );
}

async function generate(options: Options): Promise<void> {
  if (options.user !== undefined && options.env === undefined) {
    throw new Misuse('--user needs --env, such as --env API_KEYS');
  }
  const { env: name, user, out } = options;
  const { key, ...made } = make(options);
  const lineOf = (secret: string) =>
    name === undefined ? undefined : `${name}=${entryOf(user, secret)}`;
  const [line, digestLine] = [lineOf(key), lineOf(made.digest)];
  const open = openerOf(options);
  // Before anything is written: `>> .env` adds the line to the file that is inspected.
  const warning = shadowWarning(options);
  await withSecretSink(
    options,
    async (sink) =>
      sink.deliver({
        what: 'key',
        secret: open === undefined ? (line ?? key) : key,
        secretJson: { key, ...(line !== undefined && { line }) },
        json: { ...made, ...(digestLine !== undefined && { digestLine }) },
        remedy: 'generate another',
      }),
    open,
  );
  for (const each of [warning, fragileWarning(options)]) if (each !== undefined) say(each);
  if (options.json) return;
  if (made.keyId !== undefined) say(`Key id:  ${made.keyId}`);
  say(`Digest:  ${made.digest}`);
  if (digestLine === undefined) return;
  say(
    out === undefined
      ? 'For the .env of the server, use this line instead of the one with the key: a leaked ' +
          `digest opens nothing.\n${digestLine}`
      : 'In the .env of the server you can replace the key by its digest: a leaked digest ' +
          `opens nothing.\n${entryOf(user, made.digest)}`,
  );
}

/** How to open the file of `--out` if it is a `.env`, whose other variables stay. */
function openerOf({ env: name, user, out, force }: Options): OpenFile | undefined {
  if (name === undefined || out === undefined) return undefined;
  if (force)
    throw new Misuse(
      '--force does not go with --env: --out adds to a .env, and replaces neither file nor key',
    );
  return (file) => reserveEnvFile({ file, name, ...(user !== undefined && { user }) });
}

/** A second line replaces the first, and locks out holders of its keys. */
function shadowWarning({ env: name, user, out }: Options): string | undefined {
  if (name === undefined || out !== undefined) return undefined;
  const value = readEnvVariables()[name];
  if (value === undefined || value.trim() === '') return undefined;
  const start = user === undefined ? '' : `${user}:`;
  const isForAnother =
    user !== undefined && parseKeyPairs(value).every((entry) => entry.user !== user);
  const advice = isForAnother
    ? `put both on one line, ${name}=<old value>,${start}<new key>, as --out .env does.`
    : `keep one line, ${name}=${start}<new key>,<old value>, and remove the old key when nobody ` +
      'uses it any more.';
  return `Warning: .env sets ${name} already, and of two lines only the last one counts: ${advice}`;
}

/** For a line that this Node reads well and another version may not. */
function fragileWarning({ env: name, out }: Options): string | undefined {
  if (name === undefined || out === undefined) return undefined;
  const fragile = findFragile(readFileSync(out, 'utf8'), name, out);
  if (!fragile) return undefined;
  return (
    `Warning: line ${fragile.line} of ${out} ${fragile.what}, and some releases of Node then ` +
    `read ${name} on the next line differently: ${fragile.remedy}.`
  );
}

function make({ prefix, hex, base64url }: Options): {
  key: string;
  keyId?: string;
  digest: string;
} {
  const bytes = hex ?? base64url;
  if (bytes === undefined) return generateApiKey({ prefix });
  const key = randomBytes(bytes).toString(hex === undefined ? 'base64url' : 'hex');
  return { key, digest: digestApiKey(key) };
}
