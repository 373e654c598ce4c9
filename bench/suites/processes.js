import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onCore } from '../http/start-client.js';
import { quantile } from '../report/statistics.js';

const folder = join(import.meta.dirname, '..');

/** Runs one script in a fresh process on one core, and resolves to the message that it sends. */
export async function runOnce(script, options, { node, core, flags = [] }) {
  const [command, ...args] = onCore(core, [
    node,
    ...flags,
    join(folder, script),
    JSON.stringify(options),
  ]);
  const child = spawn(command, args, {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let message;
  child.once('message', (received) => (message = received));
  const [code] = await once(child, 'exit');
  if (message === undefined) throw new Error(`${script} ended with ${code} and no result`);
  return message;
}

/**
 * What several processes or rounds found: the middle, and the least and the greatest as its spread.
 */
export const spreadOf = (values) => ({
  median: quantile(values, 0.5),
  low: Math.min(...values),
  high: Math.max(...values),
  count: values.length,
});

export function shuffled(items) {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
