import type { PostgresKeyStore } from '../../stores/postgres/postgres-key-store.js';
import { Failure } from '../failure.js';
import { networkReasons } from '../network-reasons.js';
import type { DatabaseOptions } from './database-options.js';
import { describeState } from './schema-state.js';

interface Circumstances {
  readonly store: PostgresKeyStore;
  readonly place: string;
  readonly options: DatabaseOptions;
}

const reasons: Readonly<Record<string, string>> = {
  ...networkReasons,
  ENOENT: 'there is no such socket',
  '28P01': 'the user or the password is wrong',
  '28000': 'the user may not log in',
  '3D000': 'there is no database of this name',
  '53300': 'it has no free connection',
  '57P03': 'it is starting up; try again in a minute',
};

/** SQLSTATEs of tables and columns that are not there. */
const notMigrated = new Set(['42P01', '42703', '3F000', '42P10', '42883']);

/** What to say of a failed statement, or `undefined` where the error is no fault of the database. */
export async function describeDatabaseError(
  error: unknown,
  { store, place, options }: Circumstances,
): Promise<Failure | undefined> {
  if (!(error instanceof Error) || !error.message.startsWith('PostgresKeyStore: '))
    return undefined;
  if (error instanceof TypeError) return undefined;
  const code = codeOf(error);
  const why = reasons[code];
  if (why !== undefined) {
    return new Failure(`the database${place === '' ? '' : ` ${place}`} cannot be used: ${why}`, {
      cause: error,
    });
  }
  if (notMigrated.has(code)) {
    const inspection = await store.inspect().catch(() => undefined);
    const problem = inspection && describeState(inspection, options);
    if (problem) return new Failure(`${problem.message}: ${problem.remedy}`, { cause: error });
  }
  return new Failure(error.message.replace(/^PostgresKeyStore: /, ''), { cause: error });
}

/** The system's code, or the SQLSTATE, of the error or of what caused it; empty where there is none. */
function codeOf(error: Error): string {
  for (const each of [error, error.cause]) {
    const { code } = (each ?? {}) as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return isTimeout(error.message) ? 'ETIMEDOUT' : '';
}

/** `pg` gives the errors of a connection that does not come in time no code. */
const isTimeout = (message: string) => /timeout exceeded|connection timeout/i.test(message);
