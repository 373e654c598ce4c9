import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Identity } from './identity.js';
import { partOf } from './part.js';

/** Nothing of this environment, where a `PGDATA` or `PGPORT` might have its say. */
export const serverEnv = { PATH: process.env['PATH'], LC_ALL: 'C' };

const initdbOptions = [
  '--username=postgres',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
];

/** The superuser's password: random, made once. */
export function passwordIn(folder: string): string {
  const path = join(folder, 'password');
  const part = partOf(path);
  writeFileSync(part, randomBytes(24).toString('base64url'), { mode: 0o600 });
  try {
    // Unlike `rename` it leaves the one that is there, which the data was made with.
    linkSync(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(part);
  }
  return readFileSync(path, 'utf8');
}

/** Makes the data of a new server where there is none yet. */
export async function ensureData(
  data: string,
  password: string,
  programs: string,
  identity: Identity,
): Promise<void> {
  if (existsSync(data)) return;
  const part = partOf(data);
  const passwordFile = `${part}.password`;
  try {
    mkdirSync(part, { mode: 0o700 });
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (identity.uid !== undefined) {
      for (const path of [part, passwordFile]) chownSync(path, identity.uid, identity.gid!);
    }
    const files = ['--pgdata', part, '--pwfile', passwordFile];
    const options = { ...identity, cwd: '/', env: serverEnv };
    await promisify(execFile)(join(programs, 'initdb'), [...files, ...initdbOptions], options);
    renameSync(part, data);
  } catch (cause) {
    // Another start was quicker.
    if (existsSync(data)) return;
    throw new Error(`PostgreSQL's data cannot be made: ${reasonOf(cause)}`, { cause });
  } finally {
    for (const path of [part, passwordFile]) rmSync(path, { recursive: true, force: true });
  }
}

function reasonOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string };
  return /error: (.*)/.exec(stderr)?.[1] ?? message;
}
