/** What decides whether a known key may be used: times, never booleans. */
export interface Lifetime {
  readonly expiresAt?: Date | null | undefined;
  readonly revokedAt?: Date | null | undefined;
  readonly pausedAt?: Date | null | undefined;
  readonly pausedUntil?: Date | null | undefined;
}

/**
 * The one place that decides whether a known key may be used at `now`, in milliseconds since 1970.
 * Returns why not, or `undefined` if it may. An invalid time counts against the key.
 */
export function whyNotUsable(
  { expiresAt, revokedAt, pausedAt, pausedUntil }: Lifetime,
  now: number,
): 'revoked_api_key' | 'expired_api_key' | 'paused_api_key' | undefined {
  // Whatever the time says: a clock that runs ahead elsewhere must not delay a revocation here.
  if (revokedAt != null) return 'revoked_api_key';
  // The instant of expiry is already too late.
  if (expiresAt != null && !(expiresAt.getTime() > now)) return 'expired_api_key';
  // The instant at which a pause ends is no longer part of it.
  if (pausedAt != null && !(pausedUntil != null && pausedUntil.getTime() <= now))
    return 'paused_api_key';
  return undefined;
}

/** Whether a key was granted every needed scope, compared exactly: no wildcards, no hierarchy. */
export function hasScopes(
  apiKey: { readonly scopes: readonly string[] },
  needed: readonly string[],
): boolean {
  return needed.every((scope) => apiKey.scopes.includes(scope));
}

/** Whether a key was granted one of the scopes at least. */
export function hasAnyScope(
  apiKey: { readonly scopes: readonly string[] },
  scopes: readonly string[],
): boolean {
  return scopes.some((scope) => apiKey.scopes.includes(scope));
}
