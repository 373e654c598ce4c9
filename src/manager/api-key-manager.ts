import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import type { KeySource, VerifyResult } from '../keys/key-source.js';
import { SharedDigest, sharesDigest } from '../keys/own-source.js';
import type { ClaimRecord } from '../stores/claim-store.js';
import type { KeyEvent } from '../stores/key-event.js';
import type { KeyRecord } from '../stores/key-record.js';
import type { KeyNotice, KeyStore, RevokedUser } from '../stores/key-store.js';
import type { KeyUsage } from '../stores/key-usage.js';
import { Announcer } from './announcer.js';
import { readChange, type ChangedBy } from './change-options.js';
import { assertKeyId } from './checks.js';
import type { CreateClaimOptions, ListClaimsOptions } from './claim-options.js';
import { Claims, type CreatedClaim } from './claims.js';
import { KeyEditor } from './key-editor.js';
import type {
  CreatedKey,
  CreateKeyOptions,
  ImportKeyOptions,
  PauseKeyOptions,
  RevokeAllOptions,
  RevokeKeyOptions,
  RotateKeyOptions,
  UpdateKeyOptions,
} from './key-options.js';
import { KeyReports } from './key-reports.js';
import { KeyVerifier } from './key-verifier.js';
import { checkManagerOptions, type ApiKeyManagerOptions } from './manager-options.js';
import { Policies } from './policies.js';
import {
  checkPruneOptions,
  type HistoryOptions,
  type ListKeysOptions,
  type NoticeOptions,
  type PruneOptions,
  type UsageOptions,
} from './query-options.js';

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
export class ApiKeyManager implements KeySource {
  /** @internal */
  readonly [sharesDigest] = true;
  /** What `req.apiKey.source` and diagnostics channels call it. */
  readonly name = 'managed';
  readonly #store: KeyStore;
  readonly #now: () => number;
  readonly #verifier: KeyVerifier;
  readonly #editor: KeyEditor;
  readonly #reports: KeyReports;
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
      countUses = true,
      now = Date.now,
      maxKeysPerUser,
      defaultLifetimeMs,
      maxLifetimeMs,
    } = checkManagerOptions(options);
    this.#store = store;
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
      countUses,
    });
    const forget = (keyId: string) => this.#verifier.forget(keyId);
    const announcer = new Announcer(this.name, forget);
    const policies = new Policies({ maxKeysPerUser, defaultLifetimeMs, maxLifetimeMs });
    this.#editor = new KeyEditor({ store, prefix, now, policies, announcer, forget });
    this.#reports = new KeyReports(store, now);
    this.#claims = new Claims({ store, prefix, now, policies, announcer });
  }

  /**
   * Issues a key, stores its digest and resolves to both key and record: the key cannot be shown again. Rejects with `too_many_keys` or
   * `lifetime_too_long` where the manager's policies forbid it.
   */
  async create(options: CreateKeyOptions): Promise<CreatedKey> {
    return this.#editor.create(options);
  }

  /**
   * Takes over a key that exists already, by itself or by its digest. One of this library's form, given by itself, keeps its key id;
   * any other gets a new one. A key of another form is accepted by a manager with `legacyKeys` alone. Rejects with `duplicate_key`
   * where the key is there already.
   */
  async import(options: ImportKeyOptions): Promise<KeyRecord> {
    return this.#editor.import(options);
  }

  /**
   * How a guard asks: without a promise if the key is known.
   *
   * @internal
   */
  verify(
    presentedKey: string,
    req: Request | undefined,
    shared: SharedDigest,
  ): VerifyResult | Promise<VerifyResult>;
  /**
   * Says whose key it is, or why it may not be used, and notes its use. Works without Express. Rejects when the store fails and the
   * key was not known to be right within `staleIfErrorMs`.
   *
   * @param req the request, for subscribers to the `reuse` channel
   */
  verify(presentedKey: string, req?: Request): Promise<VerifyResult>;
  verify(
    presentedKey: string,
    req?: Request,
    shared?: SharedDigest,
  ): VerifyResult | Promise<VerifyResult> {
    return shared instanceof SharedDigest
      ? this.#verifier.verifyDigest(SharedDigest.of(presentedKey, shared), presentedKey, req)
      : this.#verifier.verify(presentedKey, req);
  }

  /** The record of a key, without its digest, or `undefined` where there is none. */
  async get(keyId: string): Promise<KeyRecord | undefined> {
    assertKeyId('get', keyId);
    return this.#store.get(keyId);
  }

  /** A page of records without their digests, newest first. Rejects with `unknown_key_id` for a `cursor` that names no key. */
  async list(options?: ListKeysOptions): Promise<KeyRecord[]> {
    return this.#reports.list(options);
  }

  /**
   * Changes one record and resolves to it; parts that are not named stay as they are. Rejects with `unknown_key_id`, with
   * `already_rotated` where it would put off the end of a key that a rotation has replaced, and with `too_many_keys` or
   * `lifetime_too_long` where the manager's policies forbid it.
   */
  async update(keyId: string, options: UpdateKeyOptions): Promise<KeyRecord> {
    return this.#editor.update(keyId, options);
  }

  /**
   * Issues a successor with the same user, name, scopes, metadata, allowed addresses and expiry, which is not paused. The old key works on for `overlapMs`, counted
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
    return this.#editor.rotate(keyId, options);
  }

  /**
   * Revokes a key, at once and for good, and with `family` all that rotations link to it. Resolves to the records of all of them,
   * that of the named key first. A key that was revoked before keeps its `revokedAt`. Rejects with `unknown_key_id`.
   */
  async revoke(keyId: string, options?: RevokeKeyOptions): Promise<KeyRecord[]> {
    return this.#editor.revoke(keyId, options);
  }

  /**
   * Revokes all keys and open claim links of a user, at once and for good, in one step. Resolves to those that were revoked now. A key
   * that is created meanwhile is either revoked too or was created after. Rejects with `not_supported` if the store cannot.
   */
  async revokeAll(options: RevokeAllOptions): Promise<RevokedUser> {
    return this.#editor.revokeAll(options);
  }

  /**
   * Refuses a key with `paused_api_key` until it is resumed, or until an instant, to the millisecond. Pausing a paused key sets the end
   * anew. Rejects with `unknown_key_id`, `key_not_usable` (revoked or expired), `not_supported` if the store cannot, and with a
   * `RangeError` if `until` is not in the future.
   */
  async pause(keyId: string, options?: PauseKeyOptions): Promise<KeyRecord> {
    return this.#editor.pause(keyId, options);
  }

  /** Ends a pause, if there is one. Rejects as `pause` does. */
  async resume(keyId: string, options?: ChangedBy): Promise<KeyRecord> {
    return this.#editor.resume(keyId, options);
  }

  /**
   * A page of the record of changes: who did what to which key and why, newest first. Rejects with `unknown_event_id` for a `cursor`
   * that names no event, and with `not_supported` if the store keeps no history.
   */
  async history(options?: HistoryOptions): Promise<KeyEvent[]> {
    return this.#reports.history(options);
  }

  /**
   * How often keys were admitted and refused, by day and key id. Behind the truth by at most `lastUsedIntervalMs`; counts of that time
   * are lost with a process that is killed. Rejects with `not_supported` if the store keeps none.
   */
  async usage(options?: UsageOptions): Promise<KeyUsage[]> {
    return this.#reports.usage(options);
  }

  /**
   * The keys that have come within one of the times before their end and were not told of it before, for mails to their users. Each key
   * is told once for each of the times and end, however many ask at once. Rejects with `not_supported` if the store cannot.
   */
  async takeNotices(options: NoticeOptions): Promise<KeyNotice[]> {
    return this.#reports.takeNotices(options);
  }

  /**
   * What the manager takes for now, in milliseconds since 1970: pages that show its keys have to see them as it does.
   *
   * @hidden
   */
  clock(): number {
    return this.#now();
  }

  /**
   * What the store can do, for pages that leave out the rest.
   *
   * @hidden
   */
  get abilities(): Readonly<
    Record<'claims' | 'events' | 'pause' | 'revokeUser' | 'usage', boolean>
  > {
    const can = (part: keyof KeyStore) => this.#store[part] !== undefined;
    return {
      claims: can('claims'),
      events: can('events'),
      pause: can('pause'),
      revokeUser: can('revokeUser'),
      usage: can('usage'),
    };
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
  async revokeClaim(claimId: string, options?: ChangedBy): Promise<ClaimRecord> {
    return this.#claims.revoke(claimId, options);
  }

  /**
   * Deletes the records of keys that were revoked or expired at least `olderThanMs` ago, and the claim links that were used, revoked
   * or expired by then. A key that took over from another stays until that one has ended as long ago: it tells whose successor it is.
   * Counts of uses and, if asked, events go too once they are old enough. Resolves to the number of keys.
   */
  async prune(options: PruneOptions): Promise<number> {
    const checked = checkPruneOptions(options);
    const before = new Date(this.#now() - checked.olderThanMs);
    await this.#claims.prune(before);
    const pruned = await this.#editor.prune(before, readChange(options));
    await this.#reports.prune(checked);
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
}
