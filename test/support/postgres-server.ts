import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../../scripts/postgres/free-port.js';
import { serverIdentity } from '../../scripts/postgres/identity.js';
import { untilReady } from '../../scripts/postgres/until-ready.js';
import { chosenPrograms } from './postgres-version.js';

const run = promisify(execFile);

export interface PostgresServer {
  /** A superuser's way into the database `postgres`. */
  readonly url: string;
  /** The folder of its data. */
  readonly data: string;
  /** The server and all its processes are gone from one moment to the next. */
  kill(): Promise<void>;
  /** It goes on existing, and answers nothing. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** On the same port, with the same data; after `kill` or without. */
  restart(): Promise<void>;
  /** Thawed, and started again where it was killed; left alone where it runs. */
  ensureRunning(): Promise<void>;
  /** Ends it and takes its data away. */
  stop(): Promise<void>;
}

/**
 * When this process ends, however it does, its end of the pipe closes: then the janitor ends the
 * server and takes the data away. `$1` is the folder; the first line of `postmaster.pid` is the
 * server's process.
 */
const janitor = `
  cat > /dev/null
  pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null)
  if [ -n "$pid" ]; then
    for child in $(cat "/proc/$pid/task/$pid/children" || ps -A -o pid= -o ppid= | awk -v parent="$pid" '$2 == parent { print $1 }') "$pid"; do
      kill -KILL "$child"
    done
  fi
  rm -rf "$1"`;

/**
 * Starts a PostgreSQL of its own, out of npm, on a free port of this machine; `extra` are settings
 * of its own. With a `primary`, it is a standby that follows that server.
 */
export async function startPostgres(
  extra: Readonly<Record<string, string>> = {},
  primary?: PostgresServer,
): Promise<PostgresServer> {
  const identity = serverIdentity();
  const folder = mkdtempSync(join(tmpdir(), 'require-api-key-postgres-'));
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (identity.uid !== undefined) chownSync(data, identity.uid, identity.gid!);
  // In a group of their own, out of reach of a terminal's Ctrl-C, which would end the janitor with
  // its work undone.
  const keeper = spawn('sh', ['-c', janitor, 'janitor', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void }).unref();

  const programs = await chosenPrograms(identity, folder);
  const options = { ...identity, env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' }, cwd: folder };
  if (primary) await copyRunning(primary, data, options);
  else {
    await run(
      join(programs, 'initdb'),
      [
        '--pgdata',
        data,
        '--username=postgres',
        '--auth=trust',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
      ],
      options,
    );
  }
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    ...(primary && { primary_conninfo: primary.url }),
    ...extra,
  };
  let server: ChildProcess;
  const start = async () => {
    const log = openSync(join(folder, 'log'), 'a');
    const parameters = Object.entries(settings).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    server = spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port), ...parameters], {
      ...options,
      detached: true,
      stdio: ['ignore', log, log],
    });
    server.unref();
    await untilReady(url, () => {
      if (server.exitCode !== null)
        throw new Error(`PostgreSQL: ${readFileSync(join(folder, 'log'), 'utf8')}`);
    });
  };
  const signalAll = async (signal: NodeJS.Signals) => {
    // The server first, lest it starts another child meanwhile.
    for (const pid of [server.pid!, ...(await childrenOf(server.pid!))]) {
      try {
        process.kill(pid, signal);
      } catch {
        // Already gone.
      }
    }
  };
  const isGone = () => server.exitCode !== null || server.signalCode !== null;
  const kill = async () => {
    if (isGone()) return;
    const gone = once(server, 'exit');
    await signalAll('SIGKILL');
    await gone;
    // Nobody is left whom the number in it could name.
    rmSync(join(data, 'postmaster.pid'), { force: true });
  };
  const thaw = () => signalAll('SIGCONT');
  const restart = async () => {
    await kill();
    // A child that was born while its server was killed holds on to the shared memory until it
    // notices.
    for (let attempt = 1; ; attempt++) {
      try {
        await start();
        return;
      } catch (error) {
        if (attempt === 20) throw error;
        await wait(100);
      }
    }
  };
  await start();
  return {
    url,
    data,
    kill,
    freeze: () => signalAll('SIGSTOP'),
    thaw,
    restart,
    ensureRunning: () => (isGone() ? restart() : thaw()),
    async stop() {
      await kill();
      const done = once(keeper, 'exit');
      keeper.ref();
      keeper.stdin.end();
      await done;
    },
  };
}

/**
 * Copies the data of a server that runs, to be a standby's: what pg_basebackup does, which the
 * package lacks.
 */
async function copyRunning(
  { url, data }: PostgresServer,
  copy: string,
  options: object,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ isOlder: boolean }>(
    `select current_setting('server_version_num')::int < 150000 as "isOlder"`,
  );
  const [start, stop] = rows[0]!.isOlder
    ? [`pg_start_backup('standby', true, false)`, 'pg_stop_backup(false)']
    : [`pg_backup_start('standby', true)`, 'pg_backup_stop(false)'];
  await client.query(`select ${start}`);
  await run('cp', ['-a', `${data}/.`, copy], options);
  const label = await client.query<{ labelfile: string }>(`select labelfile from ${stop}`);
  await client.end();
  rmSync(join(copy, 'postmaster.pid'), { force: true });
  writeFileSync(join(copy, 'backup_label'), label.rows[0]!.labelfile, { mode: 0o644 });
  writeFileSync(join(copy, 'standby.signal'), '');
  // PostgreSQL takes both away once they have served.
  if (options && 'uid' in options && typeof options.uid === 'number')
    for (const name of ['backup_label', 'standby.signal'])
      chownSync(join(copy, name), options.uid, -1);
}

async function childrenOf(parent: number): Promise<number[]> {
  try {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8');
    return children.trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    // Systems other than Linux.
    const { stdout } = await run('ps', ['-A', '-o', 'pid=', '-o', 'ppid=']);
    const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    return pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid!);
  }
}
