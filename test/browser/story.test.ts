import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { SqliteKeyStore } from '../../src/sqlite.js';
import { keysOf, temporaryFolder } from '../support/audio-api.js';
import { type RunningServer, startServer } from '../support/audio-api-process.js';
import { describeInBrowser, type Open } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { rows, signIn } from '../support/desk-page.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const shell = async (line: string) => (await promisify(execFile)('sh', ['-c', line])).stdout;

interface Story {
  app: RunningServer;
  /** The same keys, seen from outside the app. */
  keys: ApiKeyManager;
  operatorKey: string;
  /** A claim link for alice. */
  link: string;
}

/** A link is previewed and claimed, its key is called with, seen in use and revoked: refused. */
async function tell(open: Open, { app, keys, operatorKey, link }: Story): Promise<void> {
  expect(link).toMatch(new RegExp(`^${app.url}/claim#[\\w-]{43}$`));
  const preview = await fetch(link, { headers: { 'User-Agent': 'Slackbot-LinkExpanding 1.0' } });
  expect(await preview.text()).not.toContain('alice');
  expect(await keys.list({ user: 'alice' })).toEqual([]);

  const { page } = await open(link);
  await page.getByRole('button', { name: 'Make my key' }).click();
  await page.getByRole('button', { name: 'Copy the command' }).click();
  await page.getByRole('button', { name: 'Copied the command' }).waitFor();
  const line = (await page.evaluate('navigator.clipboard.readText()')) as string;
  expect(JSON.parse(await shell(`${line} --silent`))).toEqual({ message: 'Hello, alice!' });
  await page.getByRole('button', { name: 'I have stored it' }).click();

  const lastUse = async () => (await keys.list({ user: 'alice' }))[0]?.lastUsedAt;
  await vi.waitFor(async () => expect(await lastUse()).toBeInstanceOf(Date), 10_000);
  const desk = await open(`${app.url}/keys`);
  await signIn(desk.page, operatorKey);
  const row = rows(desk.page).filter({ hasText: 'alice' });
  await row.locator('[data-label="Last used"] time').waitFor();
  await desk.page.getByRole('button', { name: /^Revoke key_\w+ of alice$/ }).click();
  await desk.page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
  await row.locator('.badge.revoked').waitFor();
  await vi.waitFor(
    async () =>
      expect(JSON.parse(await shell(`${line} --silent`))).toMatchObject({
        code: 'revoked_api_key',
      }),
    1_000,
  );
  const { stderr } = await app.stop();
  const [secret, token] = [/key_\w+/.exec(line)![0].slice(14), link.split('#')[1]!];
  for (const value of [secret, token, operatorKey]) expect(stderr.includes(value)).toBe(false);
  expect([secret, operatorKey].some((value) => app.output.stdout.includes(value))).toBe(false);
}

describeInBrowser('an invitation, to the last call', (open) => {
  it('npm start alone: its link claimed, called with, last use seen, revoked -> refused', async () => {
    const folder = temporaryFolder();
    const app = await startServer(folder);
    const store = await SqliteKeyStore.open(join(folder, '.audio-api', 'keys.db'));
    const keys = new ApiKeyManager({ store });
    onTestFinished(async () => {
      await keys.close();
      await store.close();
    });
    const link = /http\S+\/claim#\S+/.exec(app.output.stdout)?.[0] ?? '';
    await tell(open, { app, keys, operatorKey: keysOf(folder).operator, link });
  });

  it('on PostgreSQL, invited on the command line: claimed, called with, revoked -> refused', async () => {
    const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client: database.pool() }) });
    onTestFinished(() => keys.close());
    const env = { DATABASE_URL: database.url };
    const folder = temporaryFolder();
    const app = await startServer(folder, env);
    const operatorKey = keysOf(folder, '.audio-api/postgres').operator;
    const to = ['--scope', 'audio:write', '--base-url', `${app.url}/claim`];
    const invited = await cli(['claim', 'alice', ...to], { env });
    await tell(open, { app, keys, operatorKey, link: invited.stdout.trim() });
  });
});
