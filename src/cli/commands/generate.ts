import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import { generateApiKey } from '../../key-format.js';
import { digestApiKey } from '../../lib/digest.js';
import { isName } from '../../lib/options.js';
import { isVariable } from '../../sources/env-key.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { Misuse } from '../failure.js';
import { printSecret, printSecretJson, say } from '../terminal/output.js';
import { checked, integerArgument, prefixArgument } from '../values/arguments.js';

interface Options extends GlobalOptions {
  readonly prefix?: string;
  readonly env?: string;
  readonly user?: string;
  readonly hex?: number;
  readonly base64url?: number;
}

const bytesArgument = integerArgument(16, 256);
/** What the list and the tools that read a `.env` take literally. */
const userArgument = checked((text) =>
  isName(text) === undefined && !/[\s,:#"'`$\\]/.test(text as string) && text !== 'sha256'
    ? undefined
    : 'a name without blanks, commas, colons, quotes, #, $ and backslashes',
);

export function addGenerate(program: Command): void {
  addCommand(program, 'generate', {
    about: 'Make a key without storing it: the key on stdout, its digest beside it on stderr.',
    examples: [
      'require-api-key generate > partner.key',
      'require-api-key generate --env API_KEYS --user alice >> .env',
      'require-api-key generate --hex 32',
    ],
  })
    .option('--prefix <prefix>', 'what the key begins with (default: key)', prefixArgument)
    .option('--env <name>', 'print a line for a .env instead of the key alone', checked(isVariable))
    .option('--user <name>', 'with --env: whose key it is, for a list of users', userArgument)
    .addOption(
      new Option('--hex <bytes>', 'a plain secret of so many random bytes, hexadecimal')
        .argParser(bytesArgument)
        .conflicts(['prefix', 'base64url']),
    )
    .addOption(
      new Option('--base64url <bytes>', 'a plain secret of so many random bytes, base64url')
        .argParser(bytesArgument)
        .conflicts('prefix'),
    )
    .action(async (_options: unknown, command: Command) => generate(command.optsWithGlobals<Options>()));
}

async function generate(options: Options): Promise<void> {
  if (options.user !== undefined && options.env === undefined) {
    throw new Misuse('--user is for a line of a .env: give --env too, such as --env API_KEYS');
  }
  const made = make(options);
  const lineOf = (secret: string) =>
    options.env === undefined
      ? undefined
      : `${options.env}=${options.user === undefined ? '' : `${options.user}:`}${secret}`;
  const [line, digestLine] = [lineOf(made.key), lineOf(made.digest)];
  const remedy = 'make another';
  if (options.json) {
    return printSecretJson({ ...made, ...(line !== undefined && { line, digestLine }) }, remedy);
  }
  await printSecret(line ?? made.key, remedy);
  if (made.keyId !== undefined) say(`Key id:  ${made.keyId}`);
  say(`Digest:  ${made.digest}`);
  if (digestLine !== undefined) {
    say(
      `For the server's .env, in place of the line above, so that a leak of the file opens nothing:\n${digestLine}`,
    );
  }
}

function make({ prefix, hex, base64url }: Options): { key: string; keyId?: string; digest: string } {
  const bytes = hex ?? base64url;
  if (bytes === undefined) return generateApiKey({ prefix });
  const key = randomBytes(bytes).toString(hex === undefined ? 'base64url' : 'hex');
  return { key, digest: digestApiKey(key) };
}
