import type { Request } from 'express';
import { channels } from '../keys/diagnostics.js';
import { parseApiKey } from '../keys/key-format.js';
import type { RefusalCode, VerifyResult } from '../keys/key-source.js';
import { ownAnswer, unknownKey } from '../keys/own-source.js';
import { whyNotUsable } from '../keys/admission.js';
import { digestOf, type Digest } from '../keys/digest.js';
import { isPresentable } from '../http/presented-key.js';
import { isAllowedFrom } from './address-judge.js';
import type { CachedKey } from './cache/cached-key.js';
import { KeyLookup, type KeyLookupOptions } from './cache/key-lookup.js';
import { LastUsedRecorder, type LastUse } from './cache/last-used-recorder.js';
import { UseCounts } from './cache/use-counts.js';

export interface KeyVerifierOptions extends KeyLookupOptions {
  /** Whether keys of another form than the library's are looked up. */
  readonly legacyKeys: boolean;
  readonly lastUsedIntervalMs: number;
  /** Whether uses are counted, if the store keeps them. */
  readonly countUses: boolean;
}

/** Turns a presented key into a verdict. Every request with a managed key passes through here. */
export class KeyVerifier {
  readonly #source: string;
  readonly #now: () => number;
  readonly #legacyKeys: boolean;
  readonly #lookup: KeyLookup;
  readonly #recorder: LastUsedRecorder;
  readonly #counts: UseCounts | undefined;

  constructor(options: KeyVerifierOptions) {
    this.#source = options.source;
    this.#now = options.now;
    this.#legacyKeys = options.legacyKeys;
    this.#lookup = new KeyLookup(options);
    const { store, lastUsedIntervalMs, countUses } = options;
    this.#recorder = new LastUsedRecorder(
      store,
      lastUsedIntervalMs,
      (uses) => this.#forgetEnded(uses),
      async () => (await this.#counts?.write()) ?? true,
    );
    this.#counts =
      countUses && store.usage ? new UseCounts(store.usage, this.#recorder) : undefined;
  }

  /** The verdict on any text. Rejects if the store fails. */
  async verify(presentedKey: string, req?: Request): Promise<VerifyResult> {
    if (typeof presentedKey !== 'string' || !isPresentable(presentedKey)) return unknownKey;
    const result = await this.verifyDigest(digestOf(presentedKey), presentedKey, req);
    return result.ok ? result : { ok: false, code: result.code };
  }

  /**
   * The verdict on a possible key. Returns no promise if the store need not be asked. A refusal
   * names key and user, for the diagnostics channels.
   */
  verifyDigest(
    digest: Digest,
    presentedKey: string,
    req?: Request,
  ): VerifyResult | Promise<VerifyResult> {
    const now = this.#now();
    const found = this.#lookup.peek(digest, now);
    if (found) return this.#decide(found.key, now, req);
    if (!this.#legacyKeys && !parseApiKey(presentedKey)) return unknownKey;
    return this.#lookup.find(digest).then((key) => this.#decide(key, this.#now(), req));
  }

  /** Removes a key from the cache, or all keys with `everything`. */
  readonly forget = (keyId: string): void => this.#lookup.forget(keyId);

  /** Never rejects. */
  async close(): Promise<void> {
    await this.#recorder.close();
    await this.#lookup.close();
  }

  #decide(key: CachedKey | undefined, now: number, req: Request | undefined): VerifyResult {
    if (!key) return unknownKey;
    const code = whyNotUsable(key, now);
    if (code) return this.#refuse(key, code, now, req);
    const { addresses } = key;
    if (addresses !== undefined && !isAllowedFrom(addresses, req))
      return this.#refuse(key, 'address_not_allowed', now, req);
    this.#recorder.record(key.lastUse, now);
    this.#counts?.admit(key.uses, now);
    return key.admitted;
  }

  #refuse(
    { keyId, user, isReplaced, uses }: CachedKey,
    code: RefusalCode,
    now: number,
    req: Request | undefined,
  ): VerifyResult {
    this.#counts?.refuse(uses, now);
    const isOver = code === 'expired_api_key' || code === 'revoked_api_key';
    if (isOver && isReplaced && channels.reuse.hasSubscribers) {
      channels.reuse.publish({
        ...(req && { request: req }),
        keyId,
        user,
        source: this.#source,
        code,
      });
    }
    return ownAnswer({ ok: false, code, keyId, user });
  }

  /**
   * A first use has set the end of the key before it, so the cached entries of both are outdated.
   */
  #forgetEnded(uses: readonly LastUse[]): void {
    for (const { keyId, ends } of uses) {
      if (ends === undefined) continue;
      this.#lookup.forget(ends);
      this.#lookup.forget(keyId);
    }
  }
}
