import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { filePathOf } from '../../stores/sqlite/file-path.js';
import { Misuse } from '../failure.js';
import { isShowableName, mask, rememberSecret } from '../secrets.js';

/**
 * @param schema the schema of `--schema`, if it is given
 * @throws {Misuse} that never quotes the address, because it holds a password.
 */
export function assertDatabaseUrl(url: string, name: string, schema?: string): void {
  if (!isShowable(url)) rememberSecret(url);
  if (/^["']/.test(url))
    throw new Misuse(`${name} has quotes that are part of its value: remove them`);
  if (isFileUrl(url)) return assertFileUrl(url, name, schema);
  if (!/^(postgres|postgresql|socket):/i.test(url)) {
    throw new Misuse(
      `${name} is neither a PostgreSQL URL nor a SQLite file: write ` +
        'postgres://user:password@host/name, or file:keys.db',
    );
  }
  if (hasSeveralHosts(url)) {
    throw new Misuse(
      `${name} names several hosts, and pg takes one: name the primary server alone, or a name ` +
        'or proxy that leads to it',
    );
  }
  const password = passwordOf(url);
  if (password === undefined) {
    throw new Misuse(
      `${name} cannot be read: percent-encode every character of its password that is not a ` +
        'letter or digit',
    );
  }
  rememberSecret(password);
  const parameters = parse(url).searchParams;
  rememberSecret(parameters.get('password') ?? '');
  if (schema === undefined) assertNoSchema(parameters.get('schema'), name);
  assertReadable(parameters, name);
}

/** Whether it names a SQLite file. */
export const isFileUrl = (url: string | undefined): boolean => /^file:/i.test(url ?? '');

function assertFileUrl(url: string, name: string, schema: string | undefined): void {
  if (schema !== undefined)
    throw new Misuse(`${name} names a SQLite file, which has no schemas: leave out --schema`);
  if (filePathOf(url) === undefined) {
    throw new Misuse(
      `${name} does not name a file: write file:keys.db, or file:/srv/keys.db, without "?"`,
    );
  }
}

/** Whether the address can be shown, because it parses and holds no password. */
export function isShowable(url: string): boolean {
  if (isFileUrl(url)) return true;
  return passwordOf(url) === '' && !/[?&][^=]*(pass|secret|token)/i.test(url);
}

/**
 * The database without user, password and parameters: `host:5432/name`. Without the path if that
 * may be a part of the password.
 */
export function placeOf(url: string): string {
  if (isFileUrl(url)) return filePathOf(url) ?? '';
  const { host, pathname } = parse(url);
  return host + (/^\/[\w.-]*$/.test(pathname) ? pathname : '');
}

/**
 * The address of the server behind a pooler: as the server says it, without the password.
 * `undefined` if that is where the URL leads already, or if the URL names a socket.
 */
export function addressBehind(
  url: string,
  server: { readonly host: string | null; readonly port: number },
): string | undefined {
  const direct = parse(url);
  if (!direct.hostname || /@\/|[?&]host=/.test(url)) return undefined;
  const given = `${direct.hostname}:${direct.port || '5432'}`;
  direct.password = '';
  direct.port = String(server.port);
  // An address of the pooler's own machine leads elsewhere from here.
  if (server.host !== null && !/^(127\.|::1$)/.test(server.host))
    direct.hostname = isIPv6(server.host) ? `[${server.host}]` : server.host;
  const isElsewhere = given !== `${direct.hostname}:${direct.port}`;
  return isElsewhere && isShowable(direct.href) ? direct.href : undefined;
}

/** A host may be missing if a socket is named among the parameters. */
const parse = (url: string) => new URL(url.replace('@/', '@socket/'));

function passwordOf(url: string): string | undefined {
  // The address of a socket may have no host: `socket:/run/postgresql`.
  if (!/^(\w+:\/\/|socket:\/)/i.test(url)) return undefined;
  try {
    const { password, pathname, search, hash } = parse(url);
    // A password with a `/`, `?` or `#` ends the host early, and its rest would be shown as the
    // name of the database.
    return /@/.test(pathname + search + hash) ? undefined : decodeURIComponent(password);
  } catch {
    return undefined;
  }
}

/**
 * As libpq reads it: `host1:5432,host2:5432`. A later `@` means that the password ends the host
 * early.
 */
function hasSeveralHosts(url: string): boolean {
  const [, authority = '', rest = ''] = /^\w+:\/\/([^/?#]*)(.*)$/s.exec(url) ?? [];
  if (rest.includes('@')) return false;
  return authority.replace(/^.*@/s, '').includes(',') || /[?&]host=[^&]*(,|%2c)/i.test(rest);
}

/**
 * A convention of Prisma that neither `pg` nor an application's key store reads. If only this
 * program read it, keys would be made in another schema than the application's.
 */
function assertNoSchema(schema: string | null, name: string): void {
  if (schema === null || schema === '' || schema === 'public') return;
  const shown = isShowableName(schema) ? mask(schema) : '<name>';
  throw new Misuse(
    `${name} has "schema=${shown}", which only Prisma reads: give --schema ${shown} here and ` +
      `schema: '${shown}' to the PostgresKeyStore of the application, or --schema public for the ` +
      'tables in public',
  );
}

/**
 * The files that `pg` reads for TLS. `pg` would report a missing one with the bare error of the
 * system, or later of OpenSSL.
 */
function assertReadable(parameters: URLSearchParams, name: string): void {
  for (const option of ['sslrootcert', 'sslcert', 'sslkey']) {
    const file = parameters.get(option);
    if (file === null || file === '') continue;
    const text = readTlsFile(file, `${name}: the file "${mask(file)}" of ${option}`);
    if (option !== 'sslkey' && !isCertificate(text)) {
      throw new Misuse(
        `${name}: the file "${mask(file)}" of ${option} holds no certificate: give one in PEM ` +
          'form, which begins with -----BEGIN CERTIFICATE-----',
      );
    }
  }
}

function readTlsFile(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // libpq's word for the authorities of the system.
    const advice =
      file === 'system'
        ? ': remove sslrootcert=system; without it, the authorities are trusted that come with Node'
        : ': name a file that is there, or remove the option';
    throw new Misuse(`${what} cannot be read: ${fileReasons[code] ?? code}${advice}`, {
      cause: error,
    });
  }
}

const fileReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'there is no such folder',
};

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}
