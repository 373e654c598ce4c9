import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { temporaryFolder } from '../support/audio-api.js';
import { startServer } from '../support/audio-api-process.js';
import { describeInBrowser } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const shell = async (line: string) => (await promisify(execFile)('sh', ['-c', line])).stdout;

describeInBrowser('an invitation, from the command line to the last call', (open) => {
  it('invited, previewed, claimed, copied, called, revoked on the desk -> refused', async () => {
    const store = new PostgresKeyStore({ client: database.pool() });
    await store.migrate();
    const keys = new ApiKeyManager({ store });
    const operator = await keys.create({ user: 'bob', scopes: ['keys:manage'] });
    const app = await startServer(temporaryFolder(), { DATABASE_URL: database.url });

    const invited = await cli(
      ['claim', 'alice', '--scope', 'audio:write', '--base-url', `${app.url}/claim`],
      {
        env: { DATABASE_URL: database.url },
      },
    );
    const link = invited.stdout.trim();
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

    const desk = await open(`${app.url}/keys`);
    await desk.page.getByLabel('Your API key').fill(operator.key);
    await desk.page.getByRole('button', { name: 'Sign in' }).click();
    await desk.page.getByRole('button', { name: /^Revoke key_\w+ of alice$/ }).click();
    await desk.page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
    await desk.page.getByText('Revoked', { exact: true }).last().waitFor();
    await vi.waitFor(
      async () =>
        expect(JSON.parse(await shell(`${line} --silent`))).toMatchObject({
          code: 'revoked_api_key',
        }),
      1_000,
    );
    await keys.close();
    const { stdout, stderr } = await app.stop();
    const [secret, token] = [/key_\w+/.exec(line)![0].slice(14), link.split('#')[1]!];
    for (const output of [stdout, stderr])
      expect([output.includes(secret), output.includes(token)]).toEqual([false, false]);
  });
});
