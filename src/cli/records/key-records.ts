import { statusOf } from '../../stores/key-record.js';
import type { KeyRecord } from '../../stores/key-record.js';
import { formatTime } from '../terminal/time.js';
import { formatDuration } from '../values/duration.js';

/** A record for machines, with its status at this moment. */
export function recordJson(record: KeyRecord): object {
  return { ...record, status: statusOf(record, new Date()) };
}

const timeOr = (instant: Date | undefined, otherwise: string) =>
  instant ? formatTime(instant) : otherwise;

/** A record for people, in full. */
export function recordPairs(record: KeyRecord): [string, string][] {
  const { scopes, metadata, replaces, replacedBy, overlapMs } = record;
  const pairs: [string, string | undefined][] = [
    ['key id', record.keyId],
    ['user', record.user],
    ['name', record.name],
    ['status', statusOf(record, new Date())],
    ['scopes', scopes.length > 0 ? scopes.join(' ') : 'none'],
    ['metadata', Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : undefined],
    ['created', formatTime(record.createdAt)],
    ['last used', timeOr(record.lastUsedAt, 'never')],
    ['expires', timeOr(record.expiresAt, 'never')],
    ['revoked', record.revokedAt && formatTime(record.revokedAt)],
    ['paused', record.pausedAt && formatTime(record.pausedAt)],
    ['paused until', record.pausedUntil && formatTime(record.pausedUntil)],
    ['addresses', record.allowedAddresses?.join(' ')],
    ['replaces', replaces],
    ['replaced by', replacedBy],
    [
      'overlap',
      overlapMs === undefined
        ? undefined
        : `${formatDuration(overlapMs)} from the first use of this key`,
    ],
  ];
  return pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
}

export const recordColumns = [
  { title: 'KEY ID' },
  { title: 'USER', least: 8 },
  { title: 'NAME', least: 8, spare: 3 },
  { title: 'SCOPES', least: 8, spare: 2 },
  { title: 'STATUS' },
  { title: 'CREATED', least: 10, spare: 4 },
  { title: 'LAST USED', least: 10, spare: 1 },
  { title: 'EXPIRES', least: 10 },
] as const;

/** A record for people, as a row under `recordColumns`. */
export function recordRow(record: KeyRecord): string[] {
  return [
    record.keyId,
    record.user,
    record.name ?? '',
    record.scopes.join(' '),
    statusOf(record, new Date()),
    formatTime(record.createdAt),
    timeOr(record.lastUsedAt, 'never'),
    timeOr(record.expiresAt, 'never'),
  ];
}
