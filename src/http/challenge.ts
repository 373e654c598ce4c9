/** The `WWW-Authenticate` values of one guard, ready to send (RFC 9110, section 11.6.1). */
export interface Challenges {
  /** If no key was presented. */
  readonly missing: string;
  /** If the presented key is not accepted. */
  readonly invalid: string;
  /** If the key lacks a scope. Only Bearer has a challenge for a 403 (RFC 6750, section 3.1). */
  insufficient(scopes: readonly string[]): string | undefined;
}

/** A quoted-string (RFC 9110, section 5.6.4). Escaping keeps a realm from adding parameters. */
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

export interface ChallengeOptions {
  readonly realm: string;
  readonly header: string;
  readonly scheme?: string | undefined;
}

export function describeChallenges({ realm, header, scheme }: ChallengeOptions): Challenges {
  // A client that sends a scheme uses Authorization unless told otherwise.
  const place = scheme && /^authorization$/i.test(header) ? '' : `, header=${quoted(header)}`;
  const challenge = `${scheme ?? 'ApiKey'} realm=${quoted(realm)}${place}`;
  const isBearer = /^bearer$/i.test(scheme ?? '');
  return {
    // RFC 6750, section 3: no error code if no credentials came.
    missing: challenge,
    invalid: isBearer ? `${challenge}, error="invalid_token"` : challenge,
    insufficient: (scopes) =>
      isBearer
        ? `${challenge}, error="insufficient_scope", scope=${quoted(scopes.join(' '))}`
        : undefined,
  };
}

/**
 * The challenges of a guard that reads several headers. Each is a list with one challenge for
 * each header.
 */
export function describeAllChallenges(
  realm: string,
  headers: readonly { readonly name: string; readonly scheme: string | undefined }[],
): Challenges {
  const each = headers.map(({ name, scheme }) =>
    describeChallenges({ realm, header: name, scheme }),
  );
  const join = (list: (string | undefined)[]) => list.filter(Boolean).join(', ');
  return {
    missing: join(each.map(({ missing }) => missing)),
    invalid: join(each.map(({ invalid }) => invalid)),
    insufficient: (scopes) =>
      join(each.map((challenges) => challenges.insufficient(scopes))) || undefined,
  };
}
