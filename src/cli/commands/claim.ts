import { InvalidArgumentError, type Command } from 'commander';
import type { ClaimRecord } from '../../stores/claim-store.js';
import { addCommand } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { addRecordOptions, readRecordOptions, type RecordOptions } from '../record-options.js';
import { rememberSecret } from '../secrets.js';
import { printSecret, printSecretJson, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { durationArgument } from '../values/duration.js';

interface Options extends DatabaseOptions, RecordOptions {
  readonly linkTtl?: number;
  readonly baseUrl: URL;
}

export function addClaim(program: Command): void {
  const command = addCommand(program, 'claim', {
    about: 'Make a claim link: its user makes the key by opening it, once, and nobody else sees it.',
    examples: [
      'require-api-key claim alice --base-url https://api.example.com/claim',
      'require-api-key claim alice --scope audio:write --expires 90d --link-ttl 24h --base-url https://api.example.com/claim',
    ],
  })
    .argument('<user>', 'whose key it will be')
    .requiredOption('--base-url <url>', 'where the claim page is mounted', baseUrlArgument)
    .option('--link-ttl <duration>', 'how long the link works, 1m to 30d (default: 24h)', durationArgument);
  addRecordOptions(command);
  addDatabaseOptions(command).action(async (user: string, _options: unknown, self: Command) =>
    claim(user, self.optsWithGlobals<Options>()),
  );
}

async function claim(user: string, options: Options): Promise<void> {
  const { linkTtl: claimTtlMs, baseUrl } = options;
  const made = await withKeys(options, (keys) =>
    keys.createClaim({ user, ...readRecordOptions(options), claimTtlMs }),
  );
  rememberSecret(made.token);
  const link = `${baseUrl.href}#${made.token}`;
  const remedy = `withdraw ${made.claim.claimId} on the desk or with keys.revokeClaim(id)`;
  if (options.json) await printSecretJson({ link, claim: made.claim }, remedy, 'link');
  else await printSecret(link, remedy, 'link');
  if (isPlainHttp(baseUrl)) {
    say(
      'Warning: the claim page is reached over plain HTTP, where others on the way can read the key: use https.',
    );
  }
  if (!options.json) say(describe(made.claim));
}

function describe({ claimId, user, expiresAt }: ClaimRecord): string {
  return `Made ${claimId} for ${user}; it works once, until ${formatTime(expiresAt)}. Send the link to its user alone. It cannot be shown again.`;
}

function baseUrlArgument(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hasLogin = url?.username !== '' || url.password !== '';
  if (!url || !/^https?:$/.test(url.protocol) || text.includes('#') || hasLogin) {
    throw new InvalidArgumentError(
      'Write the address of the claim page, such as https://api.example.com/claim.',
    );
  }
  return url;
}

/** On this machine nobody is on the way. */
function isPlainHttp({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
