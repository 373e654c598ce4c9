import { findDatabaseUrl, withKeys, type DatabaseOptions } from '../database.js';
import { Failure } from '../failure.js';
import { describeState } from '../schema-state.js';
import type { Finding } from './finding.js';
import { examineKeys } from './keys.js';

/** What is wrong with the database that is named, if one is. */
export async function examineDatabase(options: DatabaseOptions): Promise<Finding[]> {
  if (findDatabaseUrl(options) === undefined) {
    return [
      { severity: 'note', code: 'no_database', message: 'No database is named: DATABASE_URL is not set.' },
    ];
  }
  try {
    return await withKeys(options, async (keys, store) => {
      const problem = describeState(await store.inspect(), options);
      if (!problem) return examineKeys(keys, options, new Date());
      const { code, message, remedy } = problem;
      return [
        { severity: 'error', code, message: `${message[0]!.toUpperCase()}${message.slice(1)}.`, remedy },
      ];
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { exitCode, message, cause } = error;
    const isWrongUrl = exitCode === 2;
    const name = options.database === undefined ? 'DATABASE_URL' : '--database';
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND') {
      return [
        {
          severity: 'error',
          code: 'missing_pg',
          message: 'The package "pg" is not installed.',
          remedy: 'npm install pg',
        },
      ];
    }
    return [
      {
        severity: 'error',
        code: isWrongUrl ? 'wrong_database_url' : 'unreachable_database',
        message: `${message[0]!.toUpperCase()}${message.slice(1)}`,
        remedy: isWrongUrl
          ? `mend ${name}`
          : `check ${name}, and that the server runs and lets this machine in`,
      },
    ];
  }
}
