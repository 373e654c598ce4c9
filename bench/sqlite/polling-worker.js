// One process that does nothing but watch a file: its CPU time, with the usual polling and with next to none, in turn.
import { setTimeout as delay } from 'node:timers/promises';
import { ApiKeyManager, SqliteKeyStore } from '../library.js';

const { sqlitePath, key, turns, durationMs } = JSON.parse(process.argv[2]);

/** The share of a core that is spent while a manager on the file is left alone. */
async function shareOf(options) {
  const store = await SqliteKeyStore.open(sqlitePath, options);
  const manager = new ApiKeyManager({ store });
  if (!(await manager.verify(key)).ok) throw new Error('the key is in the file');
  await delay(durationMs / 5);
  const before = { cpu: process.cpuUsage(), at: performance.now() };
  await delay(durationMs);
  const { user, system } = process.cpuUsage(before.cpu);
  const share = (user + system) / 1_000 / (performance.now() - before.at);
  await manager.close();
  await store.close();
  return share;
}

const found = [];
for (let turn = 0; turn < turns; turn++) {
  const usual = await shareOf({});
  found.push({ usual, none: await shareOf({ pollMs: 60_000 }) });
}
process.send(found);
process.disconnect();
