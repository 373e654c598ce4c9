import { deepCopy } from '../../lib/values.js';
import type { KeyUsage, UsageQuery, UsageStore } from '../key-usage.js';

/** Keeps uses per day in this process, beside the keys of a `MemoryKeyStore`. */
export class MemoryUsage implements UsageStore {
  readonly #counts = new Map<string, KeyUsage>();

  async add(counts: readonly KeyUsage[]): Promise<void> {
    for (const { day, keyId, user, admitted, refused } of counts) {
      const id = `${day} ${keyId}`;
      const known = this.#counts.get(id) ?? { admitted: 0, refused: 0 };
      this.#counts.set(id, {
        day,
        keyId,
        user,
        admitted: known.admitted + admitted,
        refused: known.refused + refused,
      });
    }
  }

  async list({ keyId, user, from, to }: UsageQuery): Promise<KeyUsage[]> {
    return [...this.#counts.entries()]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, count]) => count)
      .filter(({ day }) => day >= from && day <= to)
      .filter((count) => keyId === undefined || count.keyId === keyId)
      .filter((count) => user === undefined || count.user === user)
      .map(deepCopy);
  }

  async prune(beforeDay: string): Promise<number> {
    const old = [...this.#counts].filter(([, { day }]) => day < beforeDay);
    for (const [id] of old) this.#counts.delete(id);
    return old.length;
  }
}
