import { InvalidArgumentError, type Command } from 'commander';
import type { ClaimRecord } from '../../stores/claim-store.js';
import { addCommand } from '../command.js';
import { commandOn } from '../paste-line.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { isLoopback } from '../check/call.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { addUserArgument } from '../records/user-argument.js';
import {
  addRecordOptions,
  readRecordOptions,
  type RecordOptions,
} from '../records/record-options.js';
import { rememberSecret } from '../secrets.js';
import { addOutOptions, withSecretSink, type OutOptions } from '../secret/secret-sink.js';
import { plain, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { durationBetween } from '../values/duration.js';

interface Options extends DatabaseOptions, RecordOptions, OutOptions, ChangeFlags {
  readonly linkTtl?: number;
  readonly baseUrl: URL;
}

export function addClaim(program: Command): void {
  const command = addCommand(program, 'claim', {
    about: 'Create a link that gives its user a new key, once. Nobody else sees the key.',
    examples: [
      'claim alice --base-url https://api.example.com/claim --out alice.link',
      'claim alice --scope audio:write --expires 90d --link-ttl 24h --base-url ' +
        'https://api.example.com/claim',
    ],
  });
  addUserArgument(command, '<user>', 'whose key it will be')
    .requiredOption('--base-url <url>', 'the address of the claim page', baseUrlArgument)
    .option(
      '--link-ttl <duration>',
      'how long the link works, 1m to 30d (default: 24h)',
      durationBetween('1m', '30d'),
    );
  addRecordOptions(command);
  addChangeOptions(command);
  addOutOptions(command);
  addDatabaseOptions(command).action(async (user: string, _options: unknown, self: Command) =>
    claim(user, self.optsWithGlobals<Options>()),
  );
}

async function claim(user: string, options: Options): Promise<void> {
  const { linkTtl: claimTtlMs, baseUrl } = options;
  const made = await withSecretSink(options, (sink) =>
    withKeys(options, async (keys) => {
      const { token, claim: link } = await keys.createClaim({
        ...changedBy(options),
        user,
        ...readRecordOptions(options),
        claimTtlMs,
      });
      rememberSecret(token);
      const address = `${baseUrl.href}#${token}`;
      await sink.deliver({
        what: 'link',
        secret: address,
        secretJson: { link: address },
        json: { claim: link },
        remedy: commandOn(options, 'revoke', link.claimId),
        undo: async () => keys.revokeClaim(link.claimId, changedBy(options)).then(() => 'revoked'),
      });
      return link;
    }),
  );
  if (baseUrl.protocol === 'http:' && !isLoopback(baseUrl.hostname)) {
    say(
      'Warning: --base-url is plain HTTP, where others on the network can read the key: use ' +
        'https://.',
    );
  }
  if (!options.json) say(describe(made));
}

function describe({ claimId, user, expiresAt }: ClaimRecord): string {
  return (
    `Created ${claimId} for ${plain(user)}; it works once, until ${formatTime(expiresAt)}. Send ` +
    'the link only to its user. It cannot be shown again.'
  );
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
