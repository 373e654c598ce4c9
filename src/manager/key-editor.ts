import { generateApiKey, parseApiKey } from '../keys/key-format.js';
import { dayMs } from '../lib/durations.js';
import { deepCopy } from '../lib/values.js';
import { ArgumentRangeError } from '../lib/options.js';
import type { KeyRecord, StoredKey } from '../stores/key-record.js';
import { endsWithOverlap, notSupported } from '../stores/key-store-error.js';
import type { KeyStore, RevokedAll } from '../stores/key-store.js';
import { everything } from './cache/recent-changes.js';
import { contextOf, readChange, type Change, type Attribution } from './change-options.js';
import type { Announcer } from './announcer.js';
import { assertKeyId } from './checks.js';
import {
  checkCreateOptions,
  checkImportOptions,
  checkPauseOptions,
  checkResumeOptions,
  checkRevokeAllOptions,
  checkRevokeOptions,
  checkRotateOptions,
  checkUpdateOptions,
  type CreatedKey,
  type CreateKeyOptions,
  type ImportKeyOptions,
  type PauseKeyOptions,
  type RevokeAllOptions,
  type RevokeKeyOptions,
  type RotateKeyOptions,
  type UpdateKeyOptions,
} from './key-options.js';
import type { Policies } from './policies.js';

export interface KeyEditorOptions {
  readonly store: KeyStore;
  /** The start of new keys. */
  readonly prefix: string;
  readonly now: () => number;
  readonly policies: Policies;
  readonly announcer: Announcer;
  /** Removes a key from the cache, or all keys with `everything`. */
  readonly forget: (keyId: string) => void;
}

/** Makes and changes keys: checks the request, lets the store act, and announces the change. */
export class KeyEditor {
  readonly #options: KeyEditorOptions;

  constructor(options: KeyEditorOptions) {
    this.#options = options;
  }

