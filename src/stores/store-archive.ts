import type { StoredClaim } from './claim-store.js';
import type { KeyEvent } from './key-event.js';
import type { StoredKey } from './key-record.js';
import type { KeyUsage } from './key-usage.js';

/** An entry that the target already has with other content. */
export interface ArchiveConflict {
  /** A key id, an event id, a claim id, or `<day> <key id>` of usage. */
  readonly id: string;
  /** What differs, as field names or a phrase. Never a digest or a value. */
  readonly why: string;
}

/** The outcome of writing a batch. */
export interface ArchiveResult {
  /** How many were inserted, or would be with `isDryRun`. */
  readonly copied: number;
  /** How many were already there and equal. */
  readonly skipped: number;
  /** Entries that were already there and differ. They stay as they are. */
  readonly conflicts: readonly ArchiveConflict[];
}

/** How a batch is written. */
export interface ArchiveOptions {
  /** Whether to change nothing and only report the outcome. */
  readonly isDryRun: boolean;
}

/**
 * Everything that a store keeps, for copying into another store.
 *
 * Each `read*` yields batches in an order in which they can be written: keys by `createdAt` and
 * `keyId`, claim links likewise, events oldest first, usage by day and key id. It may miss what
 * is added while it runs. Running it again finds the rest.
 *
 * Each `write*` handles its batch in one step. It inserts what is missing, skips what is equal,
 * and reports what differs. It never overwrites or deletes, and it leaves no event. A later
 * `lastUsedAt`, or a link that was claimed in the target meanwhile, is no difference.
 *
 * @internal
 */
export interface StoreArchive {
  /** Keys with their digests. `replacedBy` follows from the `replaces` of another key. */
  readKeys(): AsyncIterable<readonly StoredKey[]>;
  /** Claim links with the digests of their tokens. */
  readClaims(): AsyncIterable<readonly StoredClaim[]>;
  readEvents(): AsyncIterable<readonly KeyEvent[]>;
  readUsage(): AsyncIterable<readonly KeyUsage[]>;
  writeKeys(keys: readonly StoredKey[], options: ArchiveOptions): Promise<ArchiveResult>;
  writeClaims(claims: readonly StoredClaim[], options: ArchiveOptions): Promise<ArchiveResult>;
  writeEvents(events: readonly KeyEvent[], options: ArchiveOptions): Promise<ArchiveResult>;
  writeUsage(counts: readonly KeyUsage[], options: ArchiveOptions): Promise<ArchiveResult>;
}

/** The most entries in a batch. */
export const archiveBatch = 500;

/** The entries of a batch, by what will happen to them. */
export interface Sorted<Entry> {
  readonly missing: readonly Entry[];
  readonly skipped: number;
  readonly conflicts: readonly ArchiveConflict[];
}

/** Sorts a batch of keys. `found` has the target's records with the same key ids or digests. */
export function sortKeys(given: readonly StoredKey[], found: readonly StoredKey[]) {
  const byId = new Map(found.map((key) => [key.keyId, key]));
  const digests = new Set(found.map(({ digest }) => digest));
  return sortBatch<StoredKey>(given, (key) => {
    const there = byId.get(key.keyId);
    const id = key.keyId;
    if (!there)
      return { id, differences: digests.has(key.digest) ? ['another key id there'] : undefined };
    // A first use in the target has already ended this wait.
    const ignored = there.overlapMs === undefined && there.lastUsedAt ? ['overlapMs'] : [];
    return { id, differences: differencesOf(key, there, ['lastUsedAt', 'replacedBy', ...ignored]) };
  });
}

/** The same for claim links, by claim id or token. */
export function sortClaims(given: readonly StoredClaim[], found: readonly StoredClaim[]) {
  const byId = new Map(found.map((claim) => [claim.claimId, claim]));
  const digests = new Set(found.map(({ tokenDigest }) => tokenDigest));
  return sortBatch<StoredClaim>(given, (claim) => {
    const there = byId.get(claim.claimId);
    const id = claim.claimId;
    if (!there) {
      const isTaken = digests.has(claim.tokenDigest);
      return { id, differences: isTaken ? ['another claim id there'] : undefined };
    }
    const wasClaimed = !claim.claimedAt && there.claimedAt !== undefined;
    const ignored = wasClaimed ? ['claimedAt', 'keyId'] : [];
    return { id, differences: differencesOf(claim, there, ignored) };
  });
}

/** The same for events, by event id. */
export function sortEvents(given: readonly KeyEvent[], found: readonly KeyEvent[]) {
  const byId = new Map(found.map((event) => [event.eventId, event]));
  return sortBatch<KeyEvent>(given, (event) => {
    const there = byId.get(event.eventId);
    return { id: event.eventId, differences: there && differencesOf(event, there) };
  });
}

/** The same for usage, by day and key id. */
export function sortUsage(given: readonly KeyUsage[], found: readonly KeyUsage[]) {
  const idOf = ({ day, keyId }: KeyUsage) => `${day} ${keyId}`;
  const byId = new Map(found.map((usage) => [idOf(usage), usage]));
  return sortBatch<KeyUsage>(given, (usage) => {
    const there = byId.get(idOf(usage));
    return { id: idOf(usage), differences: there && differencesOf(usage, there) };
  });
}

function sortBatch<Entry>(
  given: readonly Entry[],
  judge: (entry: Entry) => { id: string; differences: readonly string[] | undefined },
): Sorted<Entry> {
  const missing: Entry[] = [];
  const conflicts: ArchiveConflict[] = [];
  for (const entry of given) {
    const { id, differences } = judge(entry);
    if (!differences) missing.push(entry);
    else if (differences.length > 0) conflicts.push({ id, why: differences.join(', ') });
  }
  return { missing, conflicts, skipped: given.length - missing.length - conflicts.length };
}

/** The names of the fields that differ. */
function differencesOf(given: object, found: object, ignored: readonly string[] = []): string[] {
  const [a, b] = [given, found] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (field) => !ignored.includes(field) && canonical(a[field]) !== canonical(b[field]),
  );
}

/** The value as text, independent of the order of its fields. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([x], [y]) => (x < y ? -1 : 1)))
      : part,
  );
}
