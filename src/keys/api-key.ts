import type { IncomingMessage } from 'node:http';

/** Who is calling, as a route finds it on `req.apiKey`. Frozen; holds neither the presented key nor its digest. */
export interface ApiKey {
  /**
   * The public name of the key, fit for logs and rate limits: `key_4fQz81LmBw` for a managed key, `alice#1` for one in a list or
   * a variable; from a source of your own what it says, else the user.
   */
  readonly keyId: string;
  /** Who the key belongs to: a person, a program or a customer. */
  readonly user: string;
  /** What the key may do; empty where nothing was granted. */
  readonly scopes: readonly string[];
  /** The name of the key source that knew the key: `env:API_KEYS`, `list`, `managed`, or that of your own, else `custom`. */
  readonly source: string;
  /** What its user calls this key; absent where it has no name. */
  readonly name?: string;
  /** When the key was made; absent where the source does not know. */
  readonly createdAt?: Date;
  /** The instant from which the key is refused; absent where it never expires. */
  readonly expiresAt?: Date;
  /**
   * Whatever the key source keeps with the key; an empty object where it keeps nothing. For managed keys frozen throughout, as their
   * dates cannot be set: every request with the key is given the same ones.
   */
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

/**
 * What a key source of your own answers for a key that it knows: at the least whose it is. One that holds the presented key or
 * its digest, or a field of another form, is a fault, answered 503.
 */
export interface Identity {
  /** Whose key it is: neither blank nor with control characters. */
  user: string;
  /** The public name of the key, of the same form; never the key itself. Default: the user. */
  keyId?: string | null | undefined;
  /** What the key may do, each by RFC 6749, section 3.3. Default: nothing. */
  scopes?: readonly string[] | null | undefined;
  /** What its user calls this key. Default: no name. */
  name?: string | null | undefined;
  /** When the key was made. Default: not known. */
  createdAt?: Date | null | undefined;
  /** From this instant on the key is refused as `expired_api_key`. Default: never. */
  expiresAt?: Date | null | undefined;
  /** Where it is set, to whatever instant, the key is refused as `revoked_api_key`. Default: not revoked. */
  revokedAt?: Date | null | undefined;
  /**
   * What the route is given besides: an object. None of its values may hold the presented key or
   * its digest. Default: an empty one.
   */
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
}

const none = Object.freeze({});

/**
 * Makes the frozen identity, with the dates that it is given; optional fields that are not known are absent, neither `null` nor
 * `undefined`.
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
