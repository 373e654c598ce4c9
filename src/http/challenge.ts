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
  // A client that sends a scheme looks for it in Authorization, unless it is told otherwise.
  const place = scheme && /^authorization$/i.test(header) ? '' : `, header=${quoted(header)}`;
  const challenge = `${scheme ?? 'ApiKey'} realm=${quoted(realm)}${place}`;
  const isBearer = /^bearer$/i.test(scheme ?? '');
  return {
    // RFC 6750, section 3: no error code where no credentials came.
    missing: challenge,
    invalid: isBearer ? `${challenge}, error="invalid_token"` : challenge,
    insufficient: (scopes) =>
      isBearer
        ? `${challenge}, error="insufficient_scope", scope=${quoted(scopes.join(' '))}`
        : undefined,
  };
}

/** The challenges of a guard that reads several headers, each a list with one challenge a header. */
export function describeAllChallenges(
  realm: string,
  headers: readonly { readonly name: string; readonly scheme: string | undefined }[],
): Challenges {
  const each = headers.map(({ name, scheme }) =>
    describeChallenges({ realm, header: name, scheme }),
  );
  return {
    missing: each.map(({ missing }) => missing).join(', '),
    invalid: each.map(({ invalid }) => invalid).join(', '),
    insufficient: (scopes) =>
      each
        .map((challenges) => challenges.insufficient(scopes))
        .filter((challenge) => challenge !== undefined)
        .join(', ') || undefined,
  };
}
