import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Identity } from './identity.js';
import { isAlive } from './is-alive.js';

/** How long a server may take to end whose start was killed. */
const LEAVING_MS = 3_000;

/**
 * Waits until no server works on the data.
 *
 * @throws {Error} where one goes on.
 */
export async function untilUnlocked(data: string, identity: Identity): Promise<void> {
  for (let waited = 0; ; waited += 100) {
    const pid = holderOf(data, identity);
    if (pid === undefined) return;
    if (waited >= LEAVING_MS) {
      throw new Error(`its server (process ${pid}) works on ${data} already, for another start`);
    }
    await wait(100);
  }
}

function holderOf(data: string, identity: Identity): number | undefined {
  const lock = join(data, 'postmaster.pid');
  const pid = pidIn(lock);
  // PostgreSQL itself takes over the lock of a process that is gone.
  if (pid === undefined || !isAlive(pid)) return undefined;
  const folder = workingFolderOf(pid, identity);
  if (folder === undefined || folder === realpathSync(data)) return pid;
  // The number is another process's by now, as happens in containers, where numbers are low: PostgreSQL would never start again.
  rmSync(lock);
  return undefined;
}

function pidIn(lock: string): number | undefined {
  try {
    return Number(/^[1-9]\d*\n/.exec(readFileSync(lock, 'utf8'))?.[0]) || undefined;
  } catch {
    return undefined;
  }
}

/** A server works in the folder of its data. `undefined` where the system does not tell; `''` where it is not one of this identity's. */
function workingFolderOf(pid: number, identity: Identity): string | undefined {
  if (!existsSync('/proc/self/cwd')) return undefined;
  const options = { ...identity, cwd: '/', encoding: 'utf8' } as const;
  const { error, stdout } = spawnSync('readlink', [`/proc/${pid}/cwd`], options);
  return error === undefined ? stdout.replace(/\n$/, '') : undefined;
}
