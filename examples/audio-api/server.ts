import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createApp } from './app.js';
import { readEnvFile } from './first-run.js';
import type { KeyPlace } from './key-place.js';
import { keysInEnvironment } from './keys-in-environment.js';
import { keysInPostgres } from './keys-in-postgres.js';
import { readSettings } from './settings.js';

/** How long requests under way may take to finish after the signal to stop. */
const SHUTDOWN_MS = 10_000;
/** How long a database may take then to let go. */
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
  const place = databaseUrl === undefined ? keysInEnvironment() : await keysInPostgres(databaseUrl);
  const { keys } = place;
  // Words for people go to stdout, the request log to stderr.
  const app = createApp({ ...settings, ...(keys && { keys }), logStream: process.stderr });
  const server = createServer(app);
  let stopping: Promise<void> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Once for all: npm passes on a Ctrl-C that the terminal sends to every process, so that it comes twice.
    process.on(signal, () => void (stopping ??= stop(server, place)));
  }
  await listen(server, port, host);
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  // Only now: a first key that is made for a server which then cannot listen would never be seen.
  const howToCall = await place.howToCall(url);
  console.log(`The audio API listens on ${url}\n\n${howToCall}`);
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
  // A database that does not answer any more must not keep the process.
  setTimeout(() => process.exit(1), CLOSE_MS).unref();
  await place.close?.();
}
