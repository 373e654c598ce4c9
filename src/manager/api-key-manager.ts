import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import type { KeySource, VerifyResult } from '../keys/key-source.js';
import { SharedDigest, sharesDigest } from '../keys/own-source.js';
import type { ClaimRecord } from '../stores/claim-store.js';
import type { KeyEvent } from '../stores/key-event.js';
import type { KeyRecord } from '../stores/key-record.js';
import type { KeyNotice, KeyStore, RevokedAll } from '../stores/key-store.js';
import type { KeyUsage } from '../stores/key-usage.js';
import { Announcer } from './announcer.js';
import { readChange, type Attribution } from './change-options.js';
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
import { abilitiesOf, KeyReports, type Abilities } from './key-reports.js';
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
 * Issues, verifies, rotates and revokes the keys of a store:
 * `const keys = new ApiKeyManager({ store })`. It is also a key source:
 * `requireApiKey({ source: keys })`.
 *
 * The next request in this process sees a change. Other processes on the same store see it within
 * a second if the store announces changes, else after `cacheTtlMs`. A cached key costs no further
 * query.
 *
 * Methods reject with a `KeyStoreError` if something cannot be done, such as for an unknown key
 * id or a second rotation. They reject with a `TypeError` or `RangeError` for invalid arguments,
 * and with any other error if the store fails.
 */
export class ApiKeyManager implements KeySource {
  /** @internal */
  readonly [sharesDigest] = true;
  /** The name of this source in `req.apiKey.source` and on diagnostics channels. */
  readonly name = 'managed';
  readonly #store: KeyStore;
  readonly #now: () => number;
  readonly #verifier: KeyVerifier;
  readonly #editor: KeyEditor;
  readonly #reports: KeyReports;
  readonly #claims: Claims;
  #closed: Promise<void> | undefined;

  /**
   * Makes a manager. The store is not asked before the first key comes.
   *
   * @throws {TypeError} for an unknown or wrong option, or a missing `store`.
   * @throws {RangeError} for a number out of its bounds.
   */
  constructor(options: ApiKeyManagerOptions) {
    const checked = checkManagerOptions(options);
    const { store, prefix, now } = checked;
    this.#store = store;
    this.#now = now;
    this.#verifier = new KeyVerifier({ ...checked, source: this.name });
    const { forget } = this.#verifier;
    const announcer = new Announcer(this.name, forget);
    const policies = new Policies(checked);
    this.#editor = new KeyEditor({ store, prefix, now, policies, announcer, forget });
    this.#reports = new KeyReports(store, now);
    this.#claims = new Claims({ store, prefix, now, policies, announcer });
  }

  /**
   * Issues a key, stores its digest and resolves to both key and record. The key cannot be shown
   * again. Rejects with `too_many_keys` or `lifetime_too_long` if the manager's policies forbid
   * it.
   */
  async create(options: CreateKeyOptions): Promise<CreatedKey> {
    return this.#editor.create(options);
  }

  /**
   * Adopts an existing key, given as the key or as its digest. A key of this library's form,
   * given as itself, keeps its key id. Any other gets a new one. A key of another form only works
   * in a manager with `legacyKeys`. Rejects with `duplicate_key` if the key is already stored.
   */
  async import(options: ImportKeyOptions): Promise<KeyRecord> {
    return this.#editor.import(options);
  }

  /**
   * Called by a guard. Returns no promise if the key is cached.
   *
   * @internal
   */
  verify(
    presentedKey: string,
    req: Request | undefined,
    shared: SharedDigest,
  ): VerifyResult | Promise<VerifyResult>;
  /**
   * Returns the identity of a key, or the reason why it may not be used, and records its use.
   * Works without Express. Rejects if the store fails and the key was not confirmed within
   * `staleIfErrorMs`.
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

  /** Returns the record of a key, without its digest, or `undefined`. */
  async get(keyId: string): Promise<KeyRecord | undefined> {
    assertKeyId('get', keyId);
    return this.#store.get(keyId);
  }

  /**
   * Returns a page of records without their digests, newest first. Rejects with `unknown_key_id`
   * for a `cursor` that names no key.
   */
  async list(options?: ListKeysOptions): Promise<KeyRecord[]> {
    return this.#reports.list(options);
  }

  /**
   * Changes one record and resolves to it. Fields that are not named stay as they are.
   *
   * Rejects with `unknown_key_id`, and with `already_rotated` if it would delay the end of a key
   * that was replaced in a rotation. Rejects with `too_many_keys` or `lifetime_too_long` if the
   * manager's policies forbid it.
   */
  async update(keyId: string, options: UpdateKeyOptions): Promise<KeyRecord> {
    return this.#editor.update(keyId, options);
  }

  /**
   * Issues a successor with the same user, name, scopes, metadata, allowed addresses and expiry,
   * but without a pause. The old key works for another `overlapMs`, counted from now or from the
   * successor's first use, to the millisecond. It never outlives its own expiry.
   *
   * A key can be rotated once. Its successor can be rotated in turn. Rejects with
   * `unknown_key_id`, `key_not_usable` (revoked or expired) or `already_rotated`.
   */
  async rotate(
    keyId: string,
    options?: RotateKeyOptions,
  ): Promise<
    CreatedKey & {
      /** The record of the old key as it is now. */
      readonly previous: KeyRecord;
    }
  > {
    return this.#editor.rotate(keyId, options);
  }

