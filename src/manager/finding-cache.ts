import type { Digest } from '../lib/digest.js';
import { DigestTable } from '../lib/digest-table.js';
import type { CheckedKey } from './checked-key.js';
import type { Moment } from './moment.js';
import type { Stretch } from './store-watch.js';

/** What the store said of a digest, and how far it can be trusted. */
export interface Finding {
  readonly digest: Digest;
  /** `undefined`: no key has this digest. */
  readonly key: CheckedKey | undefined;
  /** When its query was sent: what happened later may be missing from it. */
  readonly askedAt: Moment;
  /** The stretch of watching that lasted when its query was sent, if one did. */
  readonly stretch: Stretch | undefined;
  /** Since room was last needed. */
  wasUsed: boolean;
}

/**
 * Findings by digest, at most `max` of them. When it is full, one goes that was not asked for since the last round: second-chance
 * eviction, where a hit sets one mark, while least-recently-used order would have it update a list.
 */
export class FindingCache {
  readonly #max: number;
  readonly #findings = new DigestTable<Finding>();
  readonly #byKeyId = new Map<string, Finding>();

  constructor(max: number) {
    this.#max = max;
  }

  get(digest: Digest): Finding | undefined {
    const finding = this.#findings.get(digest);
    // Written only where it changes: what is only read stays in the caches of the processor.
    if (finding && !finding.wasUsed) finding.wasUsed = true;
    return finding;
  }

  /** Takes the place of what was known of this digest, and of what was known of this key under another one. */
  set(finding: Finding): void {
    const { digest, key } = finding;
    this.delete(digest);
    if (key) {
      const before = this.#byKeyId.get(key.keyId);
      if (before) this.delete(before.digest);
    }
    if (this.#findings.size >= this.#max) this.#forgetKeyId(this.#findings.evict(useSecondChance));
    this.#findings.set(digest, finding);
    if (key) this.#byKeyId.set(key.keyId, finding);
  }

  delete(digest: Digest): void {
    const finding = this.#findings.get(digest);
    if (!finding) return;
    this.#findings.delete(digest);
    this.#forgetKeyId(finding);
  }

  deleteKey(keyId: string): void {
    const finding = this.#byKeyId.get(keyId);
    if (finding) this.delete(finding.digest);
  }

  clear(): void {
    this.#findings.clear();
    this.#byKeyId.clear();
  }

  #forgetKeyId({ key }: Finding): void {
    if (key) this.#byKeyId.delete(key.keyId);
  }
}

/** Spares what was used since the last round, this once. */
function useSecondChance(finding: Finding): boolean {
  const { wasUsed } = finding;
  finding.wasUsed = false;
  return wasUsed;
}
