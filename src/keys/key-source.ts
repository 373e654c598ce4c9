import type { Request } from 'express';
import type { ApiKey, Identity } from './api-key.js';

/** The full answer of a key source: an identity, or the reason why there is none. */
export type VerifyResult =
  | {
      /** The key is known and usable. */
      readonly ok: true;
      /** Whose it is. */
      readonly apiKey: ApiKey;
    }
  | {
      /** The key admits nobody. */
      readonly ok: false;
      /** `invalid_api_key` means "don't know": the next source is asked. The others end the search. */
      readonly code:
        | 'invalid_api_key'
        | 'expired_api_key'
        | 'revoked_api_key'
        | 'paused_api_key'
        | 'address_not_allowed';
      /** The public name of the key, where that is known: for the diagnostics channels, never for the client. */
      readonly keyId?: string;
      /** Whose key it was, where that is known: for the diagnostics channels, never for the client. */
      readonly user?: string;
    };

/**
 * What a source may answer: a `VerifyResult`, an identity, a user's name, `true` for a nameless user called `default`; and
 * `undefined`, `null`, `false` for "don't know". Anything else is a fault, answered 503.
 */
export type KeySourceAnswer =
  | VerifyResult
  | {
      /** The key is known. */
      readonly ok: true;
      /** Whose it is; past its `expiresAt` or with a `revokedAt` it is refused all the same. */
      readonly apiKey: Identity;
    }
  | Identity
  | string
  | boolean
  | null
  | undefined;

/**
 * A key source that is only a function: says whose the presented key is. It is called with 1 to 512 characters of visible ASCII
 * without a comma. Where it answers with `expiresAt` and `revokedAt` it need not look at them itself. Throwing or rejecting is a
 * fault, answered 503.
 */
export type VerifyKey = (
  presentedKey: string,
  req: Request,
) => KeySourceAnswer | PromiseLike<KeySourceAnswer>;

/**
 * What checks presented keys. A source that throws or rejects is a fault (503), never an unknown key. An answer that comes
 * without a promise is used without one. `keySourceContract` of `require-api-key/testing` is the suite that a source has to pass.
 */
export interface KeySource {
  /** What `req.apiKey.source`, logs and diagnostics channels call it: neither blank nor with control characters. Default `custom`. */
  readonly name?: string;
  /**
   * Says whose the presented key is, 1 to 512 characters of visible ASCII without a comma. A key that it does not know is answered
   * `undefined`; when it cannot tell, because its database is down, it throws or rejects. All sources of a guard share its `timeoutMs`.
   */
  verify(presentedKey: string, req: Request): KeySourceAnswer | PromiseLike<KeySourceAnswer>;
  /**
   * Whether it holds any key at all: one that says `false` is not asked, and where no source holds a key every request is answered
   * 503 `api_key_not_configured`. Default: it does.
   */
  configured?(): boolean;
  /**
   * Whether its configuration is broken, so that a key which no source knows may be a good one: 503 `api_key_not_configured`, not
   * 401. Default: it is not.
   */
  misconfigured?(): boolean;
}
