import { dayMs } from '../../lib/durations.js';
import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import { expiringMs, type KeyRecord } from '../../stores/key-record.js';
import type { DatabaseOptions } from '../database/database-options.js';
import type { Finding } from '../finding.js';
import { commandOn } from '../paste-line.js';
import { keysUpTo } from '../records/list-up-to.js';
import { mask } from '../secrets.js';
import { count, plain } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { formatDuration } from '../values/duration.js';

/** A key unused for this long after it was made was forgotten, or never arrived. */
const patienceMs = 7 * dayMs;
/** Enough keys to find problems, and few enough to read quickly. */
const maxKeys = 10_000;
const maxNamed = 5;

/** Finds what is wrong with the keys in an up-to-date table. */
export async function examineKeys(
  keys: ApiKeyManager,
  options: DatabaseOptions,
  now: Date,
): Promise<Finding[]> {
  const usable = await keysUpTo(keys, { status: 'active' }, maxKeys);
  const expired = await keysUpTo(keys, { status: 'expired' }, maxKeys);
  const byId = new Map([...usable, ...expired].map((record) => [record.keyId, record]));
  const isOld = ({ createdAt }: KeyRecord) => now.getTime() - createdAt.getTime() > patienceMs;
  const isUnused = ({ lastUsedAt }: KeyRecord) => lastUsedAt === undefined;
  const successorOf = ({ replacedBy }: KeyRecord) => byId.get(replacedBy ?? '');

  const expiring = usable.filter(
    ({ replacedBy, expiresAt }) =>
      replacedBy === undefined && expiresAt && expiresAt.getTime() - now.getTime() <= expiringMs,
  );
  const waiting = usable.filter((record) => record.overlapMs !== undefined && isOld(record));
  const unused = usable.filter(
    (record) => isUnused(record) && isOld(record) && !waiting.includes(record),
  );
  const cutOff = expired.filter((record) => {
    const successor = successorOf(record);
    return !isUnused(record) && successor !== undefined && isUnused(successor);
  });

  const findings: Finding[] = [];
  const find = (code: string, found: readonly KeyRecord[], message: string, remedy: string) => {
    if (found.length > 0)
      findings.push({ severity: 'warning', code, message: `${message}: ${named(found)}.`, remedy });
  };
  const within = formatDuration(expiringMs);
  const since = formatDuration(patienceMs);
  const revoke = commandOn(options, 'revoke', '<keyId>');
  find(
    'expiring_key',
    expiring,
    `${count(expiring.length, 'key')} will expire within ${within}`,
    `create a new key for the user: ${commandOn(options, 'create', '<user> --expires 90d')}`,
  );
  find(
    'unused_key',
    unused,
    `${count(unused.length, 'key')} created over ${since} ago and never used`,
    `ask the user, or revoke the key: ${revoke}`,
  );
  find(
    'waiting_rotation',
    waiting,
    `${count(waiting.length, 'new key')} of a rotation not used for over ${since}, so the old ` +
      'key still works',
    `give the new key to its user, or revoke the old one: ${revoke}`,
  );
  find(
    'cut_off_client',
    cutOff,
    `${count(cutOff.length, 'old key')} ended by a rotation whose new key has never been used`,
    'these users are refused now: give them the new key, or create another: ' +
      commandOn(options, 'create', '<user>'),
  );
  const bound = usable.filter(({ allowedAddresses = [] }) => allowedAddresses.length > 0);
  if (bound.length > 0) {
    findings.push({
      severity: 'note',
      code: 'bound_keys',
      message:
        `${count(bound.length, 'key')} may be used from certain addresses only: ${named(bound)}. ` +
        "Behind proxies, the app needs app.set('trust proxy', <number of proxies>), never true.",
    });
  }
  if (usable.length === maxKeys || expired.length === maxKeys) {
    findings.push({
      severity: 'note',
      code: 'many_keys',
      message: `Only the newest ${maxKeys} keys were checked.`,
    });
  }
  return findings;
}

function named(records: readonly KeyRecord[]): string {
  const names = records
    .slice(0, maxNamed)
    .map(
      ({ keyId, user, expiresAt }) =>
        `${keyId} of ${plain(mask(user))}${expiresAt ? ` (${formatTime(expiresAt)})` : ''}`,
    );
  const rest = records.length - names.length;
  return names.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
