import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { channels } from '../diagnostics.js';
import { generateApiKey, parseApiKey } from '../key-format.js';
import { byDigest, ownSource, unknownKey, type DigestSource, type VerifyResult } from '../key-source.js';
import { whyNotUsable } from '../lib/admission.js';
import { digestApiKey, sha256Hex } from '../lib/digest.js';
import { isPresentable } from '../lib/presented-key.js';
import type { ClaimRecord } from '../stores/claim-store.js';
import { KeyStoreError, type KeyRecord, type KeyStore, type StoredKey } from '../stores/key-store.js';
import type { CheckedKey } from './checked-key.js';
import type { CreateClaimOptions, ListClaimsOptions } from './claim-options.js';
import { Claims, type CreatedClaim } from './claims.js';
import { KeyLookup } from './key-lookup.js';
import { LastUsedRecorder } from './last-used-recorder.js';
import * as check from './manager-options.js';

/** A key that has just been made. The key itself is never to be had again. */
export interface CreatedKey {
  readonly key: string;
  readonly record: KeyRecord;
}

/**
 * Issues, verifies, rotates and revokes the keys of a store, and is a key source: `requireApiKey({ source: keys })`.
 * What it does is seen by the next request in this process, and within a second by every other process on the same store,
 * where that announces changes. A known key costs no query.
 *
 * Methods reject with a `KeyStoreError` for what cannot be done (an unknown key id, a second rotation), with a `TypeError` or
 * `RangeError` for arguments that make no sense, and with any other error when the store fails.
 */
export class ApiKeyManager implements DigestSource {
  readonly name = 'managed';
  readonly #store: KeyStore;
  readonly #prefix: string;
  readonly #legacyKeys: boolean;
  readonly #now: () => number;
  readonly #lookup: KeyLookup;
  readonly #recorder: LastUsedRecorder;
  readonly #claims: Claims;
  #closed: Promise<void> | undefined;
  /** Successors whose first use has still to be written, and the keys that it ends. */
  readonly #firstUses = new Map<string, string>();

