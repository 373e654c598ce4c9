import { Misuse } from '../failure.js';
import { rememberSecret } from '../secrets.js';

/** @throws {Misuse} that never repeats what stands there: it holds a password. */
export function assertDatabaseUrl(url: string, name: string): void {
  if (!isShowable(url)) rememberSecret(url);
  if (/^["']/.test(url))
    throw new Misuse(`${name} has quotes that are part of its value: remove them`);
  if (!/^(postgres|postgresql|socket):/i.test(url)) {
    throw new Misuse(`${name} is not a PostgreSQL URL: write postgres://user:password@host/name`);
  }
  const password = passwordOf(url);
  if (password === undefined) {
    throw new Misuse(
      `${name} cannot be read: percent-encode every character of its password that is not a letter or digit`,
    );
  }
  rememberSecret(password);
}

/** Whether it can be told: it is read without doubt, and holds no password. */
export function isShowable(url: string): boolean {
  return passwordOf(url) === '' && !/[?&][^=]*(pass|secret|token)/i.test(url);
}

/** The database without user, password and parameters: `host:5432/name`; without the path where that may be a part of the password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url.replace('@/', '@socket/'));
  return host + (/^\/[\w.-]*$/.test(pathname) ? pathname : '');
}

function passwordOf(url: string): string | undefined {
  // Of a socket the address may have no host: `socket:/run/postgresql`.
  if (!/^(\w+:\/\/|socket:\/)/i.test(url)) return undefined;
  try {
    // A host may be missing where a socket is named among the parameters.
    const { password, pathname, search, hash } = new URL(url.replace('@/', '@socket/'));
    // A password with a `/`, `?` or `#` ends the host early, and its rest would be told as the name of the database.
    return /@/.test(pathname + search + hash) ? undefined : decodeURIComponent(password);
  } catch {
    return undefined;
  }
}
