import { commandOn } from '../paste-line.js';
import { DatabaseFailure } from '../failure.js';
import type { DatabaseOptions } from './database-options.js';

/**
 * What to say of a file that cannot be used, or `undefined` if the error is no fault of the file.
 */
export function describeSqliteError(
  error: unknown,
  options: DatabaseOptions,
): DatabaseFailure | undefined {
  if (!(error instanceof Error) || error instanceof TypeError) return undefined;
  if (!error.message.startsWith('SqliteKeyStore: ')) return undefined;
  // The store names its own method, which nobody can call from here.
  const said = error.message
    .replace(/^SqliteKeyStore: /, '')
    .replace('run migrate()', () => `run ${commandOn(options, 'migrate')}`);
  return new DatabaseFailure(said, undefined, { cause: error });
}
