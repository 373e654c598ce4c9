import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import type { ListClaimsOptions } from '../../manager/claim-options.js';
import type { HistoryOptions, ListKeysOptions } from '../../manager/query-options.js';
import type { ClaimRecord } from '../../stores/claim-store.js';
import type { KeyEvent } from '../../stores/key-event.js';
import type { KeyRecord } from '../../stores/key-record.js';

const pageSize = 1_000;

/** Records, page by page, the newest first. */
export const keysUpTo = (
  keys: ApiKeyManager,
  query: Omit<ListKeysOptions, 'limit' | 'cursor'>,
  limit: number,
): Promise<KeyRecord[]> =>
  upTo(limit, async (size, last) => keys.list({ ...query, limit: size, cursor: last?.keyId }));

/** Claim links, page by page, the newest first. */
export const claimsUpTo = (
  keys: ApiKeyManager,
  query: Pick<ListClaimsOptions, 'status'>,
  limit: number,
): Promise<ClaimRecord[]> =>
  upTo(limit, async (size, last) =>
    keys.listClaims({ ...query, limit: size, cursor: last?.claimId }),
  );

/** Events that `keep` accepts, page by page, the newest first. */
export const eventsUpTo = (
  keys: ApiKeyManager,
  query: Pick<HistoryOptions, 'keyId' | 'user' | 'since'>,
  limit: number,
  keep?: (event: KeyEvent) => boolean,
): Promise<KeyEvent[]> =>
  upTo(
    limit,
    async (size, last) => keys.history({ ...query, limit: size, cursor: last?.eventId }),
    keep,
  );

async function upTo<Item>(
  limit: number,
  pageAfter: (size: number, last: Item | undefined) => Promise<Item[]>,
  keep?: (item: Item) => boolean,
): Promise<Item[]> {
  const items: Item[] = [];
  let last: Item | undefined;
  while (items.length < limit) {
    // What is wanted may be rare, so pages to be sifted are whole.
    const size = keep ? pageSize : Math.min(pageSize, limit - items.length);
    const page = await pageAfter(size, last);
    last = page.at(-1);
    items.push(...(keep ? page.filter(keep) : page));
    if (page.length < size) break;
  }
  return items.slice(0, limit);
}
