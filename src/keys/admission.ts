/** What decides whether a known key may be used: times, never booleans. */
export interface Lifetime {
  readonly expiresAt?: Date | null | undefined;
  readonly revokedAt?: Date | null | undefined;
}

/**
 * The one door: why a known key may not be used at `now` (milliseconds since 1970), or `undefined` where it may.
 * The instant of expiry is already too late. A time that is not one counts as past, so that it cannot keep a key alive.
 */
export function whyNotUsable(
  { expiresAt, revokedAt }: Lifetime,
  now: number,
): 'revoked_api_key' | 'expired_api_key' | undefined {
  // Whatever the time says: a clock that runs ahead elsewhere must not delay a revocation here.
  if (revokedAt != null) return 'revoked_api_key';
  if (expiresAt != null && !(expiresAt.getTime() > now)) return 'expired_api_key';
  return undefined;
}

/** Whether a key was granted every needed scope, compared exactly: no wildcards, no hierarchy. */
export function hasScopes(
  apiKey: { readonly scopes: readonly string[] },
  needed: readonly string[],
): boolean {
  return needed.every((scope) => apiKey.scopes.includes(scope));
}
