import type { Command } from 'commander';
import type { CreateKeyOptions } from '../manager/manager-options.js';
import type { GlobalOptions } from './command.js';
import { jsonObjectArgument, repeated } from './values/arguments.js';
import { expiryArgument } from './values/instant.js';

export interface RecordOptions extends GlobalOptions {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly expires?: Date;
  readonly metadata?: Record<string, unknown>;
}

/** What a new record may hold besides its user. */
export function addRecordOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what its owner calls the key')
    .option('--scope <scope>', 'what it may do; to be given once for each scope', repeated)
    .option(
      '--expires <when>',
      'its end: 90d, or a date, local time without a zone (default: never)',
      expiryArgument,
    )
    .option('--metadata <json>', 'a JSON object for the application', jsonObjectArgument);
}

export function readRecordOptions({
  name,
  scope,
  expires,
  metadata,
}: RecordOptions): Omit<CreateKeyOptions, 'user'> {
  return { name, scopes: scope, expiresAt: expires, metadata };
}
