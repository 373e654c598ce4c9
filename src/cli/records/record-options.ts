import type { Command } from 'commander';
import type { CreateKeyOptions } from '../../manager/key-options.js';
import type { GlobalOptions } from '../command.js';
import { addressesArgument, jsonObjectArgument, scopesArgument } from '../values/arguments.js';
import { expiryArgument } from '../values/instant.js';

export interface RecordOptions extends GlobalOptions {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly expires?: Date | 'never';
  readonly metadata?: Record<string, unknown>;
  readonly address?: readonly string[];
}

/** What a new record may hold besides its user. */
export function addRecordOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what its user calls the key, such as ci')
    .option('--scope <scope>', 'what the key may do; repeat for each scope', scopesArgument)
    .option(
      '--expires <when>',
      'when the key ends: 90d, a date such as 2027-01-31 in local time, or never (the default)',
      expiryArgument,
    )
    .option('--metadata <json>', 'a JSON object for the application', jsonObjectArgument)
    .option(
      '--address <address>',
      'an IP address or block that may use the key, such as 203.0.113.0/24; repeat for each ' +
        '(default: any)',
      addressesArgument,
    );
}

export function readRecordOptions({
  name,
  scope,
  expires,
  metadata,
  address,
}: RecordOptions): Omit<CreateKeyOptions, 'user'> {
  return {
    name,
    scopes: scope,
    expiresAt: expires === 'never' ? undefined : expires,
    metadata,
    allowedAddresses: address,
  };
}
