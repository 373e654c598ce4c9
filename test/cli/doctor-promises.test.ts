import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Pool } from 'pg';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder } from '../support/cli.js';
import { createDatabase, startServer } from '../support/postgres.js';

const database = await createDatabase();
const admin = database.pool();
const name = new URL(database.url).pathname.slice(1);

interface Finding {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

async function doctor(url = database.url): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, stdout } = await cli(['doctor', '--json', '--variable', 'X'], {
    cwd: folder(),
    env: { DATABASE_URL: url, X: 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a' },
  });
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

async function codes(url?: string): Promise<string[]> {
  return (await doctor(url)).findings.map((finding) => finding.code);
}

/** A role that may log in, with these rights on the tables. */
async function login(grants: string): Promise<{ role: string; url: string }> {
  const role = `role_${randomBytes(4).toString('hex')}`;
  await admin.query(
    `create role ${role} login; grant usage on schema public to ${role}; ${grants.replaceAll('$role', role)}`,
  );
  onTestFinished(async () => {
    await admin.query(`drop owned by ${role}; drop role ${role}`);
  });
  const url = new URL(database.url);
  url.username = role;
  return { role, url: url.href };
}

/** Pastes the SQL of a remedy. */
const paste = ({ remedy }: Finding) => admin.query(remedy!.replace(/^.*run in psql[^:]*: /, ''));

const counts = 'grant select, insert, update on api_keys_usage to $role';
const app = `grant select, update (last_used_at) on api_keys to $role; grant select on api_keys_migrations to $role; ${counts}`;

beforeEach(async () => {
  await admin.query(
    'drop schema public cascade; create schema public; grant usage on schema public to public',
  );
  await new PostgresKeyStore({ client: admin }).migrate();
});

it('a sound set-up -> nothing, for the owner and for the role of an application', async () => {
  expect(await codes()).toEqual([]);
  expect(await codes((await login(app)).url)).toEqual([]);
});

it('row-level security that hides keys -> found, and gone when the remedy is pasted', async () => {
  const { url } = await login(app);
  await admin.query(`alter table api_keys enable row level security;
    alter table api_keys_migrations enable row level security`);

  const { code, findings } = await doctor(url);
  expect(findings.map((finding) => finding.code)).toEqual(['row_security']);
  expect(code).toBe(1);
  await paste(findings[0]!);

  expect(await codes(url)).toEqual([]);
});

it.each([
  ['select', 'grant select on api_keys_migrations to $role'],
  ['update (last_used_at)', 'grant select on api_keys, api_keys_migrations to $role'],
])(
  'without the right to %s -> found, and gone when the remedy is pasted',
  async (right, grants) => {
    const { url } = await login(`${grants}; ${counts}`);

    const { findings } = await doctor(url);
    expect(findings.map((finding) => finding.code)).toEqual(['missing_right']);
    expect(findings[0]!.message).toContain(right);
    await paste(findings[0]!);

    expect(await codes(url)).toEqual([]);
  },
);

it.each(['select', 'insert', 'update'])(
  'uses per day, without the right to %s -> a note, and gone when the remedy is pasted',
  async (right) => {
    const { role, url } = await login(`${app}; revoke ${right} on api_keys_usage from $role`);

    const { code, findings } = await doctor(url);
    expect(findings).toMatchObject([{ code: 'uses_not_counted', severity: 'note' }]);
    expect(findings[0]!.remedy).toMatch(
      `grant select, insert, update on "public"."api_keys_usage" to "${role}"`,
    );
    expect(code).toBe(0);
    await paste(findings[0]!);

    expect(await codes(url)).toEqual([]);
  },
);

describe('who else may write', () => {
  it('default privileges for everybody -> an error, and gone when the remedy is pasted', async () => {
    await admin.query('grant all on api_keys to public');

    const { code, findings } = await doctor();
    expect(findings.map((finding) => finding.code)).toEqual(['open_table']);
    expect(code).toBe(1);
    await paste(findings[0]!);

    expect(await codes()).toEqual([]);
  });

  it.each([
    ['insert', 'grant insert on api_keys to $role'],
    ['one column', 'grant update (digest) on api_keys to $role'],
    ['delete', 'grant delete on api_keys to $role'],
    ['triggers, which run as whoever writes', 'grant trigger on api_keys to $role'],
  ])('a role with a right to %s -> named', async (_what, grants) => {
    const { role } = await login(grants);

    const { findings } = await doctor();
    expect(findings).toMatchObject([{ code: 'other_writers', severity: 'note' }]);
    expect(findings[0]!.message).toContain(role);
    await paste(findings[0]!);

    expect(await codes()).toEqual([]);
  });

  it('applications that may do everything -> after the remedy is pasted, they still answer and note last uses', async () => {
    const everything = `${app}; grant all on api_keys to $role`;
    const [first, second] = [await login(everything), await login(everything)];
    const owner = new ApiKeyManager({
      store: new PostgresKeyStore({ client: admin, watch: false }),
    });
    const { key, record } = await owner.create({ user: 'alice' });

    const { findings } = await doctor();
    expect(findings.map((finding) => finding.code)).toEqual(['other_writers']);
    expect(findings[0]!.remedy).not.toContain('revoke all');
    expect(findings[0]!.remedy).toContain('serves the claim page needs insert');
    expect(findings[0]!.remedy).toContain('update (expires_at, revoked_at)');
    await paste(findings[0]!);

    for (const { url } of [first, second]) {
      await admin.query('update api_keys set last_used_at = null');
      const client = new Pool({ connectionString: url });
      const store = new PostgresKeyStore({ client, watch: false });
      const keys = new ApiKeyManager({ store });
      expect(await keys.verify(key)).toMatchObject({ ok: true });
      await keys.close();
      expect((await owner.get(record.keyId))?.lastUsedAt).toBeInstanceOf(Date);
      for (const change of ['insert into api_keys default values', 'delete from api_keys'])
        await expect(client.query(change)).rejects.toThrow('permission denied');
      await expect(client.query(`update api_keys set digest = ''`)).rejects.toThrow(
        'permission denied',
      );
      await client.end();
      expect(await codes(url)).toEqual([]);
    }
    await owner.close();
  });

  it('a role that is a member of such a role -> both named; one that only notes last uses -> not', async () => {
    const { role: group } = await login('grant insert on api_keys to $role');
    const { role: member } = await login(`grant ${group} to $role`);
    const { role: verifier } = await login(app);

    const [finding] = (await doctor()).findings;
    expect(finding!.message).toContain(group);
    expect(finding!.message).toContain(member);
    expect(finding!.message).not.toContain(verifier);
  });
});

it('functions that everybody may execute -> found, and gone after migrate', async () => {
  await admin.query('grant execute on function api_keys_first_use() to public');

  expect(await codes()).toEqual(['disabled_triggers']);
  await cli(['migrate'], { env: { DATABASE_URL: database.url } });

  expect(await codes()).toEqual([]);
});

it.each(['database', 'role'])(
  'transactions that are read-only by a setting of the %s -> found, and gone when the remedy is pasted',
  async (where) => {
    const { role, url } = await login(app);
    const target = where === 'database' ? `database ${name}` : `role ${role}`;
    await admin.query(`alter ${target} set default_transaction_read_only = on`);

    const { findings } = await doctor(url);
    expect(findings.map((finding) => finding.code)).toEqual(['read_only_database']);
    const writer = await database.client({ options: '-c default_transaction_read_only=off' });
    await writer.query(findings[0]!.remedy!.replace('run in psql: ', ''));

    expect(await codes(url)).toEqual([]);
  },
);

/** As a pooler in transaction mode: takes a LISTEN, and passes no announcement on. */
async function deafProxy(): Promise<string> {
  const target = new URL(database.url);
  const port = Number(target.port);
  const server = createServer((client) => {
    const upstream = connect(port, target.hostname);
    client.pipe(upstream);
    let rest = Buffer.alloc(0);
    upstream.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
        const length = 1 + rest.readInt32BE(1);
        if (rest[0] !== 'A'.charCodeAt(0)) client.write(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => (client.destroy(), upstream.destroy()));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  target.port = String((server.address() as AddressInfo).port);
  return target.href;
}

it('a pooler through which no announcement arrives -> found', async () => {
  expect(await codes(await deafProxy())).toEqual(['no_listener']);
}, 60_000);

it('a queue of notifications that is half full -> found, and who blocks it is named', async () => {
  const server = await startServer({ max_notify_queue_pages: '64' });
  await new PostgresKeyStore({ client: server.pool() }).migrate();
  const blocker = await server.client({ application_name: 'nightly-report' });
  await blocker.query('listen somewhere');
  await blocker.query('begin; select 1');
  await server
    .pool()
    .query(`select pg_notify('elsewhere', repeat('x', 7000) || n) from generate_series(1, 45) n`);

  const { findings } = await doctor(server.url);

  expect(findings.map((finding) => finding.code)).toEqual(['notification_queue']);
  expect(findings[0]!.message).toContain('nightly-report');
  await server.pool().query(findings[0]!.remedy!.replace('run in psql: ', ''));
  expect(await codes(server.url)).toEqual([]);
});

/**
 * Each row of the promises: the findings that tell what breaks it, or why nothing in a set-up can.
 */
const judged: Readonly<Record<string, readonly string[] | string>> = {
  'revoke, rotate, update, pause, resume, expire seen in the same process': [
    'row_security',
    'read_only_database',
  ],
  '... in every other process on the same SQLite file': [
    'missing_file',
    'damaged_file',
    'disabled_triggers',
  ],
  'a change on SQLite that was answered': ['damaged_file', 'ephemeral_disk'],
  '... in a process that was frozen': ['no_listener'],
  'heartbeats on PostgreSQL while no key is asked for':
    'the store decides on its heartbeats by itself, whatever the server allows',
  'looks at the SQLite file while no key is asked for': 'kept by the process alone',
  'each change, however it is made': ['disabled_triggers'],
  events: ['open_table', 'other_writers'],
  'the role of an application that only verifies':
    'the event is written by a function with rights of its own, whoever makes the change',
  '`maxKeysPerUser`': 'counted in the same statement as the change, in any set-up that can write',
  'uses per day': ['uses_not_counted'],
  '... in every other process': [
    'no_listener',
    'standby',
    'notification_queue',
    'disabled_triggers',
  ],
  expiry: 'compared with the clock of the process; the set-up of the database has no part in it',
  'queries per request, warm': ['no_listener'],
  'queries for many concurrent requests with one cold key': 'kept by the process alone',
  'queries for a key that does not parse': 'kept by the process alone',
  'queries for N': 'kept by the process alone',
  'store down, cold key': ['row_security', 'missing_right'],
  'store down, warm key': 'kept by the process alone',
  'store back': ['standby'],
  memory: 'kept by the process alone',
  '`lastUsedAt`': ['missing_right', 'standby', 'read_only_database', 'row_security'],
  'concurrent rotations of one key': ['open_table', 'other_writers'],
  'a rotated key used after its deadline': ['disabled_triggers', 'missing_right'],
  'a record broken by hand': ['other_writers'],
  'end of a pause':
    'compared with the clock of the process; the set-up of the database has no part in it',
};

it('every row of the promises -> a finding of doctor tells what breaks it, or why nothing can', () => {
  const text = readFileSync('docs/managed-keys.md', 'utf8');
  const table = text.slice(text.indexOf('## What is promised'), text.indexOf('How it works'));
  const rows = [...table.matchAll(/^\| (.+?) +\|/gm)]
    .map(([, promise]) => promise!)
    .filter((promise) => promise !== 'promise' && !promise.startsWith('-'));
  expect(rows.length).toBeGreaterThan(10);
  const sources = ['database', 'server', 'rights', 'listening', 'sqlite-file']
    .map((file) => readFileSync(`src/cli/doctor/${file}.ts`, 'utf8'))
    .concat(readFileSync('src/cli/database/schema-state.ts', 'utf8'))
    .join('\n');

  for (const row of rows) {
    const [, found] = Object.entries(judged).find(([start]) => row.startsWith(start)) ?? [];
    expect(found, `doctor on the promise: ${row}`).toBeDefined();
    if (typeof found === 'string') expect(found.length).toBeGreaterThan(20);
    else for (const code of found!) expect(sources).toContain(`code: '${code}'`);
  }
});
