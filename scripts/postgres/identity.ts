import { execFileSync, spawnSync } from 'node:child_process';

export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** Whom the server runs as: PostgreSQL refuses to be run by root. */
export function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const idOf = (option: string, name: string) =>
    Number(
      execFileSync('id', [option, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) };
    } catch {
      // No such user here: the next one.
    }
  }
  throw new Error(
    'PostgreSQL refuses to be run by root, and there is neither a user "postgres" nor "nobody" here to run it as; ' +
      'run this as an ordinary user',
  );
}

/**
 * Tried rather than read off modes: every folder above has its say, and so may access lists and
 * groups.
 */
export function canEnter(folder: string, identity: Identity): boolean {
  const tried = spawnSync('sh', ['-c', 'cd "$1"', 'sh', folder], {
    ...identity,
    cwd: '/',
    stdio: 'ignore',
  });
  return tried.status === 0;
}
