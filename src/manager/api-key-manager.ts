import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { channels } from '../keys/diagnostics.js';
import { generateApiKey, parseApiKey } from '../keys/key-format.js';
import { byDigest, ownSource, type DigestSource, type VerifyResult } from '../keys/key-source.js';
import { deepCopy } from '../lib/deep-copy.js';
import type { Digest } from '../keys/digest.js';
import { dayMs } from '../lib/durations.js';
import type { ClaimRecord } from '../stores/claim-store.js';
import { endsWithOverlap } from '../stores/key-store-error.js';
import type { KeyRecord, StoredKey } from '../stores/key-record.js';
import type { KeyStore } from '../stores/key-store.js';
import type { CreateClaimOptions, ListClaimsOptions } from './claim-options.js';
import { Claims, type CreatedClaim } from './claims.js';
import { everything } from './cache/recent-changes.js';
import { KeyVerifier } from './key-verifier.js';
import {
  assertKeyId,
  checkCreateOptions,
  checkImportOptions,
  checkListOptions,
  checkManagerOptions,
  checkPruneOptions,
  checkRevokeOptions,
  checkRotateOptions,
  checkUpdateOptions,
  type ApiKeyManagerOptions,
  type CreateKeyOptions,
  type ImportKeyOptions,
  type ListKeysOptions,
  type PruneOptions,
  type RevokeKeyOptions,
  type RotateKeyOptions,
  type UpdateKeyOptions,
} from './manager-options.js';

/** A key that has just been made. The key itself cannot be shown again. */
export interface CreatedKey {
  /** The whole key, for its user alone. */
  readonly key: string;
  /** What is kept of the key. */
  readonly record: KeyRecord;
}

/**
 * Issues, verifies, rotates and revokes the keys of a store, `const keys = new ApiKeyManager({ store })`, and is a key source:
 * `requireApiKey({ source: keys })`.
 *
 * What it does is seen by the next request in this process, and within a second by every other process on the same store where
 * that announces changes, else after `cacheTtlMs`. A key that was looked up costs no further query.
 *
 * Methods reject with a `KeyStoreError` for what cannot be done (an unknown key id, a second rotation), with a `TypeError` or
 * `RangeError` for arguments that make no sense, and with any other error when the store fails.
 */
export class ApiKeyManager implements DigestSource {
  /** What `req.apiKey.source` and diagnostics channels call it. */
  readonly name = 'managed';
  readonly #store: KeyStore;
  readonly #prefix: string;
  readonly #now: () => number;
  readonly #verifier: KeyVerifier;
  readonly #claims: Claims;
  #closed: Promise<void> | undefined;

