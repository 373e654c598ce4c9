import type { PostgresKeyStore } from '../../stores/postgres/postgres-key-store.js';
import { quoteIdentifier } from '../../stores/postgres/quote.js';
import { DatabaseFailure, Failure } from '../failure.js';
import { mask } from '../secrets.js';
import type { DatabaseOptions } from './database-options.js';
import { reasonFor } from './database-reasons.js';
import { missingGrant } from './missing-grant.js';
import { describeState } from './schema-state.js';

interface Circumstances {
  readonly store: PostgresKeyStore;
  readonly place: string;
  readonly options: DatabaseOptions;
  /** Asks for the role that is connected. */
  readonly askRole: () => Promise<string>;
}

/** SQLSTATEs of missing tables and columns. */
const notMigrated = new Set(['42P01', '42703', '3F000', '42P10', '42883']);

/** The message for a failed statement, or `undefined` if the database is not at fault. */
export async function describeDatabaseError(
  error: unknown,
  { store, place, options, askRole }: Circumstances,
): Promise<Failure | undefined> {
  if (!(error instanceof Error) || !error.message.startsWith('PostgresKeyStore: '))
    return undefined;
  if (error instanceof TypeError) return undefined;
  const code = codeOf(error);
  const cause = error.cause instanceof Error ? error.cause : undefined;
  const words = cause?.message ?? error.message;
  const origin = { cause: error };
  const explained = reasonFor({ code, words });
  if (explained) {
    // The reason covers errors of the system. The server's own words are only said here.
    const own = isOfServer(cause) ? ` (the server says: ${oneLine(mask(words))})` : '';
    const name = place === '' ? 'the database' : `the database ${place}`;
    const what = `${name} cannot be used: ${explained.why}${own}`;
    return new DatabaseFailure(what, explained.remedy, origin);
  }
  if (notMigrated.has(code)) {
    const inspection = await store.inspect().catch(() => undefined);
    const problem = inspection && describeState(inspection, options);
    if (problem) return new Failure(`${problem.message}: ${problem.remedy}`, origin);
  }
  const said = mask(error.message.replace(/^PostgresKeyStore: /, ''));
  if (code !== '42501' && code !== 'row_level_security')
    return new DatabaseFailure(said, undefined, origin);
  const role = await askRole().then(quoteIdentifier, () => '<role>');
  return code === '42501'
    ? new DatabaseFailure(said, missingGrant(said, options, role), origin)
    : new DatabaseFailure(
        said.replace('<role>', () => role),
        undefined,
        origin,
      );
}

const isOfServer = (cause: Error | undefined) => cause !== undefined && 'severity' in cause;

const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, ' ');

/** The code of the system, or the SQLSTATE, of the error or its cause. Empty if there is none. */
function codeOf(error: Error): string {
  for (const each of [error, error.cause]) {
    const { code } = (each ?? {}) as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return '';
}
