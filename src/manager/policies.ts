import { lifetimeTooLong, tooManyKeys } from '../stores/key-store-error.js';
import type { KeyLimit, KeyStore } from '../stores/key-store.js';
import type { Change } from './change-options.js';

/** What a manager allows new keys. */
export interface PolicyOptions {
  readonly maxKeysPerUser: number | undefined;
  readonly defaultLifetimeMs: number | undefined;
  readonly maxLifetimeMs: number | undefined;
}

/** Holds new keys to the manager's limits. Existing keys stay. */
export class Policies {
  readonly #options: PolicyOptions;

  constructor(options: PolicyOptions) {
    this.#options = options;
  }

  /**
   * When a new key expires.
   *
   * @throws {KeyStoreError} `lifetime_too_long`
   */
  expiryOfNew(given: Date | undefined, now: number): Date | undefined {
    const expiresAt = given ?? this.defaultExpiry(now);
    this.assertLifetime(expiresAt, now);
    return expiresAt;
  }

  /** When a key made at `now` expires if no end is given. */
  defaultExpiry(now: number): Date | undefined {
    const { defaultLifetimeMs } = this.#options;
    return defaultLifetimeMs === undefined ? undefined : new Date(now + defaultLifetimeMs);
  }

  /** @throws {KeyStoreError} `lifetime_too_long` for a later end, or none. */
  assertLifetime(expiresAt: Date | null | undefined, now: number): void {
    const { maxLifetimeMs } = this.#options;
    if (maxLifetimeMs === undefined) return;
    if (!expiresAt || expiresAt.getTime() > now + maxLifetimeMs) throw lifetimeTooLong();
  }

  /**
   * The most keys that a user may have after a change, of those that a store counts. `undefined`
   * for any number.
   */
  maxKeys(change?: Change): number | undefined {
    const limits = [this.#options.maxKeysPerUser, change?.maxKeysPerUser];
    const least = Math.min(...limits.map((limit) => limit ?? Number.POSITIVE_INFINITY));
    return Number.isFinite(least) ? Math.max(0, least - (change?.keysBesideLimit ?? 0)) : undefined;
  }

  /**
   * The limit that a store must hold a change to.
   *
   * @throws {KeyStoreError} `too_many_keys`, here only for a store that does not count itself
   */
  async limitFor(
    store: KeyStore,
    user: string,
    change: Change,
    now: Date,
  ): Promise<KeyLimit | undefined> {
    const maxKeysPerUser = this.maxKeys(change);
    if (maxKeysPerUser === undefined) return undefined;
    // An older store ignores limits, so the keys are counted here, if not atomically.
    if (!store.revokeUser && (await countKeys(store, user, now)) >= maxKeysPerUser)
      throw tooManyKeys();
    return { maxKeysPerUser, now };
  }
}

async function countKeys(store: KeyStore, user: string, now: Date): Promise<number> {
  const records = await store.list({ user, status: 'active', limit: 1_000, now });
  return records.filter(({ replacedBy }) => replacedBy === undefined).length;
}
