import {
  chownSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, onTestFinished } from 'vitest';
import { freePort } from '../../scripts/postgres/free-port.js';
import { serverIdentity } from '../../scripts/postgres/identity.js';
import { Keeper } from '../../scripts/postgres/keeper.js';
import { untilReady } from '../../scripts/postgres/until-ready.js';

const program = [process.env['PGBOUNCER_PATH'], '/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find(
  (path) => path !== undefined && existsSync(path),
);

/**
 * Tests with a real PgBouncer. Where there is none they are skipped with a word about it, and on CI
 * they fail: a check that nobody misses when it is gone is none.
 */
export function describeWithPgBouncer(name: string, define: () => void): void {
  if (program === undefined && process.env['CI'] !== 'true') {
    console.warn(
      `\n!! ${name}: SKIPPED, no PgBouncer here. apt-get install pgbouncer, or set PGBOUNCER_PATH.\n`,
    );
    describe.skip(name, define);
    return;
  }
  describe(name, () => {
    beforeAll(() => {
      if (program === undefined)
        throw new Error('no PgBouncer is installed: apt-get install pgbouncer');
    });
    define();
  });
}

export interface PgBouncerOptions {
  readonly mode?: 'transaction' | 'session';
  /** How many connections to the server all clients share. Default 3. */
  readonly poolSize?: number;
}

/**
 * A PgBouncer in front of the database at this address, which lets its user in without a password.
 * Ended with the test.
 */
export async function startPgBouncer(
  databaseUrl: string,
  { mode = 'transaction', poolSize = 3 }: PgBouncerOptions = {},
): Promise<string> {
  const target = new URL(databaseUrl);
  const url = new URL(databaseUrl);
  url.port = String(await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'require-api-key-pgbouncer-'));
  const settings = join(folder, 'pgbouncer.ini');
  const users = join(folder, 'users');
  const log = join(folder, 'log');
  writeFileSync(users, `"${target.username}" ""\n`);
  writeFileSync(
    settings,
    `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${url.port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${poolSize}
`,
  );
  const identity = serverIdentity();
  if (identity.uid !== undefined)
    for (const path of [folder, settings, users]) chownSync(path, identity.uid, identity.gid!);
  const keeper = new Keeper([program!, settings], openSync(log, 'a'), { ...identity, cwd: folder });
  onTestFinished(async () => {
    await keeper.stop();
    rmSync(folder, { recursive: true });
  });
  await untilReady(url.href, () => {
    if (keeper.hasEnded) throw new Error(`PgBouncer: ${readFileSync(log, 'utf8')}`);
  });
  return url.href;
}
