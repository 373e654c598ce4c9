import type { PostgresKeyStore } from '../stores/postgres/postgres-key-store.js';
import type { DatabaseOptions } from './database.js';
import { Failure } from './failure.js';
import { describeState } from './schema-state.js';

interface Circumstances {
  readonly store: PostgresKeyStore;
  readonly place: string;
  readonly options: DatabaseOptions;
}

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused; is the server running?',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'there was no answer in time',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  ECONNRESET: 'the connection was cut',
  ENOENT: 'there is no such socket',
  '28P01': 'the user or the password is wrong',
  '28000': 'the user may not log in',
  '3D000': 'there is no such database',
  '53300': 'it has no connection left',
  '57P03': 'it is starting up',
};

/** SQLSTATEs of tables and columns that are not there. */
const notMigrated = new Set(['42P01', '42703', '3F000', '42P10', '42883']);

/** What to say of a failed statement, or `undefined` where the error is no fault of the database. */
export async function describeDatabaseError(
  error: unknown,
  { store, place, options }: Circumstances,
): Promise<Failure | undefined> {
  if (!(error instanceof Error) || !error.message.startsWith('PostgresKeyStore: ')) return undefined;
  if (error instanceof TypeError) return undefined;
  const { code } = (error.cause ?? {}) as { code?: string };
  const why = unreachable[code ?? ''] ?? (isTimeout(error.message) ? unreachable['ETIMEDOUT'] : undefined);
  if (why !== undefined) {
    return new Failure(`the database${place === '' ? '' : ` ${place}`} cannot be used: ${why}`, {
      cause: error,
    });
  }
  if (notMigrated.has(code ?? '')) {
    const inspection = await store.inspect().catch(() => undefined);
    const problem = inspection && describeState(inspection, options);
    if (problem) return new Failure(`${problem.message}: ${problem.remedy}`, { cause: error });
  }
  return new Failure(error.message.replace(/^PostgresKeyStore: /, ''), { cause: error });
}

/** Neither `pg` nor the store give these errors a code. */
const isTimeout = (message: string) => /no answer within|timeout exceeded|connection timeout/i.test(message);