  /**
   * Revokes a key, at once and for good. With `family`, revokes every key that rotations link to
   * it. Resolves to all their records, that of the named key first. A key that was already
   * revoked keeps its `revokedAt`. Rejects with `unknown_key_id`.
   */
  async revoke(keyId: string, options?: RevokeKeyOptions): Promise<KeyRecord[]> {
    return this.#editor.revoke(keyId, options);
  }

  /**
   * Revokes all keys and open claim links of a user, at once and for good, in one step. Resolves
   * to those that this call revoked. A key created at the same time is either revoked too or
   * counts as created afterwards. Rejects with `not_supported` if the store cannot.
   */
  async revokeAll(options: RevokeAllOptions): Promise<RevokedAll> {
    return this.#editor.revokeAll(options);
  }

  /**
   * Refuses a key with `paused_api_key` until it is resumed, or until an instant, to the
   * millisecond. Pausing a paused key changes the end.
   *
   * Rejects with `unknown_key_id`, `key_not_usable` (revoked or expired), `not_supported` if the
   * store cannot, and with a `RangeError` if `until` is not in the future.
   */
  async pause(keyId: string, options?: PauseKeyOptions): Promise<KeyRecord> {
    return this.#editor.pause(keyId, options);
  }

  /** Ends a pause, if there is one. Rejects as `pause` does. */
  async resume(keyId: string, options?: Attribution): Promise<KeyRecord> {
    return this.#editor.resume(keyId, options);
  }

  /**
   * Returns a page of the history: who changed which key, how and why, newest first. Rejects with
   * `unknown_event_id` for a `cursor` that names no event, and with `not_supported` if the store
   * keeps no history.
   */
  async history(options?: HistoryOptions): Promise<KeyEvent[]> {
    return this.#reports.history(options);
  }

  /**
   * Returns how often keys were admitted and refused, by day and key id. It lags by at most
   * `lastUsedIntervalMs`. A process that is killed loses its counts of that time. Rejects with
   * `not_supported` if the store keeps none.
   */
  async usage(options?: UsageOptions): Promise<KeyUsage[]> {
    return this.#reports.usage(options);
  }

  /**
   * Finds keys that are about to expire, so that you can mail their users: those that are now
   * within one of the given times of their end. Each key is reported once for each time and end,
   * even if many processes ask at once. Rejects with `not_supported` if the store cannot.
   */
  async takeNotices(options: NoticeOptions): Promise<KeyNotice[]> {
    return this.#reports.takeNotices(options);
  }

  /**
   * The manager's current time, in milliseconds since 1970, for pages that show its keys.
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
  get abilities(): Abilities {
    return abilitiesOf(this.#store);
  }

  /**
   * Whether the store keeps claim links. If not, the methods for them reject with a `TypeError`.
   */
  get keepsClaims(): boolean {
    return this.#store.claims !== undefined;
  }

  /**
   * Makes a claim link and returns its token. The first person to present the token is given a
   * new key. Put the token into the fragment of the claim page's address,
   * `https://host/claim#<token>`: fragments reach neither logs nor link previews. Rejects with a
   * `RangeError` if `expiresAt` is not in the future.
   */
  async createClaim(options: CreateClaimOptions): Promise<CreatedClaim> {
    return this.#claims.create(options);
  }

  /**
   * Returns what an open claim link would yield. Changes nothing. Rejects with the `ClaimError`
   * `claim_not_usable` as `claim` does.
   */
  async peekClaim(token: string, req?: IncomingMessage): Promise<ClaimRecord> {
    return this.#claims.peek(token, req);
  }

  /**
   * Makes the key of a claim link, once. For a token that is used, expired, revoked, malformed or
   * unknown, it rejects with the same `ClaimError`, `claim_not_usable`. The `claim` channel says
   * which, with `req` if it is given.
   */
  async claim(token: string, req?: IncomingMessage): Promise<CreatedKey> {
    return this.#claims.claim(token, req);
  }

  /**
   * Returns a page of claim links without their tokens, newest first. Rejects with
   * `unknown_claim_id` for a `cursor` that names none.
   */
  async listClaims(options?: ListClaimsOptions): Promise<ClaimRecord[]> {
    return this.#claims.list(options);
  }

  /**
   * Revokes a claim link that has not been used, for good. Rejects with a `ClaimError`:
   * `unknown_claim_id`, `claim_used`.
   */
  async revokeClaim(claimId: string, options?: Attribution): Promise<ClaimRecord> {
    return this.#claims.revoke(claimId, options);
  }

  /**
   * Deletes the records of keys that were revoked or expired at least `olderThanMs` ago, and the
   * claim links that were used, revoked or expired by then. Resolves to the number of keys.
   *
   * A successor's record stays until the keys before it ended as long ago, because it shows that
   * they were rotated. Counts of uses are deleted when they are old enough, and so are events if
   * asked.
   */
  async prune(options: PruneOptions): Promise<number> {
    const checked = checkPruneOptions(options);
    const before = new Date(this.#now() - checked.olderThanMs);
    await this.#store.claims?.prune(before);
    const pruned = await this.#editor.prune(before, readChange(options));
    await this.#reports.prune(checked);
    return pruned;
  }

  /**
   * Writes the pending last uses, for at most five seconds, and stops timers and listening. Never
   * rejects. The store stays open. Calling it again does no harm.
   */
  close(): Promise<void> {
    this.#closed ??= this.#verifier.close();
    return this.#closed;
  }
}
