import type { KeyRecord } from '../../key-record.js';
import type { KeyPause } from '../../key-store.js';
import { keyNotUsable } from '../../key-store-error.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { optionalTime, timeText } from '../values.js';
import { existing } from './find.js';
import { write } from './write.js';

export function pause(
  connection: Connection,
  names: Names,
  keyId: string,
  { pausedAt, pausedUntil }: KeyPause,
): KeyRecord {
  const old = pausable(connection, names, keyId, pausedAt);
  const wasPaused = isPaused(old, pausedAt);
  const isSame = wasPaused && old.pausedUntil?.getTime() === pausedUntil?.getTime();
  if (isSame) return old;
  return write(connection, names, keyId, {
    ...(!wasPaused && { paused_at: timeText(pausedAt) }),
    paused_until: optionalTime(pausedUntil),
  });
}

export function resume(connection: Connection, names: Names, keyId: string, now: Date): KeyRecord {
  const old = pausable(connection, names, keyId, now);
  if (!isPaused(old, now)) return old;
  return write(connection, names, keyId, { paused_at: null, paused_until: null });
}

function pausable(connection: Connection, names: Names, keyId: string, now: Date): KeyRecord {
  const record = existing(connection, names, keyId);
  if (record.revokedAt || (record.expiresAt && !(record.expiresAt > now))) throw keyNotUsable();
  return record;
}

const isPaused = ({ pausedAt, pausedUntil }: KeyRecord, now: Date) =>
  pausedAt !== undefined && !(pausedUntil && pausedUntil <= now);
