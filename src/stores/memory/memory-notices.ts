import type { KeyRecord } from '../key-record.js';
import type { KeyNotice, NoticeQuery } from '../key-store.js';

/** Remembers which keys were reported before their end, beside the keys of a `MemoryKeyStore`. */
export class MemoryNotices {
  readonly #reported = new Map<string, { readonly end: number; readonly beforeMs: number }>();

  /** Reports each key once for each threshold and end. The key that ends first comes first. */
  take(records: readonly KeyRecord[], { beforeMs, now }: NoticeQuery): KeyNotice[] {
    const notices: KeyNotice[] = [];
    for (const record of records) {
      const { keyId, expiresAt, revokedAt, replacedBy } = record;
      if (!expiresAt || revokedAt || replacedBy !== undefined || expiresAt <= now) continue;
      const end = expiresAt.getTime();
      const nearest = Math.min(...beforeMs.filter((each) => end - now.getTime() <= each));
      const reported = this.#reported.get(keyId);
      if (nearest === Infinity || (reported?.end === end && reported.beforeMs <= nearest)) continue;
      this.#reported.set(keyId, { end, beforeMs: nearest });
      notices.push({ record, beforeMs: nearest, expiresAt: new Date(expiresAt) });
    }
    return notices.toSorted((a, b) => a.expiresAt.getTime() - b.expiresAt.getTime());
  }

  forget(keyId: string): void {
    this.#reported.delete(keyId);
  }
}
