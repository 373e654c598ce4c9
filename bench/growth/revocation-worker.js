// Revokes one key after the other, and hears when another process has refused it; on PostgreSQL, a
// bare NOTIFY beside each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiKeyManager } from '../library.js';
import { openStore, pollMs } from './stores.js';

const options = JSON.parse(process.argv[2]);
const { kind, count, channel } = options;

const { store, client, end } = await openStore(options);
const manager = new ApiKeyManager({ store });
const script = join(import.meta.dirname, 'refusal-worker.js');
const other = spawn(process.execPath, [script, process.argv[2]], {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
other.once('exit', (code) => {
  throw new Error(`the other process ended with ${code}`);
});
const heard = async () => (await once(other, 'message'))[0];
const sinceMs = ({ at }, before) => Number(BigInt(at) - before) / 1e6;

await heard();
const revocations = [];
const notifications = [];
const calls = [];
for (let done = 0; done < count; done++) {
  const { key, record } = await manager.create({ user: 'alice' });
  const known = heard();
  other.send({ key });
  await known;
  // The refusal before came with a poll: from there on all revocations would wait equally long for
  // the next.
  if (kind === 'sqlite') await delay(Math.random() * pollMs);
  const refused = heard();
  const revokedAt = process.hrtime.bigint();
  await manager.revoke(record.keyId);
  calls.push(sinceMs({ at: process.hrtime.bigint() }, revokedAt));
  revocations.push(sinceMs(await refused, revokedAt));
  if (!client) continue;

  const notified = heard();
  const sentAt = process.hrtime.bigint();
  await client.query(`select pg_notify($1, '')`, [channel]);
  notifications.push(sinceMs(await notified, sentAt));
}
other.removeAllListeners('exit').kill();
await manager.close();
await end();
process.send({ revocations, notifications, calls });
process.disconnect();
