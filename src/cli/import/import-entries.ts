import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import type { Attribution } from '../../manager/change-options.js';
import { KeyStoreError } from '../../stores/key-store-error.js';
import { type KeyStore } from '../../stores/key-store.js';
import type { CheckedEntry } from './check-entries.js';

export interface ImportTally {
  readonly imported: number;
  /** Keys that were there before, under the same user. */
  readonly duplicates: number;
  /** A sentence for each key that the database already has, but differently. */
  readonly conflicts: readonly string[];
}

interface Place {
  readonly keys: ApiKeyManager;
  readonly store: KeyStore;
  /** Who takes them over, and why. */
  readonly change: Attribution;
}

type Outcome = 'imported' | 'duplicate' | { readonly conflict: string };

/** Said if legacy keys were taken over: a server refuses them without the option. */
export const legacyKeysNote =
  'To accept keys from elsewhere, the server needs new ApiKeyManager({ store, legacyKeys: true }).';

/** How many imports are under way at once, because the database may be far away. */
const batchSize = 10;

/** Imports keys batch by batch. `onBatch` may stop the import between two batches by throwing. */
export async function importEntries(
  entries: readonly CheckedEntry[],
  { onBatch, ...place }: Place & { readonly onBatch: (done: number) => void },
): Promise<ImportTally> {
  const outcomes: Outcome[] = [];
  for (let start = 0; start < entries.length; start += batchSize) {
    onBatch(start);
    const batch = entries.slice(start, start + batchSize);
    outcomes.push(...(await Promise.all(batch.map((entry) => importOne(entry, place)))));
  }
  return {
    imported: outcomes.filter((each) => each === 'imported').length,
    duplicates: outcomes.filter((each) => each === 'duplicate').length,
    conflicts: outcomes.flatMap((each) => (typeof each === 'object' ? [each.conflict] : [])),
  };
}

async function importOne(
  { place, options, digest }: CheckedEntry,
  { keys, store, change }: Place,
): Promise<Outcome> {
  try {
    await keys.import({ ...change, ...options });
    return 'imported';
  } catch (error) {
    if (!(error instanceof KeyStoreError) || error.code !== 'duplicate_key') throw error;
    const found = await store.findByDigest(digest);
    if (!found) return { conflict: `${place} has a key whose key id belongs to another key` };
    if (found.user === options.user) return 'duplicate';
    return { conflict: `${place} has a key that the database holds under another user` };
  }
}
