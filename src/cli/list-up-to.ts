import type { ApiKeyManager } from '../manager/api-key-manager.js';
import type { ListKeysOptions } from '../manager/manager-options.js';
import type { KeyRecord } from '../stores/key-store.js';

const pageSize = 1_000;

/** Records, page by page, the newest first. */
export async function listUpTo(
  keys: ApiKeyManager,
  query: Pick<ListKeysOptions, 'user' | 'status'>,
  limit: number,
): Promise<KeyRecord[]> {
  const records: KeyRecord[] = [];
  while (records.length < limit) {
    const size = Math.min(pageSize, limit - records.length);
    const page = await keys.list({ ...query, limit: size, cursor: records.at(-1)?.keyId });
    records.push(...page);
    if (page.length < size) break;
  }
  return records;
}
