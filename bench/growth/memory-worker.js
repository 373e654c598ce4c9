// One process: the heap that each further key costs, and how much of it a flood of unknown keys can
// take.
import { ListedStore, warmManager } from '../micro/handlers.js';
import { keyListOf, makeKeys } from '../micro/keys.js';
import { ApiKeyManager, envKeyList, generateApiKey, MemoryKeyStore } from '../library.js';

const { what, count } = JSON.parse(process.argv[2]);

function heapBytes() {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

class CountingStore extends MemoryKeyStore {
  queries = 0;

  async findByDigest(digest) {
    this.queries++;
    return super.findByDigest(digest);
  }
}

const measurements = {
  async environment() {
    process.env['BENCH_API_KEYS'] = keyListOf(makeKeys(count));
    const before = heapBytes();
    const source = envKeyList('BENCH_API_KEYS');
    source.configured();
    const after = heapBytes();
    return { bytesPerKey: (after - before) / count, held: source.name };
  },

  async managed() {
    const keys = makeKeys(count);
    const store = new ListedStore(keys);
    const before = heapBytes();
    const manager = await warmManager(keys, store);
    const after = heapBytes();
    return { bytesPerKey: (after - before) / count, held: manager.name };
  },

  async flood() {
    const store = new CountingStore();
    // Longer than the flood: a query then means that a known key was evicted.
    const dayMs = 86_400_000;
    const manager = new ApiKeyManager({ store, cacheTtlMs: dayMs, staleIfErrorMs: dayMs });
    const known = [];
    for (let made = 0; made < 1_000; made++)
      known.push((await manager.create({ user: `user${made}` })).key);
    for (const key of known) await manager.verify(key);
    const before = heapBytes();
    for (let sent = 0; sent < count; sent++) {
      const { ok } = await manager.verify(generateApiKey().key);
      if (ok) throw new Error('a made-up key was admitted');
    }
    const after = heapBytes();
    const floodQueries = store.queries - known.length;
    for (const key of known) await manager.verify(key);
    return {
      heapBytes: after - before,
      floodQueries,
      queriesOfKnownKeys: store.queries - floodQueries - known.length,
    };
  },
};

process.send(await measurements[what](), () => process.exit());