  /**
   * Makes a manager; nothing is asked of the store before the first key comes.
   *
   * @throws {TypeError} for an unknown or wrong option, a missing `store` above all.
   * @throws {RangeError} for a number out of its bounds.
   */
  constructor(options: ApiKeyManagerOptions) {
    const {
      store,
      prefix = 'key',
      legacyKeys = false,
      cacheTtlMs = 30_000,
      staleIfErrorMs = 300_000,
      maxCachedKeys = 10_000,
      lastUsedIntervalMs = 60_000,
      now = Date.now,
    } = checkManagerOptions(options);
    this.#store = store;
    this.#prefix = prefix;
    this.#now = now;
    this.#verifier = new KeyVerifier({
      store,
      source: this.name,
      now,
      legacyKeys,
      cacheTtlMs,
      staleIfErrorMs,
      maxCachedKeys,
      lastUsedIntervalMs,
    });
    this.#claims = new Claims({
      store,
      prefix,
      source: this.name,
      now,
      onCreated: (record) => this.#announce('created', record),
    });
  }

  /** Issues a key, stores its digest and resolves to both key and record: the key cannot be shown again. */
  async create(options: CreateKeyOptions): Promise<CreatedKey> {
    const fields = checkCreateOptions(options);
    const { key, keyId, digest } = generateApiKey({ prefix: this.#prefix });
    const record = await this.#insert(fields, keyId, digest);
    return { key, record };
  }

  /**
   * Takes over a key that exists already, by itself or by its digest. One of this library's form, given by itself, keeps its key id;
   * any other gets a new one. A key of another form is accepted by a manager with `legacyKeys` alone. Rejects with `duplicate_key`
   * where the key is there already.
   */
  async import(options: ImportKeyOptions): Promise<KeyRecord> {
    const { fields, digest, key } = checkImportOptions(options);
    const keyId = parseApiKey(key)?.keyId ?? generateApiKey({ prefix: this.#prefix }).keyId;
    return this.#insert(fields, keyId, digest);
  }

  /**
   * Says whose key it is, or why it may not be used, and notes its use. Works without Express. Rejects when the store fails and the
   * key was not known to be right within `staleIfErrorMs`.
   *
   * @param req the request, for subscribers to the `reuse` channel
   */
  async verify(presentedKey: string, req?: Request): Promise<VerifyResult> {
    return this.#verifier.verify(presentedKey, req);
  }

  /**
   * How a guard asks, so that several sources cost one digest.
   *
   * @hidden
   */
  [byDigest](
    digest: Digest,
    presentedKey: string,
    req?: Request,
  ): VerifyResult | Promise<VerifyResult> {
    return this.#verifier.verifyDigest(digest, presentedKey, req);
  }

  /** The record of a key, without its digest, or `undefined` where there is none. */
  async get(keyId: string): Promise<KeyRecord | undefined> {
    assertKeyId('get', keyId);
    return this.#store.get(keyId);
  }

  /** A page of records without their digests, newest first. Rejects with `unknown_key_id` for a `cursor` that names no key. */
  async list(options?: ListKeysOptions): Promise<KeyRecord[]> {
    const { limit = 100, ...query } = checkListOptions(options);
    return this.#store.list({ ...query, limit, now: new Date(this.#now()) });
  }

  /**
   * Changes one record and resolves to it; parts that are not named stay as they are. Rejects with `unknown_key_id`, and with
   * `already_rotated` where it would put off the end of a key that a rotation has replaced.
   */
  async update(keyId: string, options: UpdateKeyOptions): Promise<KeyRecord> {
    assertKeyId('update', keyId);
    const changes = checkUpdateOptions(options);
    if (changes.expiresAt !== undefined) await this.#assertNotReplaced(keyId, changes.expiresAt);
    const record = await this.#forgetOnFailure(keyId, this.#store.update(keyId, changes));
    this.#announce('updated', record);
    return record;
  }

  /**
   * Issues a successor with the same user, name, scopes, metadata and expiry. The old key works on for `overlapMs`, counted
   * from now or from the successor's first use, to the millisecond, and never longer than it would have. A key is rotated once; its
   * successor can be rotated in turn. Rejects with `unknown_key_id`, `key_not_usable` (revoked or expired) or `already_rotated`.
   */
  async rotate(
    keyId: string,
    options?: RotateKeyOptions,
  ): Promise<
    CreatedKey & {
      /** What is kept of the old key from now on. */
      readonly previous: KeyRecord;
    }
  > {
    assertKeyId('rotate', keyId);
    const { overlapMs = dayMs, startsAt = 'now' } = checkRotateOptions(options);
    const { key, ...successor } = generateApiKey({ prefix: this.#prefix });
    const createdAt = new Date(this.#now());
    const rotated = await this.#forgetOnFailure(
      keyId,
      this.#store.rotate(keyId, { ...successor, createdAt }, { overlapMs, startsAt }),
    );
    this.#announce('rotated', rotated.previous);
    this.#announceEnded(rotated.previous);
    this.#announce('created', rotated.record);
    return { key, ...rotated };
  }

  /**
   * Revokes a key, at once and for good, and with `family` all that rotations link to it. Resolves to the records of all of them,
   * that of the named key first. A key that was revoked before keeps its `revokedAt`. Rejects with `unknown_key_id`.
   */
  async revoke(keyId: string, options?: RevokeKeyOptions): Promise<KeyRecord[]> {
    assertKeyId('revoke', keyId);
    const { family = false } = checkRevokeOptions(options);
    const revokedAt = new Date(this.#now());
    const records = await this.#forgetOnFailure(
      family ? everything : keyId,
      this.#store.revoke(keyId, revokedAt, { family }),
    );
    for (const record of records) this.#announce('revoked', record);
    return records;
  }

  /**
   * What the manager takes for now, in milliseconds since 1970: pages that show its keys have to see them as it does.
   *
   * @hidden
   */
  clock(): number {
    return this.#now();
  }

  /** Whether the store keeps claim links; where it does not, the methods for them reject with a `TypeError`. */
  get keepsClaims(): boolean {
    return this.#store.claims !== undefined;
  }

  /**
   * Makes a claim link's token: whoever presents it first is given a key that does not exist before. Put it into the fragment of the
   * claim page's address, `https://host/claim#<token>`, which reaches neither logs nor link previews. Rejects with a `RangeError`
   * where `expiresAt` is not in the future.
   */
  async createClaim(options: CreateClaimOptions): Promise<CreatedClaim> {
    return this.#claims.create(options);
  }

  /** What an open claim link would yield. Changes nothing. Rejects with the `ClaimError` `claim_not_usable` as `claim` does. */
  async peekClaim(token: string, req?: IncomingMessage): Promise<ClaimRecord> {
    return this.#claims.peek(token, req);
  }

  /**
   * Makes the key of a claim link, once. For a token that is used, expired, revoked, malformed or unknown it rejects with one and the
   * same `ClaimError`, `claim_not_usable`; the `claim` channel says which, with `req` where it is given.
   */
  async claim(token: string, req?: IncomingMessage): Promise<CreatedKey> {
    return this.#claims.claim(token, req);
  }

  /** A page of claim links without their tokens, newest first. Rejects with `unknown_claim_id` for a `cursor` that names none. */
  async listClaims(options?: ListClaimsOptions): Promise<ClaimRecord[]> {
    return this.#claims.list(options);
  }

  /** Revokes a claim link that has not been used, for good. Rejects with a `ClaimError`: `unknown_claim_id`, `claim_used`. */
  async revokeClaim(claimId: string): Promise<ClaimRecord> {
    return this.#claims.revoke(claimId);
  }

  /**
   * Deletes the records of keys that were revoked or expired at least `olderThanMs` ago, and the claim links that were used, revoked
   * or expired by then. A key that took over from another stays until that one has ended as long ago: it tells whose successor it is.
   * Resolves to the number of keys.
   */
  async prune(options: PruneOptions): Promise<number> {
    const { olderThanMs } = checkPruneOptions(options);
    const before = new Date(this.#now() - olderThanMs);
    await this.#claims.prune(before);
    const pruned = await this.#forgetOnFailure(everything, this.#store.prune(before));
    // A digest that is imported again gets another key id than the one under which it is known.
    if (pruned > 0) this.#verifier.forget(everything);
    return pruned;
  }

  /**
   * Writes the last uses that are waiting, for at most five seconds, and stops timers and listening. Never rejects. The store stays
   * open; calling it again does no harm.
   */
  close(): Promise<void> {
    this.#closed ??= this.#verifier.close();
    return this.#closed;
  }

  /** Where a key is replaced before its first use, its rotation also ends the key that waited for that use. */
  #announceEnded({ replaces, overlapMs, user }: KeyRecord): void {
    if (replaces !== undefined && overlapMs !== undefined)
      this.#announce('updated', { keyId: replaces, user });
  }

  /** For a store that does not refuse it by itself: one that does has the last word, for it can tell whether a rotation came between. */
  async #assertNotReplaced(keyId: string, until: Date | null): Promise<void> {
    const { replacedBy, expiresAt } = (await this.#store.get(keyId)) ?? {};
    if (
      replacedBy === undefined ||
      expiresAt === undefined ||
      (until !== null && until <= expiresAt)
    )
      return;
    throw endsWithOverlap();
  }

  /** A change whose answer got lost may have been made all the same: what was known of the key is not trusted any longer. */
  async #forgetOnFailure<Result>(keyId: string, change: Promise<Result>): Promise<Result> {
    try {
      return await change;
    } catch (error) {
      this.#verifier.forget(keyId);
      throw error;
    }
  }

  async #insert(fields: CreateKeyOptions, keyId: string, digest: string): Promise<KeyRecord> {
    const { user, name, scopes = [], expiresAt, metadata = {} } = fields;
    const stored: StoredKey = {
      keyId,
      digest,
      user,
      ...(name !== undefined && { name }),
      scopes: [...scopes],
      metadata: deepCopy(metadata),
      createdAt: new Date(this.#now()),
      ...(expiresAt && { expiresAt: new Date(expiresAt) }),
    };
    const record = await this.#forgetOnFailure(keyId, this.#store.insert(stored));
    this.#announce('created', record);
    return record;
  }

  #announce(
    reason: 'created' | 'updated' | 'rotated' | 'revoked',
    { keyId, user }: Pick<KeyRecord, 'keyId' | 'user'>,
  ): void {
    this.#verifier.forget(keyId);
    if (channels.changed.hasSubscribers)
      channels.changed.publish({ keyId, user, source: this.name, reason });
  }
}

ownSource(ApiKeyManager.prototype);
