import type { IncomingMessage } from 'node:http';

/**
 * The caller's identity, which a route finds on `req.apiKey`. Frozen. Holds neither the presented
 * key nor its digest.
 */
export interface ApiKey {
  /**
   * The public name of the key, safe for logs and rate limits: `key_4fQz81LmBw` for a managed
   * key, `alice#1` for one in a list or a variable. For a source of your own, the name that it
   * gives, else the user.
   */
  readonly keyId: string;
  /** The owner of the key: a person, a program or a customer. */
  readonly user: string;
  /** What the key may do. Empty if nothing was granted. */
  readonly scopes: readonly string[];
  /**
   * The key source that knew the key: `env:API_KEYS`, `list`, `managed`, or the name of your own
   * source, else `custom`.
   */
  readonly source: string;
  /** The name of this key. Absent if it has none. */
  readonly name?: string;
  /** When the key was made. Absent if the source does not know. */
  readonly createdAt?: Date;
  /** The instant from which the key is refused. Absent if it never expires. */
  readonly expiresAt?: Date;
  /**
   * Additional data from the key source, or an empty object. For managed keys it is deeply
   * frozen, and their dates cannot be set, because all requests with the key share it.
   */
  readonly metadata: Readonly<Record<string, unknown>>;
}

declare global {
  // Express reads its request type from this namespace, in version 4 and in version 5.
  namespace Express {
    interface Request {
      /**
       * The caller's identity, set by `requireApiKey()`. `apiKeyOf(req)` returns it typed as
       * present.
       */
      apiKey?: ApiKey;
    }
  }
}

/**
 * The answer of your own key source for a key that it knows. Only `user` is required. An answer
 * that holds the presented key or its digest, or an invalid field, is a fault and answered 503.
 */
export interface Identity {
  /** The user that the key belongs to: neither blank nor with control characters. */
  user: string;
  /** The public name of the key, with the same rules. Never the key itself. Default: the user. */
  keyId?: string | null | undefined;
  /** What the key may do, each scope by RFC 6749, section 3.3. Default: nothing. */
  scopes?: readonly string[] | null | undefined;
  /** The name of this key. Default: none. */
  name?: string | null | undefined;
  /** When the key was made. Default: unknown. */
  createdAt?: Date | null | undefined;
  /** From this instant on, the key is refused as `expired_api_key`. Default: never. */
  expiresAt?: Date | null | undefined;
  /** If set, to any instant, the key is refused as `revoked_api_key`. Default: not revoked. */
  revokedAt?: Date | null | undefined;
  /**
   * Additional data for the route: an object. None of its values may hold the presented key or
   * its digest. Default: an empty object.
   */
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
}

const none = Object.freeze({});

/**
 * Makes the frozen identity with the given dates. Unknown optional fields are absent, neither
 * `null` nor `undefined`.
 */
export function createApiKey(fields: Identity & { source: string }): ApiKey {
  return Object.freeze({
    keyId: fields.keyId ?? fields.user,
    user: fields.user,
    scopes: Object.freeze([...(fields.scopes ?? [])]),
    source: fields.source,
    ...(fields.name != null && { name: fields.name }),
    ...(fields.createdAt && { createdAt: fields.createdAt }),
    ...(fields.expiresAt && { expiresAt: fields.expiresAt }),
    metadata: fields.metadata ? Object.freeze({ ...fields.metadata }) : none,
  });
}

/**
 * Returns the caller's identity, typed as present, for handlers behind `requireApiKey()`.
 *
 * @throws {TypeError} if no guard admitted the request: the route has no guard, or the guard is
 *   `optional` and no key came.
 */
export function apiKeyOf(req: IncomingMessage & { apiKey?: ApiKey }): ApiKey {
  if (!req.apiKey) {
    throw new TypeError(
      'apiKeyOf: this request carries no API key; mount requireApiKey() on the route, without ' +
        '"optional"',
    );
  }
  return req.apiKey;
}
