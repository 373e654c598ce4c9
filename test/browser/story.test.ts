import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { describeInBrowser } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';
import { startWebApp } from '../support/web-app.js';

const database = await createDatabase();
const shell = async (line: string) => (await promisify(execFile)('sh', ['-c', line])).stdout;

describeInBrowser('an invitation, from the command line to the last call', (open) => {
  it('invited, previewed, claimed, copied, called, revoked on the desk -> refused', async () => {
    const store = new PostgresKeyStore({ client: database.pool() });
    await store.migrate();
    const keys = new ApiKeyManager({ store });
    const operator = await keys.create({ user: 'bob', scopes: ['keys:manage'] });
    const app = await startWebApp({
      keys,
      claim: { apiName: 'Audio API', invitedBy: 'Bob', exampleUrl: '/hello' },
      desk: { claimUrl: '/claim' },
    });

    const invited = await cli(
      ['claim', 'alice', '--scope', 'audio:write', '--base-url', `${app.url}/claim`],
      {
        env: { DATABASE_URL: database.url },
      },
    );
    const link = invited.stdout.trim();
    expect(link).toMatch(new RegExp(`^${app.url}/claim#[\\w-]{43}$`));
    const preview = await app.send('GET', link.slice(app.url.length).split('#')[0]!, {
      headers: { 'User-Agent': 'Slackbot-LinkExpanding 1.0' },
    });
    expect(preview.text).not.toContain('alice');
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
    expect(JSON.parse(await shell(`${line} --silent`))).toMatchObject({ code: 'revoked_api_key' });
  });
});
