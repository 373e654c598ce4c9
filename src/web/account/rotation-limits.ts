import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import { isOver, type KeyRecord } from '../../stores/key-record.js';

/** Neither revoked nor expired. A paused key may be resumed. */
const lives = (record: KeyRecord | undefined, now: number): boolean =>
  record !== undefined && !isOver(record, new Date(now));

/** Whether the key that this one replaced still works. */
export async function predecessorLives(
  keys: ApiKeyManager,
  { replaces }: KeyRecord,
): Promise<boolean> {
  return replaces !== undefined && lives(await keys.get(replaces), keys.clock());
}

/**
 * How many keys of a user still work in their overlap although their successor is gone. The limit
 * does not count them. Otherwise a user could get more keys by rotating keys and revoking the
 * successors.
 */
export async function keysBesideLimit(keys: ApiKeyManager, user: string): Promise<number> {
  const now = keys.clock();
  let count = 0;
  for (const status of ['rotating', 'paused'] as const) {
    let cursor: string | undefined;
    do {
      const page = await keys.list({ user, status, limit: pageSize, cursor });
      const ids = page.flatMap(({ replacedBy }) => replacedBy ?? []);
      const successors = await Promise.all(ids.map((keyId) => keys.get(keyId)));
      count += successors.filter((successor) => !lives(successor, now)).length;
      cursor = page.length === pageSize ? page.at(-1)?.keyId : undefined;
    } while (cursor !== undefined);
  }
  return count;
}

/** The most keys that a manager lists at once. */
const pageSize = 1_000;
