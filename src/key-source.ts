import type { Request } from 'express';
import type { ApiKey, Identity } from './api-key.js';

/** The full answer: an identity, or the reason why there is none. */
export type VerifyResult =
  | { readonly ok: true; readonly apiKey: ApiKey }
  | {
      readonly ok: false;
      /** `invalid_api_key` means "don't know": the next source is asked. The other two end the search. */
      readonly code: 'invalid_api_key' | 'expired_api_key' | 'revoked_api_key';
      /** Whose key it was, where that is known: for the diagnostics channels, never for the client. */
      readonly keyId?: string;
      readonly user?: string;
    };

/**
 * What a source may answer: a `VerifyResult`, an identity, a user's name, `true` for a nameless user called `default`; and
 * `undefined`, `null`, `false` for "don't know". Anything else is a fault, answered 503.
 */
export type KeySourceAnswer =
  | VerifyResult
  | { readonly ok: true; readonly apiKey: Identity }
  | Identity
  | string
  | boolean
  | null
  | undefined;

/** Checks a presented key: one to 512 characters of visible ASCII without a comma. It need not check `expiresAt`. */
export type VerifyKey = (
  presentedKey: string,
  req: Request,
) => KeySourceAnswer | PromiseLike<KeySourceAnswer>;

/**
 * What checks presented keys. A source that throws or rejects is a fault (503), never an unknown key. An answer that comes
 * without a promise is used without one.
 */
export interface KeySource {
  /** Becomes `req.apiKey.source`. Default `custom`. */
  readonly name?: string;
  verify(presentedKey: string, req: Request): KeySourceAnswer | PromiseLike<KeySourceAnswer>;
  /** Whether it holds any key at all; where no source does, the answer is 503. Default: it does. */
  configured?(): boolean;
  /** Whether its configuration is broken, so that a key it does not know may be a good one: 503, not 401. Default: it is not. */
  misconfigured?(): boolean;
}

/** How the library's own sources are asked, so that one request costs one digest however many of them there are. */
export const byDigest = Symbol('require-api-key.byDigest');

const ownMethods = new WeakSet<object>();

/* oxlint-disable typescript/unbound-method -- The methods are compared here, never called. */

/** Declares the methods of a class as the library's own. */
export function ownSource(prototype: KeySource): void {
  for (const method of [prototype.verify, prototype.configured]) if (method) ownMethods.add(method);
}

/**
 * Whether a source may be asked by digest: it is this library's, and nobody has put a stricter `verify` or `configured` in the place
 * of its own.
 */
export function isDigestSource(source: KeySource): source is DigestSource {
  return (
    byDigest in source &&
    ownMethods.has(source.verify) &&
    (source.configured === undefined || ownMethods.has(source.configured))
  );
}

/* oxlint-enable typescript/unbound-method */

/** A source of this library: its results need no checking. */
export interface DigestSource extends KeySource {
  readonly name: string;
  [byDigest](digest: string, presentedKey: string, req?: Request): VerifyResult | Promise<VerifyResult>;
}

/** The one answer for a key that is not known. */
export const unknownKey: VerifyResult = Object.freeze({ ok: false, code: 'invalid_api_key' });
