import { Option, type Command } from 'commander';
import { checkUpdateOptions, type UpdateKeyOptions } from '../../manager/key-options.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { Misuse } from '../failure.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { recordJson } from '../records/key-records.js';
import { explainSuccessor } from '../records/successors.js';
import { explainUnknownKey } from '../records/unknown-id.js';
import { plain, printJson, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { addressesArgument, scopesArgument } from '../values/arguments.js';
import { expiryArgument } from '../values/instant.js';

interface Options extends DatabaseOptions, GlobalOptions, ChangeFlags {
  readonly user?: string;
  readonly name?: string;
  readonly scope?: readonly string[];
  /** `false`: none is to be left. */
  readonly scopes: boolean;
  readonly expires?: Date | 'never';
  readonly address?: readonly string[];
  readonly anyAddress?: true;
}

export function addUpdate(program: Command): void {
  const command = addCommand(program, 'update', {
    about:
      'Change the user, name, scopes, addresses or expiry of a key. The key itself stays as it is.',
    examples: [
      'update key_4fQz81LmBw --scope audio:read --scope audio:write',
      'update key_4fQz81LmBw --name ci --expires 90d',
    ],
  })
    .argument('<keyId>', 'the key id')
    .option('--user <user>', 'hand the key to this user; the key stays the same')
    .option('--name <name>', 'what its user calls the key, such as ci')
    .option(
      '--scope <scope>',
      'what the key may do, in place of its scopes so far; repeat for each scope',
      scopesArgument,
    )
    .addOption(new Option('--no-scopes', 'take all scopes from the key').conflicts('scope'))
    .option(
      '--expires <when>',
      'when the key ends: 90d, a date such as 2027-01-31 in local time, or never',
      expiryArgument,
    );
  command
    .option(
      '--address <address>',
      'an IP address or block that may use the key, in place of those so far; repeat for each',
      addressesArgument,
    )
    .addOption(new Option('--any-address', 'let any address use the key').conflicts('address'));
  addChangeOptions(command);
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    update(keyId, self.optsWithGlobals<Options>()),
  );
}

async function update(keyId: string, options: Options): Promise<void> {
  const { user, name, scope, scopes, expires, address, anyAddress } = options;
  const changes: UpdateKeyOptions = {
    user,
    name,
    scopes: scopes ? scope : [],
    allowedAddresses: anyAddress ? [] : address,
    expiresAt: expires === 'never' ? null : expires,
  };
  if (Object.values(changes).every((change) => change === undefined))
    throw new Misuse(
      'nothing to change: give --user, --name, --scope, --no-scopes, --expires, --address or ' +
        '--any-address',
    );
  checkUpdateOptions(changes);
  const record = await withKeys(options, (keys) =>
    keys
      .update(keyId, { ...changedBy(options), ...changes })
      .catch(explainSuccessor(keys, keyId, 'update that one'))
      .catch(explainUnknownKey(keyId, options)),
  );
  if (options.json) return printJson(recordJson(record));
  const parts = [
    ...(record.name === undefined ? [] : [`name ${record.name}`]),
    record.scopes.length === 0 ? 'no scopes' : `scopes ${record.scopes.join(' ')}`,
    record.expiresAt ? `expires ${formatTime(record.expiresAt)}` : 'never expires',
    ...(record.allowedAddresses ? [`only from ${record.allowedAddresses.join(' ')}`] : []),
    ...(record.revokedAt ? ['revoked for good, which no change undoes'] : []),
  ];
  say(`Updated ${record.keyId} of ${plain(record.user)}: ${parts.map(plain).join(', ')}.`);
}
