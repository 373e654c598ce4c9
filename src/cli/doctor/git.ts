import { execFile } from 'node:child_process';
import { outerEnvironment } from '../environment.js';

/** `outside`: in no repository, or git cannot be asked. */
export type GitState = 'tracked' | 'ignored' | 'exposed' | 'outside';

/** How git sees a file of this folder. */
export async function askGit(file: string): Promise<GitState> {
  const tracked = await git('ls-files', '--error-unmatch', '--', file);
  if (tracked === 0) return 'tracked';
  if (tracked !== 1) return 'outside';
  return (await git('check-ignore', '--quiet', '--', file)) === 0 ? 'ignored' : 'exposed';
}

function git(...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    // The folder may belong to somebody else. With this setting, git would run a command that its
    // configuration there names.
    const safely = ['-c', 'core.fsmonitor=false', ...args];
    execFile('git', safely, { env: outerEnvironment, timeout: 10_000 }, (error) => {
      if (!error) resolve(0);
      else resolve(typeof error.code === 'number' ? error.code : 128);
    });
  });
}
