/** The times that decide whether a known key may be used. */
export interface Lifetime {
  readonly expiresAt?: Date | null | undefined;
  readonly revokedAt?: Date | null | undefined;
  readonly pausedAt?: Date | null | undefined;
  readonly pausedUntil?: Date | null | undefined;
}

/**
 * Decides whether a known key may be used at `now`, in milliseconds since 1970. Returns the
 * reason if not, else `undefined`. An invalid time counts against the key. All admission
 * decisions are made here.
 */
export function whyNotUsable(
  { expiresAt, revokedAt, pausedAt, pausedUntil }: Lifetime,
  now: number,
): 'revoked_api_key' | 'expired_api_key' | 'paused_api_key' | undefined {
  // Whatever its time: a clock that runs ahead elsewhere must not delay a revocation here.
  if (revokedAt != null) return 'revoked_api_key';
  // The key has already expired at the instant of expiry.
  if (expiresAt != null && !(expiresAt.getTime() > now)) return 'expired_api_key';
  // The pause is already over at the instant of its end.
  if (pausedAt != null && !(pausedUntil != null && pausedUntil.getTime() <= now))
    return 'paused_api_key';
  return undefined;
}

/**
 * Whether a key has every required scope. Scopes are compared exactly, without wildcards or
 * hierarchy.
 */
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
