import { KeyStoreError, type KeyStore } from '../../stores/key-store.js';
import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import type { CheckedEntry } from './check-entries.js';

export interface ImportTally {
  imported: number;
  /** Keys that were there before, under the same user. */
  duplicates: number;
  /** By place: what the database holds something else for. */
  readonly conflicts: string[];
}

/** On their way at once: the database may be far. */
const batchSize = 10;

/** Takes keys over, batch by batch; between two of them `onBatch` may break it off by throwing. */
export async function importEntries(
  entries: readonly CheckedEntry[],
  tally: ImportTally,
  { keys, store, onBatch }: { keys: ApiKeyManager; store: KeyStore; onBatch: (done: number) => void },
): Promise<void> {
  for (let start = 0; start < entries.length; start += batchSize) {
    onBatch(start);
    const batch = entries.slice(start, start + batchSize);
    await Promise.all(batch.map((entry) => importOne(entry, tally, keys, store)));
  }
}

async function importOne(
  { place, options, digest }: CheckedEntry,
  tally: ImportTally,
  keys: ApiKeyManager,
  store: KeyStore,
): Promise<void> {
  try {
    await keys.import(options);
    tally.imported++;
  } catch (error) {
    if (!(error instanceof KeyStoreError) || error.code !== 'duplicate_key') throw error;
    const found = await store.findByDigest(digest);
    if (found?.user === options.user) tally.duplicates++;
    else if (found) tally.conflicts.push(`${place} has a key that the database knows under another user`);
    else tally.conflicts.push(`${place} has a key whose key id is taken by another key`);
  }
}
