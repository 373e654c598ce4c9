import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it, vi } from 'vitest';
import { keysOf, temporaryFolder } from '../support/audio-api.js';
import { startServer } from '../support/audio-api-process.js';
import { describeInBrowser } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { dialog, press, rows, secretOf, signIn } from '../support/desk-page.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();

/** Fills in the form for a new key, and sends it. */
async function askForKey(page: Page, name: string): Promise<void> {
  await press(page, 'New key');
  await page.getByLabel('Name').fill(name);
  await press(page, 'Create key');
}

async function makeKey(page: Page, name: string): Promise<string> {
  await askForKey(page, name);
  const key = await secretOf(page);
  await press(page, 'I have stored it');
  return key;
}

/** As a script of the page does, with its session. */
const askApiForKey = async (page: Page, name: string) =>
  page.evaluate<string>(`fetch('/account/keys/api/keys', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: '${name}' }),
  }).then(async (response) => (await response.json()).key)`);

const rowOf = (page: Page, text: string) => rows(page).filter({ hasText: text });

/** Presses what stands behind "More" for a key at the desk, and confirms it. */
async function control(desk: Page, name: RegExp, action: string): Promise<void> {
  await desk.getByRole('button', { name }).first().click();
  await dialog(desk).getByRole('button', { name: action }).click();
  await press(desk, `${action} key`);
  await dialog(desk).waitFor({ state: 'hidden' });
}

describeInBrowser('an account, from the login to the last day', (open) => {
  it.each(['SQLite', 'PostgreSQL'])(
    'on %s: keys made up to the limit, used and rotated, one paused and resumed, all ended by one command -> the history names who did each',
    { timeout: 300_000 },
    async (place) => {
      const folder = temporaryFolder();
      const isSqlite = place === 'SQLite';
      const url = isSqlite ? `file:${join(folder, '.audio-api', 'keys.db')}` : database.url;
      const app = await startServer(folder, isSqlite ? {} : { DATABASE_URL: url });
      const operator = keysOf(folder, isSqlite ? undefined : '.audio-api/postgres').operator;
      const hello = async (key: string) => {
        const response = await fetch(`${app.url}/hello`, { headers: { 'X-API-Key': key } });
        const { code, message } = (await response.json()) as Record<string, string>;
        return [response.status, code ?? message];
      };
      const command = async (...args: string[]) => {
        const { code, stdout, stderr } = await cli([...args, '--json'], {
          env: { DATABASE_URL: url },
        });
        expect(code, stderr).toBe(0);
        return JSON.parse(stdout) as unknown;
      };

      // The browser writes the refusal of an eleventh key to its console.
      const { page } = await open(`${app.url}/account/keys`, { mayComplain: true });
      await page.getByLabel('Your name').fill('carol');
      await press(page, 'Log in');
      await page.waitForURL(`${app.url}/account/keys`);

      const first = await makeKey(page, 'laptop');
      for (let use = 0; use < 3; use++) expect(await hello(first)).toEqual([200, 'Hello, carol!']);
      await vi.waitFor(
        async () => {
          await page.reload();
          await rowOf(page, 'laptop').getByText('3 uses in 30 days').waitFor({ timeout: 1_000 });
        },
        { timeout: 20_000 },
      );
      await rowOf(page, 'laptop').locator('svg.chart rect').waitFor();

      await page.getByRole('button', { name: /^Rotate laptop/ }).click();
      await press(page, 'Rotate key');
      const second = await secretOf(page);
      await press(page, 'I have stored it');
      await rowOf(page, 'laptop').getByText('Rotating').waitFor();
      for (const key of [first, second]) expect(await hello(key)).toEqual([200, 'Hello, carol!']);

      const others: string[] = [];
      for (let number = 2; number <= 9; number++)
        others.push(await askApiForKey(page, `machine ${number}`));
      others.push(await makeKey(page, 'machine 10'));
      await rows(page).nth(10).waitFor();
      await askForKey(page, 'machine 11');
      await dialog(page).getByRole('alert').getByText('Revoke one').waitFor();
      await press(page, 'Cancel');
      await page.reload();
      await rows(page).nth(10).waitFor();
      expect(await rows(page).count()).toBe(11);
      expect(await rowOf(page, 'machine 11').count()).toBe(0);

      const desk = (await open(`${app.url}/keys`)).page;
      await signIn(desk, operator);
      await control(desk, /^More machine 10,/, 'Pause');
      expect(await hello(others.at(-1)!)).toEqual([403, 'paused_api_key']);
      expect(await hello(others[0]!)).toEqual([200, 'Hello, carol!']);
      await control(desk, /^More machine 10,/, 'Resume');
      expect(await hello(others.at(-1)!)).toEqual([200, 'Hello, carol!']);

      const invitation = ['claim', 'carol', '--by', 'dave', '--base-url', `${app.url}/claim`];
      const { link } = (await command(...invitation)) as { link: string };
      const ended = (await command(
        ...['revoke', '--user', 'carol', '--by', 'olga', '--reason', 'left on Friday'],
      )) as { keys: unknown[]; claims: unknown[] };
      expect([ended.keys.length, ended.claims.length]).toEqual([11, 1]);
      for (const key of [first, second, ...others])
        await vi.waitFor(async () => expect(await hello(key)).toEqual([401, 'revoked_api_key']), {
          timeout: 2_000,
        });
      const claim = (await open(link, { mayComplain: true })).page;
      await claim.getByText('This link does not work').waitFor();

      const history = (await command('history', '--user', 'carol', '--all')) as Step[];
      expect(new Set(history.map(describeStep))).toEqual(
        new Set([
          'created by carol via account',
          'rotated by carol via account',
          'paused by operator via desk',
          'resumed by operator via desk',
          'claim_created by dave via cli',
          'claim_revoked by olga via cli: left on Friday',
          'revoked by olga via cli: left on Friday',
        ]),
      );
      expect(history.filter(({ what }) => what === 'created')).toHaveLength(11);
      expect(history.filter(({ what }) => what === 'revoked')).toHaveLength(11);
    },
  );
});

interface Step {
  readonly what: string;
  readonly by: string;
  readonly via: string;
  readonly reason?: string;
}

const describeStep = ({ what, by, via, reason }: Step) =>
  `${what} by ${by} via ${via}${reason === undefined ? '' : `: ${reason}`}`;
