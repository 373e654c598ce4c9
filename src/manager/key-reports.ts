import { dayMs } from '../lib/durations.js';
import type { KeyEvent } from '../stores/key-event.js';
import { notSupported } from '../stores/key-store-error.js';
import type { KeyRecord } from '../stores/key-record.js';
import type { KeyNotice, KeyStore } from '../stores/key-store.js';
import type { KeyUsage } from '../stores/key-usage.js';
import {
  checkHistoryOptions,
  checkListOptions,
  checkNoticeOptions,
  checkUsageOptions,
  dayOf,
  type HistoryOptions,
  type ListKeysOptions,
  type NoticeOptions,
  type PruneOptions,
  type UsageOptions,
} from './query-options.js';

const defaultUsageAgeMs = 400 * dayMs;

/** What a store can do besides what every store must. */
export type Abilities = Readonly<
  Record<'claims' | 'events' | 'pause' | 'revokeUser' | 'usage', boolean>
>;

export function abilitiesOf(store: KeyStore): Abilities {
  const can = (part: keyof KeyStore) => store[part] !== undefined;
  return {
    claims: can('claims'),
    events: can('events'),
    pause: can('pause'),
    revokeUser: can('revokeUser'),
    usage: can('usage'),
  };
}

/** Reports on many keys. */
export class KeyReports {
  readonly #store: KeyStore;
  readonly #now: () => number;

  constructor(store: KeyStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async list(options: ListKeysOptions | undefined): Promise<KeyRecord[]> {
    const checked = checkListOptions(options);
    const { limit = 100, unusedForMs, expiringWithinMs, ...query } = checked;
    const now = this.#now();
    return this.#store.list({
      ...query,
      ...(unusedForMs !== undefined && { unusedSince: new Date(now - unusedForMs) }),
      ...(expiringWithinMs !== undefined && { expiresBy: new Date(now + expiringWithinMs) }),
      limit,
      now: new Date(now),
    });
  }

  async history(options: HistoryOptions | undefined): Promise<KeyEvent[]> {
    const { limit = 100, ...query } = checkHistoryOptions(options);
    if (!this.#store.events) throw notSupported('keep a history');
    return this.#store.events.list({ ...query, limit });
  }

  async usage(options: UsageOptions | undefined): Promise<KeyUsage[]> {
    const query = checkUsageOptions(options, this.#now());
    if (!this.#store.usage) throw notSupported('count uses');
    return this.#store.usage.list(query);
  }

  async takeNotices(options: NoticeOptions): Promise<KeyNotice[]> {
    const { beforeMs } = checkNoticeOptions(options);
    if (!this.#store.takeNotices) throw notSupported('report keys that are about to expire');
    return this.#store.takeNotices({ beforeMs, now: new Date(this.#now()) });
  }

  /** Deletes events and counts that are old enough. */
  async prune({
    eventsOlderThanMs,
    usageOlderThanMs = defaultUsageAgeMs,
  }: PruneOptions): Promise<void> {
    const { events, usage } = this.#store;
    const now = this.#now();
    if (eventsOlderThanMs !== undefined) {
      if (!events) throw notSupported('keep a history');
      await events.prune(new Date(now - eventsOlderThanMs));
    }
    await usage?.prune(dayOf(now - usageOlderThanMs));
  }
}
