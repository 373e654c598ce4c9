import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder } from '../support/cli.js';
import { startServer } from '../support/postgres.js';

const files = mkdtempSync(join(tmpdir(), 'require-api-key-tls-'));
afterAll(() => rmSync(files, { recursive: true, force: true }));
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: files, stdio: 'pipe' });
const subject = ['-subj', '/CN=test', '-nodes', '-newkey', 'rsa:2048'];

/** A certificate for these names, signed by the authority of this file. */
function certify(name: string, names: string, ...validity: string[]): void {
  openssl('req', ...subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  writeFileSync(join(files, `${name}.ext`), `subjectAltName=${names}`);
  const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl(
    ...['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...ca],
    ...['-extfile', `${name}.ext`, ...validity],
  );
}
openssl('req', '-x509', ...subject, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30');
openssl('req', '-x509', ...subject, '-keyout', 'other.key', '-out', 'other.pem', '-days', '30');
certify('good', 'IP:127.0.0.1', '-days', '30');
certify('elsewhere', 'DNS:db.example', '-days', '30');
certify('expired', 'IP:127.0.0.1', '-days', '-1');

const server = await startServer();
const { rows } = await server
  .pool()
  .query<{ data: string }>(`select current_setting('data_directory') as data`);
const { data } = rows[0]!;

/** New settings of the server, in force when the promise resolves. */
async function configure(settings: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(settings))
    await server.pool().query(`alter system set ${name} = '${value}'`);
  await server.pool().query('select pg_reload_conf()');
  const [name, value] = Object.entries(settings)[0]!;
  await expect
    .poll(async () => {
      const client = await server.client();
      const answer = await client.query<{ value: string }>('select current_setting($1) as value', [
        name,
      ]);
      await client.end();
      return answer.rows[0]!.value;
    })
    .toBe(value);
}

/** Puts a file of this test into the server's folder, as the server wants it. */
function install(source: string, target: string): void {
  const path = join(data, target);
  copyFileSync(join(files, source), path);
  const { uid, gid } = statSync(data);
  chownSync(path, uid, gid);
  chmodSync(path, 0o600);
}
const present = async (name: string) => {
  install(`${name}.pem`, `${name}.pem`);
  install(`${name}.key`, `${name}.key`);
  await configure({ ssl_cert_file: `${name}.pem`, ssl_key_file: `${name}.key`, ssl: 'on' });
};

writeFileSync(
  join(files, 'pg_hba.conf'),
  `hostssl all tls_only 127.0.0.1/32 trust
host all with_password 127.0.0.1/32 scram-sha-256
host all postgres,reader,writer 127.0.0.1/32 trust
`,
);
await server.pool().query(`
  create role tls_only login; create role reader login; create role writer login;
  create role with_password login password 'password';
  create role outsider login;`);
await new PostgresKeyStore({ client: server.pool() }).migrate();

const place = new URL(server.url).host;
const urlOf = (user: string, parameters = '') =>
  `postgres://${user}@${place}/postgres${parameters && `?${parameters}`}`;
const list = async (url: string) => {
  const { code, stderr } = await cli(['list'], { cwd: folder(), env: { DATABASE_URL: url } });
  return { code, stderr: stderr.replace(/\(node:\d+\) [^]*/, '') };
};
const doctor = async (url: string) => {
  const { stdout } = await cli(['doctor', '--json'], { cwd: folder(), env: { DATABASE_URL: url } });
  const { findings } = JSON.parse(stdout) as {
    findings: { code: string; message: string; remedy?: string }[];
  };
  return findings.find(({ code }) => /database|missing_right/.test(code));
};
const unusable = (why: string) => ({
  code: 1,
  stderr: `error: the database ${place}/postgres cannot be used: ${why}\n`,
});

describe('a database over TLS', () => {
  it('a server without TLS, a URL that asks for it -> said so', async () => {
    await configure({ ssl: 'off' });
    expect(await list(urlOf('postgres', 'sslmode=verify-full'))).toEqual(
      unusable(
        'it does not speak TLS; switch TLS on at the server ("ssl = on"), or on a network of your own write sslmode=disable in the URL',
      ),
    );
  });

  it('a certificate that is not trusted -> the trust is named, and sslrootcert; with the file -> exit 0', async () => {
    await present('good');
    const advice =
      'put the certificate of the authority that signed it into the URL: sslmode=verify-full&sslrootcert=<file>';
    const untrusted = await list(urlOf('postgres', 'sslmode=verify-full'));
    expect(untrusted.stderr).toMatch(/its TLS certificate .+, so it is not trusted; put /);
    expect(untrusted.stderr).toContain(advice);
    const byAnother = `sslmode=verify-full&sslrootcert=${join(files, 'other.pem')}`;
    expect((await list(urlOf('postgres', byAnother))).stderr).toContain(advice);
    expect(await doctor(urlOf('postgres', byAnother))).toMatchObject({ remedy: advice });
    const trusted = `sslmode=verify-full&sslrootcert=${join(files, 'ca.pem')}`;
    expect((await list(urlOf('postgres', trusted))).code).toBe(0);
  });

  it('a certificate that is expired, or for another host -> said so', async () => {
    const parameters = `sslmode=verify-full&sslrootcert=${join(files, 'ca.pem')}`;
    await present('expired');
    expect(await list(urlOf('postgres', parameters))).toEqual(
      unusable('its TLS certificate has expired; renew the certificate on the server'),
    );
    await present('elsewhere');
    expect((await list(urlOf('postgres', parameters))).stderr).toContain(
      'cannot be used: its TLS certificate is for another host name; name the host in the URL as the certificate does',
    );
  });

  it('a user who must use TLS, a user who may not come in -> in the words of the server, with what to do', async () => {
    await present('good');
    install('pg_hba.conf', 'pg_hba.conf');
    await server.pool().query('select pg_reload_conf()');
    const [plain, outsider] = await Promise.all([
      list(urlOf('tls_only')),
      list(urlOf('outsider', `sslmode=verify-full&sslrootcert=${join(files, 'ca.pem')}`)),
    ]);
    expect(plain).toEqual(
      unusable(
        'it refuses connections without TLS, or this user altogether (the server says: no pg_hba.conf entry for host "127.0.0.1", user "tls_only", database "postgres", no encryption); ask for TLS in the URL: sslmode=require, or sslmode=verify-full',
      ),
    );
    expect(outsider.stderr).toContain(
      'the user may not log in from this machine (the server says: ',
    );
    expect(outsider.stderr).toContain('SSL encryption');
  });

  it('a password that is a word of ours, wrong or missing -> no sentence of ours is masked', async () => {
    const wrong = urlOf('with_password:passwords');
    expect(await list(wrong)).toEqual(
      unusable(
        'the user or the password is wrong (the server says: password authentication failed for user "with_password")',
      ),
    );
    expect((await list(urlOf('with_password'))).stderr).toContain(
      'it asks for a password, and none is set',
    );
    const misspelled = await list(`mysql://root:password@${place}/x`);
    expect(misspelled.stderr).toBe(
      'error: DATABASE_URL is neither a PostgreSQL URL nor a SQLite file: write postgres://user:password@host/name, or file:keys.db\n',
    );
  });

  it('files of TLS that are missing or hold something else -> the file and the option are named', async () => {
    const cwd = folder({ 'empty.pem': 'nothing' });
    const [system, missing, key, empty] = await Promise.all([
      list(urlOf('postgres', 'sslmode=verify-full&sslrootcert=system')),
      list(urlOf('postgres', 'sslrootcert=/no/such/ca.pem')),
      list(urlOf('postgres', `sslkey=${cwd}`)),
      list(urlOf('postgres', `sslcert=${cwd}/empty.pem`)),
    ]);
    expect(system).toEqual({
      code: 2,
      stderr:
        'error: DATABASE_URL: the file "system" of sslrootcert cannot be read: there is no such file: remove sslrootcert=system; without it, the authorities are trusted that come with Node\n',
    });
    expect(missing.stderr).toContain(
      '"/no/such/ca.pem" of sslrootcert cannot be read: there is no',
    );
    expect(key.stderr).toContain(`"${cwd}" of sslkey cannot be read: it is a folder`);
    expect(empty.stderr).toContain(`empty.pem" of sslcert holds no certificate`);
    expect(await doctor(urlOf('postgres', 'sslrootcert=system'))).toMatchObject({
      code: 'wrong_database_url',
      message: expect.stringContaining('"system" of sslrootcert') as unknown,
    });
  });
});

describe('a database that does not do what it is asked', () => {
  it('a right is missing -> which grant the role needs', async () => {
    const { stderr } = await list(urlOf('reader'));
    expect(stderr).toBe(
      'error: list failed: permission denied for table api_keys; the role needs a right: grant select on "public"."api_keys" to "reader"\n',
    );
    const created = await cli(['create', 'alice'], { env: { DATABASE_URL: urlOf('writer') } });
    expect(created.stderr).toContain('grant select, insert on "public"."api_keys" to "writer"\n');
    const migrated = await cli(['migrate', '--schema', 'other'], {
      env: { DATABASE_URL: urlOf('writer') },
    });
    expect(migrated.stderr).toContain('grant create on database "postgres" to "writer"');
    expect((await doctor(urlOf('reader')))?.remedy).toMatch(/grant select.* on \S*api_keys/);
  });

  it('it is read-only -> said so, with where to go', async () => {
    await server.pool().query('alter role writer set default_transaction_read_only = on');
    await server.pool().query('grant all on api_keys to writer');
    const { code, stderr } = await cli(['create', 'alice'], {
      env: { DATABASE_URL: urlOf('writer') },
    });
    expect({ code, stderr }).toEqual(
      unusable(
        'it is read-only: a standby, or default_transaction_read_only is on (the server says: cannot execute SELECT in a read-only transaction); name the primary server',
      ),
    );
  });

  it('an unknown database, a missing socket, too many connections -> said so', async () => {
    await server.pool().query('alter role reader connection limit 0');
    const [unknown, socket, full] = await Promise.all([
      list(urlOf('postgres').replace(/postgres$/, 'nowhere')),
      list('postgres:///app?host=/no/such/folder'),
      list(urlOf('reader')),
    ]);
    expect(unknown.stderr).toContain(
      'there is no database of this name (the server says: database "nowhere" does not exist)',
    );
    expect(socket.stderr).toContain('cannot be used: there is no such socket; check the folder');
    expect(full.stderr).toContain(
      'it has no free connection (the server says: too many connections',
    );
  });

  it.each([
    ['08P01', 'unsupported startup parameter: options', 'the pooler refuses a parameter'],
    ['08P01', 'no more connections allowed (max_client_conn)', 'it has no free connection'],
    ['57P03', 'the database system is shutting down', 'it is shutting down'],
    ['28000', 'SSL required', 'it refuses connections without TLS'],
  ])('a pooler that answers %s %s -> said what it is', async (code, words, why) => {
    const answer = `SFATAL\0VFATAL\0C${code}\0M${words}\0\0`;
    const head = Buffer.alloc(5);
    head.write('E');
    head.writeInt32BE(Buffer.byteLength(answer) + 4, 1);
    const pooler = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.concat([head, Buffer.from(answer)])));
    });
    await new Promise<void>((resolve) => pooler.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void pooler.close());
    const { port } = pooler.address() as AddressInfo;
    const { stderr } = await list(`postgres://app@127.0.0.1:${port}/app`);
    expect(stderr).toContain(`cannot be used: ${why}`);
    expect(stderr).toContain(`(the server says: ${words})`);
  });
});

describe('a database URL that means something else to others', () => {
  it.each([
    'postgres://app:secret-word@one.invalid:5432,two.invalid:5432/app',
    'postgres://app:secret-word@one.invalid,two.invalid/app',
    'postgres://app:secret-word@/app?host=one.invalid,two.invalid',
  ])('%s -> one host is asked for', async (url) => {
    const { code, stderr } = await list(url);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: DATABASE_URL names several hosts, and pg takes one: /);
    expect(stderr).not.toContain('secret-word');
  });

  it('?schema= of Prisma -> refused with what to give; with --schema, or for public, taken', async () => {
    const url = urlOf('postgres', 'schema=tenant');
    expect(await list(url)).toEqual({
      code: 2,
      stderr:
        'error: DATABASE_URL has "schema=tenant", which only Prisma reads: give --schema tenant here and schema: \'tenant\' to the PostgresKeyStore of the application, or --schema public for the tables in public\n',
    });
    const [chosen, same] = await Promise.all([
      cli(['list', '--schema', 'public', '--database', url]),
      list(urlOf('postgres', 'schema=public&connection_limit=5')),
    ]);
    expect([chosen.code, same.code]).toEqual([0, 0]);
  });
});
