import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { officeName } from './postgres-office.js';
import { startPostgres, type PostgresServer } from './postgres-server.js';

/** One server for the whole run, begun when it is first asked for. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<PostgresServer> | undefined;
  const office = createServer((_request, response) => {
    server ??= startPostgres();
    server.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  }).listen(0, '127.0.0.1');
  await once(office, 'listening');
  project.provide(officeName, `http://127.0.0.1:${(office.address() as AddressInfo).port}/`);
  return async () => {
    office.close();
    // One that could not start has been told of, and left nothing running.
    await (await server?.catch(() => undefined))?.stop();
  };
}
