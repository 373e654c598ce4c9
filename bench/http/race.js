import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onCore, startClient } from './start-client.js';

/**
 * Starts a server for each entry (`{ name, module, context? }`), all of them on one core and their
 * client on the other, and gives a way to send one of them requests and to see what that cost.
 */
export async function startServers(entries, { node, serverCore = 0, clientCore = 1 }) {
  const client = startClient('closed-loop-client.js', {}, clientCore);
  const servers = new Map();
  for (const { name, module, context } of entries) {
    const script = [
      join(import.meta.dirname, 'server.js'),
      JSON.stringify({ module, name, context }),
    ];
    const [command, ...args] = onCore(serverCore, [node, ...script]);
    const process = spawn(command, args, {
      env: { ...globalThis.process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [address] = await Promise.race([once(process, 'message'), failing(process, name)]);
    servers.set(name, { process, address });
  }

  const ask = async (name, message) => {
    const { process } = servers.get(name);
    process.send(message);
    return (await once(process, 'message'))[0];
  };

  return {
    /** One turn of the client: `{ connections, durationMs | requests }`. */
    async send(name, turn, headers) {
      const before = await ask(name, 'state');
      const { address } = servers.get(name);
      client.send({ ...address, ...(headers && { headers }), ...turn });
      const [result] = await once(client, 'message');
      if (result.error) throw new Error(`${name}: ${result.error}`);
      const after = await ask(name, 'state');
      return {
        ...result,
        cpuUsPerRequest: (after.cpuUs - before.cpuUs) / result.requests,
        queriesPerRequest: (after.queries - before.queries) / result.requests,
      };
    },
    state: (name) => ask(name, 'state'),
    flush: (name) => ask(name, 'flush'),
    address: (name) => servers.get(name).address,
    async stop() {
      const processes = [client, ...[...servers.values()].map(({ process }) => process)];
      const running = processes.filter(({ exitCode }) => exitCode === null);
      const gone = running.map((each) => once(each, 'exit'));
      for (const each of running) each.kill();
      await Promise.all(gone);
    },
  };
}

async function failing(process, name) {
  const [code] = await once(process, 'exit');
  throw new Error(`the server "${name}" ended with ${code} before it listened`);
}
