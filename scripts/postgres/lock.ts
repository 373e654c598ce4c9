import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Identity } from './identity.js';
import { isAlive } from './is-alive.js';

const LOCK = 'postmaster.pid';

/** How long a server may take to notice that its start was killed, and then to end. */
const NOTICE_MS = 1_500;
const STOPPING_MS = 30_000;

/**
 * Waits until no server works on the data.
 *
 * @throws {Error} where one goes on.
 */
export async function untilUnlocked(data: string, identity: Identity): Promise<void> {
  for (let waited = 0; ; waited += 100) {
    const pid = holderOf(data, identity);
    if (pid === undefined) return;
    if (waited >= (isStopping(data) ? STOPPING_MS : NOTICE_MS)) {
      throw new Error(`its server (process ${pid}) works on ${data} already, for another start`);
    }
    await wait(100);
  }
}

function holderOf(data: string, identity: Identity): number | undefined {
  const pid = Number(/^[1-9]\d*\n/.exec(lockOf(data))?.[0]);
  // PostgreSQL itself takes over the lock of a process that is gone.
  if (Number.isNaN(pid) || !isAlive(pid)) return undefined;
  const folder = workingFolderOf(pid, identity);
  if (folder === undefined || folder === realpathSync(data)) return pid;
  // The number is another process's by now, as happens in containers, where numbers are low:
  // PostgreSQL would never start again.
  rmSync(join(data, LOCK));
  return undefined;
}

/** PostgreSQL notes its state in the last line. */
function isStopping(data: string): boolean {
  return /\nstopping *\n?$/.test(lockOf(data));
}

function lockOf(data: string): string {
  try {
    return readFileSync(join(data, LOCK), 'utf8');
  } catch {
    return '';
  }
}

/**
 * A server works in the folder of its data. `undefined` where the system does not tell; `''` where
 * it is not one of this identity's.
 */
function workingFolderOf(pid: number, identity: Identity): string | undefined {
  if (!existsSync('/proc/self/cwd')) return undefined;
  const options = { ...identity, cwd: '/', encoding: 'utf8' } as const;
  const { error, stdout } = spawnSync('readlink', [`/proc/${pid}/cwd`], options);
  return error === undefined ? stdout.replace(/\n$/, '') : undefined;
}
