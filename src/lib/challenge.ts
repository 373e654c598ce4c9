/** The `WWW-Authenticate` values of one guard, ready to send (RFC 9110, section 11.6.1). */
export interface Challenges {
  /** When nothing was presented. */
  readonly missing: string;
  /** When what was presented is not accepted. */
  readonly invalid: string;
  /** When the key lacks a scope; only Bearer challenges a 403 (RFC 6750, section 3.1). */
  insufficient(scopes: readonly string[]): string | undefined;
}

/** A quoted-string (RFC 9110, section 5.6.4); the escapes keep a realm from adding parameters of its own. */
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

export interface ChallengeOptions {
  readonly realm: string;
  readonly header: string;
  readonly scheme?: string | undefined;
}

export function describeChallenges({ realm, header, scheme }: ChallengeOptions): Challenges {
  if (scheme === undefined) {
    const challenge = `ApiKey realm=${quoted(realm)}, header=${quoted(header)}`;
    return { missing: challenge, invalid: challenge, insufficient: () => undefined };
  }
  const elsewhere = header.toLowerCase() === 'authorization' ? '' : `, header=${quoted(header)}`;
  const base = `${scheme} realm=${quoted(realm)}${elsewhere}`;
  if (scheme.toLowerCase() !== 'bearer') {
    return { missing: base, invalid: base, insufficient: () => undefined };
  }
  return {
    // RFC 6750, section 3: no error code where no credentials came.
    missing: base,
    invalid: `${base}, error="invalid_token"`,
    insufficient: (scopes) => `${base}, error="insufficient_scope", scope=${quoted(scopes.join(' '))}`,
  };
}