  async create(options: CreateKeyOptions): Promise<CreatedKey> {
    const fields = checkCreateOptions(options);
    const { key, keyId, digest } = generateApiKey({ prefix: this.#options.prefix });
    const record = await this.#insert(fields, keyId, digest, readChange(options));
    return { key, record };
  }

  async import(options: ImportKeyOptions): Promise<KeyRecord> {
    const { fields, digest, key } = checkImportOptions(options);
    const keyId = parseApiKey(key)?.keyId ?? generateApiKey({ prefix: this.#options.prefix }).keyId;
    return this.#insert(fields, keyId, digest, readChange(options), true);
  }

  async update(keyId: string, options: UpdateKeyOptions): Promise<KeyRecord> {
    assertKeyId('update', keyId);
    const { by: _by, reason: _reason, ...changes } = checkUpdateOptions(options);
    const { store, policies, announcer } = this.#options;
    const change = readChange(options);
    const now = this.#now();
    const { user, expiresAt, allowedAddresses } = changes;
    if (expiresAt !== undefined) {
      policies.assertLifetime(expiresAt, now.getTime());
      await this.#assertNotReplaced(keyId, expiresAt);
    }
    const limit =
      user === undefined ? undefined : await policies.limitFor(store, user, change, now);
    const context = contextOf(change, now);
    const record = await this.#attempt(keyId, store.update(keyId, changes, { context, limit }));
    announcer.changed('updated', record, change);
    if (allowedAddresses?.length && !record.allowedAddresses)
      throw notSupported('limit a key to addresses');
    return record;
  }

  async rotate(
    keyId: string,
    options?: RotateKeyOptions,
  ): Promise<CreatedKey & { readonly previous: KeyRecord }> {
    assertKeyId('rotate', keyId);
    const { overlapMs = dayMs, startsAt = 'now' } = checkRotateOptions(options);
    const change = readChange(options);
    const { store, prefix, announcer } = this.#options;
    const { key, ...made } = generateApiKey({ prefix });
    const createdAt = this.#now();
    const { onlyScopes } = change;
    const successor = { ...made, createdAt, ...(onlyScopes && { onlyScopes }) };
    const context = contextOf(change, createdAt);
    const { record, previous } = await this.#attempt(
      keyId,
      store.rotate(keyId, successor, { overlapMs, startsAt }, { context }),
    );
    announcer.changed('rotated', previous, change);
    this.#announceEnded(previous, change);
    announcer.changed('created', record, change);
    const isWhole = !onlyScopes || record.scopes.every((scope) => onlyScopes.includes(scope));
    if (isWhole) return { key, record, previous };
    // An older store ignores the list and passes on all scopes. Nobody has the key yet.
    const scopes = record.scopes.filter((scope) => onlyScopes.includes(scope));
    const reduced = await this.#attempt(
      record.keyId,
      store.update(record.keyId, { scopes }, { context }),
    );
    this.#options.forget(record.keyId);
    return { key, record: reduced, previous };
  }

  async revoke(keyId: string, options?: RevokeKeyOptions): Promise<KeyRecord[]> {
    assertKeyId('revoke', keyId);
    const { family = false } = checkRevokeOptions(options);
    const change = readChange(options);
    const revokedAt = this.#now();
    const context = contextOf(change, revokedAt);
    const records = await this.#attempt(
      family ? everything : keyId,
      this.#options.store.revoke(keyId, revokedAt, { family, context }),
    );
    for (const record of records) this.#options.announcer.changed('revoked', record, change);
    return records;
  }

  async revokeAll(options: RevokeAllOptions): Promise<RevokedAll> {
    const { user } = checkRevokeAllOptions(options);
    const { store, announcer } = this.#options;
    if (!store.revokeUser) throw notSupported('revoke all keys of a user in one step');
    const change = readChange(options);
    const revokedAt = this.#now();
    const context = contextOf(change, revokedAt);
    const revoked = await this.#attempt(everything, store.revokeUser(user, revokedAt, { context }));
    for (const record of revoked.keys) announcer.changed('revoked', record, change);
    for (const claim of revoked.claims) announcer.claim({ outcome: 'revoked' }, { claim, change });
    return revoked;
  }

  async pause(keyId: string, options?: PauseKeyOptions): Promise<KeyRecord> {
    assertKeyId('pause', keyId);
    const { until } = checkPauseOptions(options);
    const { store, announcer } = this.#options;
    const pausedAt = this.#now();
    if (until && until <= pausedAt)
      throw new ArgumentRangeError('pause', 'until', 'in the future: the pause would be over');
    if (!store.pause) throw notSupported('pause keys');
    const change = readChange(options);
    const pause = { pausedAt, ...(until && { pausedUntil: new Date(until) }) };
    const context = contextOf(change, pausedAt);
    const record = await this.#attempt(keyId, store.pause(keyId, pause, { context }));
    announcer.changed('paused', record, change);
    return record;
  }

  async resume(keyId: string, options?: Attribution): Promise<KeyRecord> {
    assertKeyId('resume', keyId);
    checkResumeOptions(options);
    const { store, announcer } = this.#options;
    if (!store.resume) throw notSupported('pause keys');
    const change = readChange(options);
    const now = this.#now();
    const context = contextOf(change, now);
    const record = await this.#attempt(keyId, store.resume(keyId, now, { context }));
    announcer.changed('resumed', record, change);
    return record;
  }

  /** Deletes the records of keys that ended at the instant or before. */
  async prune(before: Date, change: Change): Promise<number> {
    const { store, forget, announcer } = this.#options;
    const context = contextOf(change, this.#now());
    const pruned = await this.#attempt(everything, store.prune(before, { context }));
    if (pruned === 0) return 0;
    // An imported digest may get another key id than the one it was cached under.
    forget(everything);
    announcer.pruned(change);
    return pruned;
  }

  async #insert(
    fields: CreateKeyOptions,
    keyId: string,
    digest: string,
    change: Change,
    isImport = false,
  ): Promise<KeyRecord> {
    const { store, policies, announcer } = this.#options;
    const { user, name, scopes = [], metadata = {}, allowedAddresses = [] } = fields;
    const now = this.#now();
    const expiresAt = policies.expiryOfNew(fields.expiresAt, now.getTime());
    const stored: StoredKey = {
      keyId,
      digest,
      user,
      ...(name !== undefined && { name }),
      scopes: [...scopes],
      metadata: deepCopy(metadata),
      createdAt: now,
      ...(expiresAt && { expiresAt: new Date(expiresAt) }),
      ...(allowedAddresses.length > 0 && { allowedAddresses: [...allowedAddresses] }),
    };
    const limit = await policies.limitFor(store, user, change, now);
    const context = contextOf(change, now, isImport);
    const record = await this.#attempt(keyId, store.insert(stored, { context, limit }));
    announcer.changed('created', record, change);
    if (allowedAddresses.length === 0 || record.allowedAddresses) return record;
    // A store that cannot keep the addresses would let the key be used from anywhere.
    await this.#attempt(keyId, store.revoke(keyId, now, { family: false, context }));
    this.#options.forget(keyId);
    throw notSupported('limit a key to addresses');
  }

  /** Replacing a key before its first use also ends the key that waited for that use. */
  #announceEnded({ replaces, overlapMs, user }: KeyRecord, change: Change): void {
    if (replaces !== undefined && overlapMs !== undefined)
      this.#options.announcer.changed('updated', { keyId: replaces, user }, change);
  }

  /**
   * For a store that does not check this itself. If it does, the store decides, because only it
   * can see a rotation in between.
   */
  async #assertNotReplaced(keyId: string, until: Date | null): Promise<void> {
    const { replacedBy, expiresAt } = (await this.#options.store.get(keyId)) ?? {};
    if (
      replacedBy === undefined ||
      expiresAt === undefined ||
      (until !== null && until <= expiresAt)
    )
      return;
    throw endsWithOverlap();
  }

  /**
   * A change whose answer was lost may have been made, so the cached key is not trusted any more.
   */
  async #attempt<Result>(keyId: string, change: Promise<Result>): Promise<Result> {
    try {
      return await change;
    } catch (error) {
      this.#options.forget(keyId);
      throw error;
    }
  }

  #now(): Date {
    return new Date(this.#options.now());
  }
}
