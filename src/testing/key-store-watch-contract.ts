import type { StoreCases } from './contract-case.js';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { KeyStore } from '../stores/key-store.js';
import { at, makeKey, successorOf } from './stored-key.js';

/** How soon a change has to be announced, in milliseconds. */
const patienceMs = 1_000;

export const watchContract: StoreCases = {
  'a watched store -> says that it is connected, then announces each change by its key id': async (
    store,
  ) => {
    assertWatchable(store);
    const { seen, connected, close } = watch(store);
    try {
      await connected;
      const key = makeKey();
      await announces(seen, key.keyId, () => store.insert(key));
      await announces(seen, key.keyId, () => store.update(key.keyId, { name: 'x' }));
      const successor = successorOf(at(1_000));
      const overlap = { overlapMs: 5_000, startsAt: 'first-use' } as const;
      await announces(seen, successor.keyId, () => store.rotate(key.keyId, successor, overlap));
      const firstUse = { keyId: successor.keyId, usedAt: at(2_000) };
      await announces(seen, key.keyId, () => store.touch([firstUse]));
      await announces(seen, key.keyId, () => store.revoke(key.keyId, at(3_000), { family: false }));
      await announces(seen, key.keyId, () => store.prune(at(90_000)));
    } finally {
      await close();
    }
  },

  'a use that is written -> not announced, while the change after it is': async (store) => {
    assertWatchable(store);
    const { seen, connected, close } = watch(store);
    try {
      await connected;
      const [used, changed] = [makeKey(), makeKey()];
      await store.insert(used);
      await announces(seen, changed.keyId, () => store.insert(changed));
      await announces(seen, changed.keyId, async () => {
        await store.touch([{ keyId: used.keyId, usedAt: at(1_000) }]);
        await store.update(changed.keyId, { name: 'x' });
      });
      assert.ok(!seen.has(used.keyId), 'the use was announced');
    } finally {
      await close();
    }
  },

  'a watch that is closed, even twice -> silent': async (store) => {
    assertWatchable(store);
    const { seen, connected, close } = watch(store);
    await connected;
    await close();
    await close();
    await store.insert(makeKey());
    await delay(50);
    assert.equal(seen.size, 0);
  },
};

function assertWatchable(store: KeyStore): void {
  assert.ok('watch' in store, 'the store has no watch(); pass { watch: false } if that is meant');
}

function watch(store: KeyStore) {
  const seen = new Set<string>();
  let isConnected = () => {};
  const connected = new Promise<void>((resolve) => (isConnected = resolve));
  const watching = store.watch!({
    connected: () => isConnected(),
    alive: () => {},
    changed: (keyId) => void seen.add(keyId),
    disconnected: () => {},
  });
  return { seen, connected, close: () => watching.close() };
}

async function announces(
  seen: Set<string>,
  keyId: string,
  change: () => Promise<unknown>,
): Promise<void> {
  seen.clear();
  await change();
  const deadline = performance.now() + patienceMs;
  while (!seen.has(keyId)) {
    assert.ok(performance.now() < deadline, `no announcement within ${patienceMs} ms`);
    await delay(5);
  }
}
