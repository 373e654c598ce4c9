import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from './app.js';
import { ensureKeys, type FirstKey, readEnvFile } from './first-run.js';
import { readSettings } from './settings.js';

const ENV_FILE = '.env';
/** How long requests under way may take to finish after the signal to stop. */
const SHUTDOWN_MS = 10_000;

try {
  start();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

function start(): void {
  readEnvFile(ENV_FILE);
  const { port, host, ...settings } = readSettings(process.env);
  const firstKey = ensureKeys(ENV_FILE);
  // Words for people go to stdout, the request log to stderr.
  const server = createServer(createApp({ ...settings, logStream: process.stderr }));
  server.once('error', (error: NodeJS.ErrnoException) =>
    fail(error.code === 'EADDRINUSE' ? `port ${port} is taken; choose another with PORT.` : error.message),
  );
  server.listen({ port, host }, () => {
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    console.log(`The audio API listens on ${url}\n`);
    console.log(howToCall(firstKey, url));
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(server));
}

function howToCall(firstKey: FirstKey, url: string): string {
  if (firstKey.origin === 'new') {
    return `Two keys were made and kept in ${ENV_FILE}. The first is shown here and never again:

curl -H 'X-API-Key: ${firstKey.demoKey}' ${url}/hello`;
  }
  const curl = `curl -H "X-API-Key: $API_KEY" ${url}/hello`;
  if (firstKey.origin === 'file') {
    return `The keys are those in ${ENV_FILE}:

API_KEY=$(sed -n 's/^API_KEYS=demo:\\([^,]*\\).*/\\1/p' ${ENV_FILE} | tail -n 1)
${curl}`;
  }
  return `The keys are your own. With one of them in API_KEY:

${curl}`;
}

function stop(server: Server): void {
  server.close();
  setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
}

function fail(reason: string): never {
  console.error(`The audio API cannot start: ${reason}`);
  process.exit(1);
}
