import {
  findDatabaseUrl,
  requireDatabaseUrl,
  type DatabaseOptions,
} from '../database/database-options.js';
import { isFileUrl } from '../database/database-url.js';
import { withKeys, type DatabaseStore } from '../database/open-database.js';
import { describeState } from '../database/schema-state.js';
import { DatabaseFailure, Failure, Misuse } from '../failure.js';
import type { Finding } from '../finding.js';
import { sentence } from '../terminal/output.js';
import { examineKeys } from './keys.js';
import { examineListening } from './listening.js';
import { examineRights } from './rights.js';
import { examineServer } from './server.js';
import { examineFile } from './sqlite-file.js';

const noDatabase: Finding = {
  severity: 'note',
  code: 'no_database',
  message: 'No database was checked: DATABASE_URL is not set.',
};

const missingPg: Finding = {
  severity: 'error',
  code: 'missing_pg',
  message: 'The package "pg" is not installed.',
  remedy: 'npm install pg',
};

/** Finds what is wrong with the database, if one is named. */
export async function examineDatabase(options: DatabaseOptions): Promise<Finding[]> {
  const url = findDatabaseUrl(options);
  if (url === undefined) return [noDatabase];
  try {
    return isFileUrl(url) ? await examineSqlite(options) : await examineTables(options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [explain(error, options)];
  }
}

async function examineSqlite(options: DatabaseOptions): Promise<Finding[]> {
  const inFile = await examineFile(requireDatabaseUrl(options), options);
  const isUsable = inFile.every(({ severity }) => severity !== 'error');
  return isUsable ? [...inFile, ...(await examineTables(options))] : inFile;
}

async function examineTables(options: DatabaseOptions): Promise<Finding[]> {
  return withKeys(options, async (keys, store) => {
    const inspection = await store.inspect().catch(async (error: unknown) => {
      // The role cannot read or see the table of migrations. The set-up says more than the error.
      if (await isKeptFromSeeing(store)) return { state: 'ready' as const, version: 0 };
      throw error;
    });
    const problem = describeState(inspection, options);
    const findings: Finding[] = [];
    if (problem) {
      const { code, message, remedy } = problem;
      findings.push({ severity: 'error', code, message: sentence(message), remedy });
      if (inspection.state !== 'disarmed') return findings;
    }
    const setUp = 'diagnose' in store ? await store.diagnose() : undefined;
    if (setUp) {
      findings.push(...examineServer(setUp), ...examineRights(setUp, options));
    }
    if (findings.some(({ severity }) => severity === 'error')) return findings;
    if (setUp && 'diagnose' in store)
      findings.push(...(await examineListening(store, setUp, requireDatabaseUrl(options))));
    return [...findings, ...(await examineKeys(keys, options, new Date()))];
  });
}

async function isKeptFromSeeing(store: DatabaseStore): Promise<boolean> {
  if (!('diagnose' in store)) return false;
  const { hidden, missingRights } = await store.diagnose();
  return hidden.length + missingRights.length > 0;
}

function explain(failure: Failure, options: DatabaseOptions): Finding {
  const name = options.database === undefined ? 'DATABASE_URL' : '--database';
  const { cause } = failure;
  if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')
    return missingPg;
  if (failure instanceof DatabaseFailure && failure.remedy !== undefined) {
    const { what, remedy } = failure;
    return { severity: 'error', code: 'unreachable_database', message: sentence(what), remedy };
  }
  const message = sentence(failure.message);
  return failure instanceof Misuse
    ? { severity: 'error', code: 'wrong_database_url', message, remedy: `fix ${name}` }
    : {
        severity: 'error',
        code: 'unreachable_database',
        message,
        remedy: isFileUrl(findDatabaseUrl(options))
          ? `check ${name}`
          : `check ${name}, and that the server runs and accepts connections from this machine`,
      };
}
