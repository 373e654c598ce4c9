import type { Request } from 'express';
import type { ApiKey, Identity } from './api-key.js';

/** The full answer of a key source: an identity, or the reason why there is none. */
export type VerifyResult =
  | {
      /** The key is known and usable. */
      readonly ok: true;
      /** The caller's identity. */
      readonly apiKey: ApiKey;
    }
  | {
      /** The key admits nobody. */
      readonly ok: false;
      /**
       * `invalid_api_key` means "don't know": the next source is asked. The others end the
       * search.
       */
      readonly code:
        | 'invalid_api_key'
        | 'expired_api_key'
        | 'revoked_api_key'
        | 'paused_api_key'
        | 'address_not_allowed';
      /**
       * The public name of the key, if known. For the diagnostics channels, never for the client.
       */
      readonly keyId?: string;
      /** The user of the key, if known. For the diagnostics channels, never for the client. */
      readonly user?: string;
    };

/** Why a source refuses a key. */
export type RefusalCode = Extract<VerifyResult, { ok: false }>['code'];

/**
 * What a source may answer: a `VerifyResult`, an identity, a user's name, or `true` for a user
 * called `default`. `undefined`, `null` and `false` mean "don't know". Any other answer is a
 * fault, answered 503.
 */
export type KeySourceAnswer =
  | VerifyResult
  | {
      /** The key is known. */
      readonly ok: true;
      /**
       * The caller's identity. If it has expired or has a `revokedAt`, the key is refused all the
       * same.
       */
      readonly apiKey: Identity;
    }
  | Identity
  | string
  | boolean
  | null
  | undefined;

/**
 * A key source that is only a function. It receives a presented key of 1 to 512 characters of
 * visible ASCII without a comma, and returns whose it is. It may return `expiresAt` and
 * `revokedAt` without checking them. Throwing or rejecting is a fault, answered 503.
 */
export type VerifyKey = (
  presentedKey: string,
  req: Request,
) => KeySourceAnswer | PromiseLike<KeySourceAnswer>;

/**
 * Checks presented keys. A source that throws or rejects is a fault (503), never an unknown key.
 * An answer without a promise is used at once. A source must pass the suite `keySourceContract`
 * of `require-api-key/testing`.
 */
export interface KeySource {
  /**
   * The name in `req.apiKey.source`, logs and diagnostics channels: neither blank nor with
   * control characters. Default `custom`.
   */
  readonly name?: string;
  /**
   * Returns whose the presented key is: 1 to 512 characters of visible ASCII without a comma.
   * Answers `undefined` for an unknown key. Throws or rejects if it cannot tell, for example
   * because its database is down. All sources of a guard share its `timeoutMs`.
   */
  verify(presentedKey: string, req: Request): KeySourceAnswer | PromiseLike<KeySourceAnswer>;
  /**
   * Whether the source holds any key. A source that says `false` is not asked. If no source holds
   * a key, every request is answered 503 `api_key_not_configured`. Default: it does.
   */
  configured?(): boolean;
  /**
   * Whether the configuration is broken, so that a key unknown to every source may still be
   * valid. Such a key is then answered 503 `api_key_not_configured`, not 401. Default: it is not.
   */
  misconfigured?(): boolean;
}
