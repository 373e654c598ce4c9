import { existsSync, statSync } from 'node:fs';
import { findDriver } from '../../stores/sqlite/open-driver.js';
import { codeOf } from '../../stores/sqlite/sqlite-error.js';
import type { DatabaseOptions } from '../database/database-options.js';
import { placeOf } from '../database/database-url.js';
import type { Finding } from '../finding.js';
import { commandOn, quote } from '../paste-line.js';

/** Hosts that delete files with each deployment, recognized by these variables. */
const ephemeral: Readonly<Record<string, string>> = {
  DYNO: 'Heroku',
  K_SERVICE: 'Cloud Run',
  RENDER: 'Render',
  VERCEL: 'Vercel',
  AWS_LAMBDA_FUNCTION_NAME: 'AWS Lambda',
  FLY_APP_NAME: 'Fly.io',
  RAILWAY_ENVIRONMENT: 'Railway',
};

/** Finds what is wrong with the file of a SQLite database, besides its tables. */
export async function examineFile(url: string, options: DatabaseOptions): Promise<Finding[]> {
  const path = placeOf(url);
  if (!existsSync(path)) {
    return [
      {
        severity: 'error',
        code: 'missing_file',
        message: `There is no file ${path}.`,
        remedy: `check the path, or create the file with ${commandOn(options, 'migrate')}`,
      },
    ];
  }
  return [...examineMode(path), ...(await examinePages(path)), ...examineDisk(path)];
}

function examineMode(path: string): Finding[] {
  if (process.platform === 'win32') return [];
  const files = [path, `${path}-wal`, `${path}-shm`].filter((file) => existsSync(file));
  const open = files.filter((file) => (statSync(file).mode & 0o077) !== 0);
  if (open.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'readable_file',
      message: `Other users of this machine may read ${open.join(', ')}.`,
      remedy: `chmod 600 ${open.map(quote).join(' ')}`,
    },
  ];
}

async function examinePages(path: string): Promise<Finding[]> {
  const open = await findDriver();
  let database: (ReturnType<typeof open> & { close?: () => void }) | undefined;
  try {
    database = open(path);
    const [row] = database.prepare('PRAGMA quick_check(1)').all() as { quick_check?: unknown }[];
    if (row?.quick_check === 'ok') return [];
  } catch (error) {
    // A file that cannot be opened at all is reported by the check of the tables.
    if (codeOf(error) !== 'SQLITE_CORRUPT') return [];
  } finally {
    database?.close?.();
  }
  return [
    {
      severity: 'error',
      code: 'damaged_file',
      message: `The file ${path} is damaged.`,
      remedy: 'stop the application, and restore the file from a backup',
    },
  ];
}

function examineDisk(path: string): Finding[] {
  const variable = Object.keys(ephemeral).find((name) => process.env[name] !== undefined);
  const host = variable === undefined ? 'Some hosts throw' : `${ephemeral[variable]} throws`;
  return [
    {
      severity: variable === undefined ? 'note' : 'warning',
      code: 'ephemeral_disk',
      message: `${host} the local disk away with each deployment, and the keys in ${path} with it.`,
      remedy: 'put the file on a persistent volume, or use PostgreSQL',
    },
  ];
}
