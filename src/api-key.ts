import type { IncomingMessage } from 'node:http';

/** Who is calling, as a route finds it on `req.apiKey`. Frozen; holds neither the presented key nor its digest. */
export interface ApiKey {
  /** The public name of the key, fit for logs and rate limits: `key_4fQz81LmBw`, or `alice#1` for a listed key. */
  readonly keyId: string;
  /** Who the key belongs to: a person, a program or a customer. */
  readonly user: string;
  /** What the key may do; empty where none were given. */
  readonly scopes: readonly string[];
  /** The `name` of the key source that knew the key. */
  readonly source: string;
  /** What the owner calls this key. */
  readonly name?: string;
  readonly createdAt?: Date;
  /** The instant from which the key is refused; absent where it never expires. */
  readonly expiresAt?: Date;
  /** Whatever the key source keeps with the key; an empty object where it keeps nothing. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

declare global {
  // Express reads its request type from this namespace, in version 4 and in version 5.
  namespace Express {
    interface Request {
      /** Who is calling; set by `requireApiKey()`. `apiKeyOf(req)` gives it typed as present. */
      apiKey?: ApiKey;
    }
  }
}

/** What a source knows of a caller: the shortest answer that still says who it is. */
export interface Identity {
  user: string;
  /** Default: the user. */
  keyId?: string | null | undefined;
  /** Default: none. */
  scopes?: readonly string[] | null | undefined;
  name?: string | null | undefined;
  createdAt?: Date | null | undefined;
  /** From this instant on the key is refused as `expired_api_key`. */
  expiresAt?: Date | null | undefined;
  /** Where it is set, the key is refused as `revoked_api_key`. */
  revokedAt?: Date | null | undefined;
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
}

const none = Object.freeze({});

/** Makes the frozen identity; optional fields that are not known are absent, neither `null` nor `undefined`. */
export function createApiKey(fields: Identity & { source: string }): ApiKey {
  return Object.freeze({
    keyId: fields.keyId ?? fields.user,
    user: fields.user,
    scopes: Object.freeze([...(fields.scopes ?? [])]),
    source: fields.source,
    ...(fields.name != null && { name: fields.name }),
    ...(fields.createdAt && { createdAt: new Date(fields.createdAt) }),
    ...(fields.expiresAt && { expiresAt: new Date(fields.expiresAt) }),
    metadata: fields.metadata ? Object.freeze({ ...fields.metadata }) : none,
  });
}

/**
 * The caller's identity, typed as present: for handlers that stand behind `requireApiKey()`.
 *
 * @throws {TypeError} where no guard admitted the request: the route is not guarded, or the guard is `optional` and no key came.
 */
export function apiKeyOf(req: IncomingMessage & { apiKey?: ApiKey }): ApiKey {
  if (!req.apiKey) {
    throw new TypeError(
      'apiKeyOf: this request carries no API key; mount requireApiKey() on the route, without "optional"',
    );
  }
  return req.apiKey;
}
