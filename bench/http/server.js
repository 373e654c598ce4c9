// One app in a process of its own, which tells on request what it has spent.
import { once } from 'node:events';
import { createServer } from 'node:http';

const { module, name, context } = JSON.parse(process.argv[2]);

const { apps } = await import(module);
const { app, headers, status, queries = () => 0, flush } = await apps[name](context);
const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');

process.on('message', (message) => void tell(message));

async function tell(message) {
  if (message === 'flush') await flush?.();
  const { user, system } = process.cpuUsage();
  process.send({ cpuUs: user + system, queries: queries() });
}
process.send({ port: server.address().port, headers, status });
