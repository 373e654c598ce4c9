import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './is-alive.js';

/**
 * Where this process makes what is moved to `path` when it is complete: a start that is broken off,
 * or that goes on at the same time, never leaves half of something there.
 */
export function partOf(path: string): string {
  return `${path}.part-${process.pid}`;
}

/** Removes what processes left that were killed before they were done. */
export function removeParts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /\.part-(\d+)/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // With retries: a program that it started may be writing still.
    rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
  }
}
