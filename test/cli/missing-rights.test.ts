import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const target = await createDatabase();
const admin = database.pool();
const store = new PostgresKeyStore({ client: admin, watch: false });
await store.migrate();
const keys = new ApiKeyManager({ store });
afterAll(() => keys.close());

const suffix = randomBytes(4).toString('hex');
const roles: string[] = [];
afterAll(async () => {
  for (const role of roles) await admin.query(`drop owned by "${role}"; drop role "${role}"`);
});

/** A role without any right on the tables. */
async function login(name: string): Promise<{ role: string; url: string }> {
  const role = `${name} ${suffix}`;
  await admin.query(`create role "${role}" login`);
  roles.push(role);
  const url = new URL(database.url);
  url.username = encodeURIComponent(role);
  return { role, url: url.href };
}

/** Runs a command, and grants what it asks for until it succeeds. */
async function grantsOf(name: string, args: readonly string[]): Promise<string[]> {
  const { role, url } = await login(name);
  const granted: string[] = [];
  for (;;) {
    const { code, stderr } = await cli(args, { env: { DATABASE_URL: url } });
    if (code === 0) return granted;
    const [, rights, object] =
      /; the role needs a right: grant (.+) on "public"\."api_keys(\w*)" to "(?:.+)"\n$/.exec(
        stderr,
      ) ?? [];
    expect(rights, stderr).toBeDefined();
    expect(granted, stderr).not.toContain(`${object}: ${rights}`);
    expect(stderr).toContain(` to "${role}"\n`);
    granted.push(`${object}: ${rights}`);
    await admin.query(/grant .+/.exec(stderr)![0]);
  }
}

const given = async () => (await keys.create({ user: 'alice' })).record.keyId;
const link = async () => (await keys.createClaim({ user: 'bob' })).claim.claimId;
const ends = new Date(Date.now() + 3_600_000);

describe('a command whose role has no right -> names the least grants, which suffice as pasted', () => {
  it.each<[string, () => Promise<string[]>, string[]]>([
    ['list', async () => ['list'], [': select']],
    ['show', async () => ['show', await given()], [': select']],
    ['create', async () => ['create', 'alice'], [': select, insert']],
    [
      'import',
      async () => ['import', 'eve', '--digest', `sha256:${'ab'.repeat(32)}`],
      [': select, insert'],
    ],
    [
      'rotate',
      async () => ['rotate', await given(), '--overlap', '1h'],
      [': select, insert, update (expires_at)'],
    ],
    [
      'update',
      async () => ['update', await given(), '--user', 'carol', '--name', 'ci', '--expires', '1d'],
      [
        ': select',
        ': select, update (user_name, name, scopes, metadata, expires_at, allowed_addresses)',
      ],
    ],
    ['pause', async () => ['pause', await given()], [': select, update (paused_at, paused_until)']],
    [
      'resume',
      async () => {
        const keyId = await given();
        await keys.pause(keyId);
        return ['resume', keyId];
      },
      [': select, update (paused_at, paused_until)'],
    ],
    ['revoke', async () => ['revoke', await given()], [': select, update (revoked_at)']],
    [
      'revoke --family',
      async () => ['revoke', await given(), '--family'],
      [': select, update (revoked_at)'],
    ],
    [
      'revoke --user',
      async () => {
        await given();
        await link();
        return ['revoke', '--user', 'bob'];
      },
      [': select, update (revoked_at)', '_claims: select, update (revoked_at)'],
    ],
    [
      'claim',
      async () => ['claim', 'bob', '--base-url', 'https://host.example/claim'],
      ['_claims: select, insert'],
    ],
    ['claims', async () => ['claims'], ['_claims: select']],
    [
      'revoke of a claim link',
      async () => ['revoke', await link()],
      ['_claims: select, update (revoked_at)'],
    ],
    ['history', async () => ['history'], ['_events: select']],
    ['usage', async () => ['usage'], ['_usage: select']],
    [
      'notices',
      async () => {
        await keys.create({ user: 'dave', expiresAt: ends });
        return ['notices', '--before', '1d'];
      },
      ['_notices: select, insert, update, delete', ': select'],
    ],
    [
      'prune',
      async () => ['prune', '--older-than', '0s', '--events-older-than', '1d'],
      [
        '_claims: select, delete',
        ': select, delete, update (last_used_at)',
        '_events: select, delete',
        '_usage: select, delete',
      ],
    ],
  ])('%s', async (name, argsOf, expected) => {
    const granted = await grantsOf(name, await argsOf());
    expect(granted.toSorted()).toEqual(expected.toSorted());
    const onEvents = granted.filter((each) => each.startsWith('_events'));
    expect(onEvents.join()).not.toMatch(/insert|update/);
  });

  it('copy -> the reader gets select from its own URL; a writer is told to be the owner', async () => {
    const targetAdmin = target.pool();
    await new PostgresKeyStore({ client: targetAdmin }).migrate();
    const reader = await login('copy from');
    const writer = await login('copy to');
    const asWriter = new URL(target.url);
    asWriter.username = encodeURIComponent(writer.role);
    const copy = (from: string, to: string) => cli(['copy', '--from', from, '--to', to]);

    const read: string[] = [];
    for (;;) {
      const { code, stderr } = await copy(reader.url, target.url);
      if (code === 0) break;
      expect(stderr).toContain(` to "${reader.role}"\n`);
      const [grant] = /grant .+/.exec(stderr)!;
      expect(read).not.toContain(grant);
      read.push(grant);
      await admin.query(grant);
    }
    expect(read).toHaveLength(5);
    for (const grant of read) expect(grant).toMatch(/^grant select on /);

    await targetAdmin.query(
      `grant select on all tables in schema public to "${writer.role}";
       grant insert on api_keys, api_keys_claims to "${writer.role}"; delete from api_keys_events`,
    );
    const { stderr } = await copy(database.url, asWriter.href);
    await targetAdmin.query(`drop owned by "${writer.role}"`);
    expect(stderr).toBe(
      'error: copyInto failed: permission denied for table api_keys_events; the role must own the table: put the role that created it into the URL\n',
    );
  });

  it('row-level security that may hide keys -> a policy for the role, which suffices as pasted', async () => {
    await new PostgresKeyStore({ client: admin, table: 'hidden' }).migrate();
    const { role, url } = await login('hidden from');
    await admin.query(
      `alter table hidden enable row level security; grant select on hidden to "${role}"`,
    );
    const list = () => cli(['list', '--table', 'hidden'], { env: { DATABASE_URL: url } });
    const { code, stderr } = await list();
    expect(code).toBe(1);
    expect(stderr).toContain(`on "public"."hidden" to "${role}" using (true)\n`);
    await admin.query(/create policy .+/.exec(stderr)![0]);
    expect((await list()).code).toBe(0);
  });

  it('a table and a schema of odd names -> quoted in the grant', async () => {
    const odd = { schema: 'Of "teams"', table: 'keys of; users' };
    await new PostgresKeyStore({ client: admin, ...odd }).migrate();
    const { role, url } = await login('Reader');
    const list = () =>
      cli(['list', '--schema', odd.schema, '--table', odd.table], { env: { DATABASE_URL: url } });
    const first = await list();
    expect(first.stderr).toContain(`grant usage on schema "Of ""teams""" to "${role}"\n`);
    await admin.query(/grant .+/.exec(first.stderr)![0]);
    const second = await list();
    expect(second.stderr).toContain(
      `grant select on "Of ""teams"""."keys of; users" to "${role}"\n`,
    );
    await admin.query(/grant .+/.exec(second.stderr)![0]);
    expect((await list()).code).toBe(0);
  });
});
