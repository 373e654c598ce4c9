import { openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureData, passwordIn, serverEnv } from './cluster.js';
import { openFolder } from './folder.js';
import { freePort } from './free-port.js';
import { type Identity, serverIdentity } from './identity.js';
import { Keeper } from './keeper.js';
import { untilUnlocked } from './lock.js';
import { removeParts } from './part.js';
import { programsFor } from './programs.js';
import { untilReady } from './until-ready.js';

export interface LocalPostgres {
  readonly url: string;
  /** Where all is kept: the folder that was asked for, or one under the temporary folder. */
  readonly folder: string;
  /** Holds the address, password included, for the eyes of its owner. */
  readonly urlFile: string;
  /** Ends the server; the data stays. */
  stop(): Promise<void>;
}

/**
 * A PostgreSQL out of npm whose data stays in a folder from one start to the next. It listens on
 * this machine alone, asks for a password, and ends with this process, however that ends.
 */
export async function startLocalPostgres(wanted: string): Promise<LocalPostgres> {
  const folder = openFolder(wanted, serverIdentity());
  const data = join(folder, 'data');
  const identity = ownerOf(data) ?? serverIdentity();
  removeParts(folder);
  const password = passwordIn(folder);
  const programs = await programsFor(identity, folder);
  await ensureData(data, password, programs, identity);
  await untilUnlocked(data, identity);

  const urlFile = join(folder, 'url');
  const port = await freePort(portIn(urlFile));
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const keeper = await launch(
    join(programs, 'postgres'),
    data,
    port,
    url,
    join(folder, 'log'),
    identity,
  );
  writeFileSync(urlFile, `${url}\n`, { mode: 0o600 });
  return { url, folder, urlFile, stop: () => keeper.stop() };
}

async function launch(
  program: string,
  data: string,
  port: number,
  url: string,
  logFile: string,
  identity: Identity,
): Promise<Keeper> {
  const log = openSync(logFile, 'a', 0o600);
  const logStart = statSync(logFile).size;
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const command = [program, '-D', data, '-p', String(port), ...settings];
  const keeper = new Keeper(command, log, { ...identity, cwd: '/', env: serverEnv });
  await untilReady(url, () => {
    if (!keeper.hasEnded) return;
    const said = readFileSync(logFile).subarray(logStart).toString();
    const reason = /(?:FATAL|PANIC): +(.*)/.exec(said)?.[1] ?? 'it ended at once';
    throw new Error(`PostgreSQL does not start: ${reason}; see ${logFile}`);
  });
  return keeper;
}

/** Where root starts what an ordinary user began, that user's server goes on. */
function ownerOf(data: string): Identity | undefined {
  const owner = statSync(data, { throwIfNoEntry: false });
  return owner === undefined || owner.uid === 0 || process.getuid?.() !== 0
    ? undefined
    : { uid: owner.uid, gid: owner.gid };
}

/** The port of the last time, lest an address that was noted down go stale. */
function portIn(urlFile: string): number | undefined {
  try {
    return Number(new URL(readFileSync(urlFile, 'utf8')).port);
  } catch {
    return undefined;
  }
}
