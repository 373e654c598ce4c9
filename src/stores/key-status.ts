import { whyNotUsable } from '../keys/admission.js';
import { expiringMs, type KeyRecord, type KeyStatus } from './key-store.js';

/** What a record is at `now`, in one word. */
export function statusOf(record: KeyRecord, now: Date): KeyStatus {
  const code = whyNotUsable(record, now.getTime());
  if (code) return code === 'revoked_api_key' ? 'revoked' : 'expired';
  if (record.replacedBy !== undefined) return 'rotating';
  const left = record.expiresAt
    ? record.expiresAt.getTime() - now.getTime()
    : Number.POSITIVE_INFINITY;
  return left <= expiringMs ? 'expiring' : 'active';
}