  constructor(options: check.ApiKeyManagerOptions) {
    const {
      store,
      prefix = 'key',
      legacyKeys = false,
      cacheTtlMs = 30_000,
      staleIfErrorMs = 300_000,
      maxCachedKeys = 10_000,
      lastUsedIntervalMs = 60_000,
      now = Date.now,
    } = check.checkManagerOptions(options);
    this.#store = store;
    this.#prefix = prefix;
    this.#legacyKeys = legacyKeys;
    this.#now = now;
    this.#lookup = new KeyLookup({
      store,
      source: this.name,
      now,
      cacheTtlMs,
      staleIfErrorMs,
      maxCachedKeys,
    });
    this.#recorder = new LastUsedRecorder(store, lastUsedIntervalMs, (keyIds) => this.#endReplaced(keyIds));
    this.#claims = new Claims({
      store,
      prefix,
      source: this.name,
      now,
      onCreated: (record) => this.#announce('created', record),
    });
  }

  /** Issues a key. */
  async create(options: check.CreateKeyOptions): Promise<CreatedKey> {
    const fields = check.checkCreateOptions('create', options);
    const { key, keyId, digest } = generateApiKey({ prefix: this.#prefix });
    const record = await this.#insert(fields, keyId, digest);
    return { key, record };
  }

  /**
   * Takes over a key that exists already, by itself or by its digest. A key that does not have this library's form is
   * accepted by a manager with `legacyKeys` alone.
   */
  async import(options: check.ImportKeyOptions): Promise<KeyRecord> {
    const { key, digest = digestApiKey(key!), ...fields } = check.checkImportOptions(options);
    const keyId = parseApiKey(key)?.keyId ?? generateApiKey({ prefix: this.#prefix }).keyId;
    return this.#insert(fields, keyId, digest.toLowerCase());
  }

  /** Says whose key it is, or why it may not be used. Works without Express. Rejects when the store fails. */
  async verify(presentedKey: string, req?: Request): Promise<VerifyResult> {
    if (typeof presentedKey !== 'string' || !isPresentable(presentedKey)) return unknownKey;
    return this[byDigest](sha256Hex(presentedKey), presentedKey, req);
  }

  /** How a guard asks, so that several sources cost one digest. */
  [byDigest](hex: string, presentedKey: string, req?: Request): VerifyResult | Promise<VerifyResult> {
    const found = this.#lookup.peek(hex);
    if (found) return this.#decide(found.key, req);
    if (!this.#legacyKeys && !parseApiKey(presentedKey)) return unknownKey;
    return this.#lookup.find(hex).then((key) => this.#decide(key, req));
  }

  /** The record, without its digest, or `undefined` where there is none. */
  async get(keyId: string): Promise<KeyRecord | undefined> {
    check.assertKeyId('get', keyId);
    return this.#store.get(keyId);
  }

  /** Records without their digests, newest first. `cursor` is the `keyId` of the last record of the page before. */
  async list(options?: check.ListKeysOptions): Promise<KeyRecord[]> {
    const { limit = 100, ...query } = check.checkListOptions(options);
    return this.#store.list({ ...query, limit, now: new Date(this.#now()) });
  }

  /**
   * Changes one record; parts that are not named stay as they are. The expiry of a key that was rotated can be brought forward, not put
   * off: that rejects with `already_rotated`.
   */
  async update(keyId: string, options: check.UpdateKeyOptions): Promise<KeyRecord> {
    check.assertKeyId('update', keyId);
    const changes = check.checkUpdateOptions(options);
    if (changes.expiresAt !== undefined) await this.#assertNotReplaced(keyId, changes.expiresAt);
    const record = await this.#store.update(keyId, changes);
    this.#announce('updated', record);
    return record;
  }

  /**
   * Issues a successor with the same user, name, scopes, metadata and expiry. The old key works on for `overlapMs`, counted
   * from now or from the successor's first use, to the millisecond, and never longer than it would have.
   */
  async rotate(
    keyId: string,
    options?: check.RotateKeyOptions,
  ): Promise<CreatedKey & { readonly previous: KeyRecord }> {
    check.assertKeyId('rotate', keyId);
    const { overlapMs = 86_400_000, startsAt = 'now' } = check.checkRotateOptions(options);
    const { key, ...successor } = generateApiKey({ prefix: this.#prefix });
    const createdAt = new Date(this.#now());
    const rotated = await this.#store.rotate(keyId, { ...successor, createdAt }, { overlapMs, startsAt });
    await this.#endForgotten(rotated.previous, createdAt);
    this.#announce('rotated', rotated.previous);
    this.#announce('created', rotated.record);
    return { key, ...rotated };
  }

  /** Revokes a key, at once and for good, and with `family` all that rotations link to it. Resolves to all of them, it first. */
  async revoke(keyId: string, options?: check.RevokeKeyOptions): Promise<KeyRecord[]> {
    check.assertKeyId('revoke', keyId);
    const { family = false } = check.checkRevokeOptions(options);
    const records = await this.#store.revoke(keyId, new Date(this.#now()), { family });
    for (const record of records) this.#announce('revoked', record);
    return records;
  }

  /** Whether the store keeps claim links, so that the methods below work. */
  get keepsClaims(): boolean {
    return this.#store.claims !== undefined;
  }

  /**
   * Makes a claim link's token: whoever presents it first is given a key that does not exist before. Put it into the fragment of the
   * claim page's address, `https://host/claim#<token>`, which reaches neither logs nor link previews.
   */
  async createClaim(options: CreateClaimOptions): Promise<CreatedClaim> {
    return this.#claims.create(options);
  }

  /** What an open link would yield. Changes nothing. Rejects with the `ClaimError` `claim_not_usable` as `claim` does. */
  async peekClaim(token: string, req?: IncomingMessage): Promise<ClaimRecord> {
    return this.#claims.peek(token, req);
  }

  /**
   * Makes the key of a claim link, once. For a token that is used, expired, withdrawn, malformed or unknown it rejects with one and the
   * same `ClaimError`, `claim_not_usable`; the `claim` channel says which, with `req` where it is given.
   */
  async claim(token: string, req?: IncomingMessage): Promise<CreatedKey> {
    return this.#claims.claim(token, req);
  }

  /** Claim links without their tokens, newest first. `cursor` is the `claimId` of the last one of the page before. */
  async listClaims(options?: ListClaimsOptions): Promise<ClaimRecord[]> {
    return this.#claims.list(options);
  }

  /** Withdraws a claim link that has not been used, for good. Rejects with a `ClaimError`: `unknown_claim_id`, `claim_used`. */
  async revokeClaim(claimId: string): Promise<ClaimRecord> {
    return this.#claims.revoke(claimId);
  }

  /**
   * Deletes the records of keys that were revoked or expired longer ago than this, and the claim links that ended before then.
   * Resolves to the number of keys.
   */
  async prune(options: check.PruneOptions): Promise<number> {
    const { olderThanMs } = check.checkPruneOptions(options);
    const before = new Date(this.#now() - olderThanMs);
    await this.#claims.prune(before);
    return this.#store.prune(before);
  }

  /** Writes the last uses that are waiting, and stops timers and listening. The store stays open; calling it again does no harm. */
  close(): Promise<void> {
    this.#closed ??= this.#recorder.close().then(() => this.#lookup.close());
    return this.#closed;
  }

  /** The verdict on a key that was found. */
  #decide(key: CheckedKey | undefined, req: Request | undefined): VerifyResult {
    if (!key) return unknownKey;
    const now = this.#now();
    const code = whyNotUsable(key, now);
    if (code) {
      const { keyId, user } = key;
      if (key.isReplaced && channels.reuse.hasSubscribers) {
        channels.reuse.publish({ ...(req && { request: req }), keyId, user, source: this.name, code });
      }
      return { ok: false, code, keyId, user };
    }
    this.#recordUse(key, now);
    return key.admitted;
  }

  #recordUse({ keyId, awaitsFirstUse, replaces }: CheckedKey, now: number): void {
    if (!awaitsFirstUse) {
      this.#recorder.record(keyId, now);
    } else if (!this.#firstUses.has(keyId)) {
      // Until it is written no later use may take its place: the end of the old key is counted from it.
      this.#firstUses.set(keyId, replaces!);
      this.#recorder.record(keyId, now);
      void this.#recorder.flush();
    }
  }

  /** A first use that was written has set the end of the key before; what is known of both is old. */
  #endReplaced(keyIds: readonly string[]): void {
    for (const keyId of keyIds) {
      const replaced = this.#firstUses.get(keyId);
      if (replaced === undefined) continue;
      this.#firstUses.delete(keyId);
      this.#lookup.forget(replaced);
      this.#lookup.forget(keyId);
    }
  }

  /** A key that was to end at the first use of one that is itself replaced unused would never end: it ends as if that use were now. */
  async #endForgotten({ replaces, overlapMs }: KeyRecord, usedAt: Date): Promise<void> {
    const forgotten = overlapMs === undefined ? undefined : await this.#store.get(replaces!);
    if (!forgotten) return;
    const deadline = usedAt.getTime() + overlapMs!;
    if (forgotten.expiresAt && forgotten.expiresAt.getTime() <= deadline) return;
    const ended = await this.#store.update(forgotten.keyId, { expiresAt: new Date(deadline) });
    this.#announce('updated', ended);
  }

  async #assertNotReplaced(keyId: string, until: Date | null): Promise<void> {
    const { replacedBy, expiresAt } = (await this.#store.get(keyId)) ?? {};
    if (replacedBy === undefined || expiresAt === undefined || (until !== null && until <= expiresAt)) return;
    throw new KeyStoreError(
      'already_rotated',
      'a key that was rotated ends when its overlap does, not later',
    );
  }

  async #insert(fields: check.CreateKeyOptions, keyId: string, digest: string): Promise<KeyRecord> {
    const { user, name, scopes = [], expiresAt, metadata = {} } = fields;
    const stored: StoredKey = {
      keyId,
      digest,
      user,
      ...(name !== undefined && { name }),
      scopes: [...scopes],
      metadata: structuredClone(metadata),
      createdAt: new Date(this.#now()),
      ...(expiresAt && { expiresAt: new Date(expiresAt) }),
    };
    const record = await this.#store.insert(stored);
    this.#announce('created', record);
    return record;
  }

  #announce(reason: 'created' | 'updated' | 'rotated' | 'revoked', { keyId, user }: KeyRecord): void {
    this.#lookup.forget(keyId);
    if (channels.changed.hasSubscribers) channels.changed.publish({ keyId, user, source: this.name, reason });
  }
}

ownSource(ApiKeyManager.prototype);
