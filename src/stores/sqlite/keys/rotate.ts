import type { KeyRecord } from '../../key-record.js';
import type { Overlap, Successor } from '../../key-store.js';
import { alreadyRotated, duplicateKey, keyNotUsable } from '../../key-store-error.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { optionalTime, storable, timeText } from '../values.js';
import { existing } from './find.js';

export function rotate(
  connection: Connection,
  names: Names,
  keyId: string,
  { keyId: successorId, digest, createdAt, onlyScopes }: Successor,
  { overlapMs, startsAt }: Overlap,
): { record: KeyRecord; previous: KeyRecord } {
  const old = existing(connection, names, keyId);
  if (old.replacedBy !== undefined) throw alreadyRotated();
  if (old.revokedAt || (old.expiresAt && !(old.expiresAt > createdAt))) throw keyNotUsable();
  const scopes = onlyScopes ? old.scopes.filter((scope) => onlyScopes.includes(scope)) : old.scopes;
  const awaitsFirstUse = startsAt === 'first-use';
  const added = connection.all(
    `insert into ${names.keys}
      (key_id, digest, user_name, name, scopes, metadata, created_at, expires_at, replaces,
        overlap_ms, allowed_addresses)
    select ?, ?, user_name, name, ?, metadata, ?, expires_at, key_id, ?, allowed_addresses
    from ${names.keys} where key_id = ?
    on conflict do nothing returning key_id`,
    storable(successorId),
    digest,
    JSON.stringify(scopes),
    timeText(createdAt),
    awaitsFirstUse ? overlapMs : null,
    keyId,
  );
  if (added.length === 0) throw duplicateKey();
  // Written even if the end stays: the trigger then leaves the event of the rotation.
  endAt(connection, names, old, awaitsFirstUse ? undefined : createdAt.getTime() + overlapMs);
  // The key before this one waits for a first use that may never come.
  if (old.overlapMs !== undefined && old.replaces !== undefined)
    endKeyAt(connection, names, old.replaces, createdAt.getTime() + old.overlapMs);
  return {
    record: existing(connection, names, successorId),
    previous: existing(connection, names, keyId),
  };
}

/** Ends a key at an instant, or at its own end if that is earlier. An unknown id is ignored. */
export function endKeyAt(
  connection: Connection,
  names: Names,
  keyId: string,
  deadline: number,
): void {
  const [row] = connection.all(`select 1 from ${names.keys} where key_id = ?`, keyId);
  if (row) endAt(connection, names, existing(connection, names, keyId), deadline);
}

function endAt(
  connection: Connection,
  names: Names,
  { keyId, expiresAt }: KeyRecord,
  deadline = Number.POSITIVE_INFINITY,
): void {
  const isSooner = deadline < (expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
  connection.run(
    `update ${names.keys} set expires_at = ? where key_id = ?`,
    optionalTime(isSooner ? new Date(deadline) : expiresAt),
    keyId,
  );
}
