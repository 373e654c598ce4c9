import { setTimeout as wait } from 'node:timers/promises';
import { codeOf } from '../safe-error.js';

/** How long an exclusive lock is waited for, in milliseconds: every statement that comes later waits behind it. */
const lockMs = 3_000;
const attempts = 10;

/** Sets how long a lock is waited for within the block it stands in. */
export const limitLockWait = `perform pg_catalog.set_config('lock_timeout', '${lockMs}', true);`;

/** Tries again where others hold the table, so that they are never kept waiting long behind this. */
export async function withLock<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isLockTimeout = codeOf((error as Error).cause) === '55P03';
      if (!isLockTimeout || attempt === attempts) throw error;
      await wait(1_000);
    }
  }
}
