import { expect, it } from 'vitest';
import { cli, folder } from '../support/cli.js';

const env = { DATABASE_URL: 'file:keys.db' };

it('values past their edges -> one sentence that names the option, and nothing is changed', async () => {
  const cwd = folder();
  const run = (...args: readonly string[]) => cli(args, { cwd, env });
  await run('migrate');
  const long = 'x'.repeat(257);
  const made = await run('create', 'u'.repeat(256), '--name', 'n'.repeat(256), '--json');
  const { record } = JSON.parse(made.stdout) as { record: { keyId: string } };
  const before = await Promise.all([run('list', '--json'), run('history', '--json')]);
  const link = ['--base-url', 'https://api.example.com/claim'];
  for (const [said, ...args] of [
    [/user/, 'create', long],
    [/user/, 'create', ''],
    [/user/, 'create', 'a\nb'],
    [/name/, 'create', 'alice', '--name', long],
    [/name/, 'create', 'alice', '--name', 'a\u0007'],
    [/--scope/, 'create', 'alice', '--scope', 'ü'],
    [/--expires/, 'create', 'alice', '--expires', '2020-01-01'],
    [/--expires/, 'create', 'alice', '--expires', '10000-01-01'],
    [/--expires/, 'create', 'alice', '--expires', '9999-12-31T23:59-14:00'],
    [/--expires/, 'create', 'alice', '--expires', '2999-02-30'],
    [/user/, 'claim', long, ...link],
    [/user/, 'update', record.keyId, '--user', long],
    [/--until/, 'pause', record.keyId, '--until', '2020-01-01'],
    [/--by/, 'revoke', record.keyId, '--by', long],
    [/--reason/, 'revoke', record.keyId, '--reason', 'x'.repeat(1_001)],
    [/--days/, 'usage', '--days', '367'],
    [/user/, 'revoke', '--user', ''],
  ] as const) {
    const { code, stdout, stderr } = await run(...args);
    const what = JSON.stringify(args).slice(0, 70);
    expect([what, code === 0, stdout]).toEqual([what, false, '']);
    expect(stderr, what).toMatch(/^error: [^\n]+\n$/);
    expect(stderr, what).toMatch(said);
  }
  expect(await Promise.all([run('list', '--json'), run('history', '--json')])).toEqual(before);
});
