import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createApp } from './app.js';
import { ensureFirstKeys } from './first-keys.js';
import { ensureInternalKey, readEnvFile } from './first-run.js';
import type { KeyPlace } from './key-place.js';
import { keysInPostgres } from './keys-in-postgres.js';
import { keysInSqlite } from './keys-in-sqlite.js';
import { readSettings } from './settings.js';
import { welcome } from './welcome.js';

/** How long requests under way may take to finish after the signal to stop. */
const SHUTDOWN_MS = 10_000;
/** How long a database may take after that. */
const CLOSE_MS = 5_000;

try {
  await start();
} catch (error) {
  console.error(
    `The audio API cannot start: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exit(1);
}

async function start(): Promise<void> {
  readEnvFile();
  const { port, host, databaseUrl, ...settings } = readSettings(process.env);
  const isPostgres = databaseUrl !== undefined && /^postgres/i.test(databaseUrl);
  const place = await (isPostgres ? keysInPostgres(databaseUrl) : keysInSqlite(databaseUrl));
  const internalKey = ensureInternalKey();
  // Words for people go to stdout, the request log to stderr.
  const app = createApp({ ...settings, keys: place.keys, logStream: process.stderr });
  const server = createServer(app);
  let stopping: Promise<void> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Only once: a terminal sends Ctrl-C to every process, and npm passes it on, so it comes twice.
    process.on(signal, () => void (stopping ??= stop(server, place)));
  }
  await listen(server, port, host);
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  // Only now: nobody would see a key or a link of a server that then cannot listen.
  const first = await ensureFirstKeys(place);
  console.log(
    welcome({ url, place, first, internalKey, hasLogin: settings.demoLoginSecret !== undefined }),
  );
}

async function listen(server: Server, port: number, host?: string): Promise<void> {
  try {
    await once(server.listen({ port, host }), 'listening');
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw isTaken
      ? new Error(`port ${port} is taken; choose another with PORT.`, { cause: error })
      : error;
  }
}

async function stop(server: Server, place: KeyPlace): Promise<void> {
  setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
  await new Promise((closed) => server.close(closed));
  // A database that no longer answers must not keep the process.
  setTimeout(() => process.exit(1), CLOSE_MS).unref();
  await place.close();
}
