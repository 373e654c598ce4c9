import { deepCopy } from '../../lib/values.js';
import type { EventQuery, EventStore, KeyEvent } from '../key-event.js';
import { unknownEventId } from '../key-store-error.js';

/** Keeps events in this process, beside the keys of a `MemoryKeyStore`. */
export class MemoryEvents implements EventStore {
  /** Oldest first. */
  #events: KeyEvent[] = [];

  add(event: KeyEvent): void {
    this.#events.push(deepCopy(event));
  }

  async list({ keyId, user, since, limit, cursor }: EventQuery): Promise<KeyEvent[]> {
    const events = this.#events.toReversed();
    const start =
      cursor === undefined ? 0 : events.findIndex(({ eventId }) => eventId === cursor) + 1;
    if (cursor !== undefined && start === 0) throw unknownEventId();
    return events
      .slice(start)
      .filter((event) => keyId === undefined || event.keyId === keyId)
      .filter((event) => user === undefined || concerns(event, user))
      .filter((event) => since === undefined || event.at >= since)
      .slice(0, limit)
      .map(deepCopy);
  }

  async prune(before: Date): Promise<number> {
    const kept = this.#events.filter(({ at }) => at >= before);
    const pruned = this.#events.length - kept.length;
    this.#events = kept;
    return pruned;
  }
}

const concerns = (event: KeyEvent, user: string) =>
  event.user === user || event.changes?.user?.[0] === user;
