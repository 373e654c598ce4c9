// Makes the pictures of docs/images anew: the real pages in a real browser, on keys and links that
// exist for the picture alone. The key that can be read in them was never valid anywhere: its
// manager lives in this process and ends with it.
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import { chromium, type Page } from 'playwright-core';
import { ApiKeyManager, MemoryKeyStore } from '../src/index.js';
import { accountKeys, claimPage, keyDesk } from '../src/web.js';

const folder = process.argv[2] ?? 'docs/images';
/** The looks that the documentation shows; with `all`, dark ones and phones too, to be judged. */
const isWhole = process.argv[3] === 'all';
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let clock = Date.now();
const store = new MemoryKeyStore();
const keys = new ApiKeyManager({
  store,
  now: () => clock,
  lastUsedIntervalMs: 0,
});
const operator = await seed();

const app = express();
app.use(
  '/claim',
  claimPage({
    keys,
    apiName: 'Audio API',
    invitedBy: 'Bob',
    exampleUrl: 'https://api.example.com/hello',
  }),
);
app.use(
  '/keys',
  keyDesk({ keys, apiName: 'Audio API', knownScopes: ['audio:read', 'audio:write'] }),
);
app.use(
  '/account/keys',
  accountKeys({
    keys,
    apiName: 'Audio API',
    exampleUrl: '/hello',
    userOf: () => 'alice',
    scopesFor: () => ['audio:read', 'audio:write'],
  }),
);
const server = createServer(app).listen(0, '127.0.0.1');
await new Promise((resolve) => void server.once('listening', resolve));
const port = (server.address() as AddressInfo).port;
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium-headless-shell',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--force-color-profile=srgb',
    // The pages are told the address that a reader would see.
    `--host-resolver-rules=MAP api.example.com 127.0.0.1:${port}`,
  ],
});
mkdirSync(folder, { recursive: true });

const sizes = {
  desktop: { width: 1280, height: 800 },
  page: { width: 820, height: 860 },
  phone: { width: 360, height: 780 },
};
type Look = { size: keyof typeof sizes; colorScheme?: 'light' | 'dark' };

async function open({ size, colorScheme = 'light' }: Look, path: string): Promise<Page> {
  const context = await browser.newContext({
    viewport: sizes[size],
    colorScheme,
    deviceScaleFactor: 2,
    reducedMotion: 'reduce',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  await page.goto(`http://api.example.com${path}`);
  return page;
}

const shoot = async (page: Page, name: string, { fullPage = false } = {}) => {
  // What was said in passing is gone from the picture.
  await page.evaluate("document.getElementById('toast').textContent = ''");
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', fullPage });
};

/** The card with some ground below it. */
const shootCard = async (page: Page, name: string) => {
  const { y, height } = (await page.getByRole('main').boundingBox())!;
  const whole = page.viewportSize()!;
  if (y > 0) await page.setViewportSize({ ...whole, height: Math.ceil(y + height + y) });
  await shoot(page, name);
  await page.setViewportSize(whole);
};

for (const [look, ending] of [
  [{ size: 'desktop' }, ''],
  [{ size: 'desktop', colorScheme: 'dark' }, '-dark'],
  [{ size: 'phone' }, '-phone'],
  [{ size: 'phone', colorScheme: 'dark' }, '-phone-dark'],
] as [Look, string][]) {
  if (ending !== '' && !isWhole) continue;
  const page = await open(look, '/keys');
  await page.getByLabel('Your API key').fill(operator);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('table', { name: 'Keys' }).waitFor();
  await shoot(page, `key-desk${ending}`, { fullPage: true });
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('textbox', { name: 'User' }).fill('alice');
  await page.getByRole('checkbox', { name: 'audio:write' }).check();
  await shoot(page, `key-desk-new${ending}`);
  if (isWhole) {
    await page.getByRole('button', { name: 'Cancel' }).click();
    for (const action of ['Change', 'Pause', 'History', 'Revoke all']) {
      const name = action.toLowerCase().replace(' ', '-');
      await page
        .getByRole('button', { name: /^More Web player/ })
        .first()
        .click();
      if (action === 'Change') await shoot(page, `key-desk-more${ending}`);
      await page.getByRole('dialog').getByRole('button', { name: action }).click();
      await shoot(page, `key-desk-${name}${ending}`);
      await page.getByRole('button', { name: /Cancel|Close/ }).click();
    }
  }
  const account = await open(look, '/account/keys');
  await account.getByRole('table', { name: 'Keys' }).waitFor();
  await shoot(account, `account-page${ending}`, { fullPage: true });
  if (isWhole) {
    await account.getByRole('button', { name: 'New key' }).click();
    await account.getByLabel('Name').fill('Laptop');
    await shoot(account, `account-page-new${ending}`);
    await account.getByRole('button', { name: 'Create key' }).click();
    await account.locator('#example-text').waitFor();
    await shoot(account, `account-page-key${ending}`);
    await account.getByRole('button', { name: 'I have stored it' }).click();
    await account.getByRole('button', { name: /^Rotate Laptop/ }).click();
    await shoot(account, `account-page-rotate${ending}`);
    for (const { keyId } of await keys.list({ search: 'Laptop' })) await keys.revoke(keyId);
  }
  for (const each of [page, account]) await each.context().close();
}

for (const [look, ending] of [
  [{ size: 'page' }, ''],
  [{ size: 'page', colorScheme: 'dark' }, '-dark'],
  [{ size: 'phone' }, '-phone'],
] as [Look, string][]) {
  if (ending !== '' && !isWhole) continue;
  clock = Date.now();
  const { token } = await keys.createClaim({
    user: 'alice',
    name: 'Podcast upload',
    scopes: ['audio:read', 'audio:write'],
    expiresAt: new Date(clock + 90 * dayMs),
  });
  const page = await open(look, `/claim#${token}`);
  await page.getByRole('button', { name: 'Make my key' }).waitFor();
  await shootCard(page, `claim-page${ending}`);
  await page.getByRole('button', { name: 'Make my key' }).click();
  await page.getByRole('button', { name: 'I have stored it' }).waitFor();
  await shootCard(page, `claim-page-key${ending}`);
  await page.context().close();
}

await browser.close();
server.closeAllConnections();
server.close();
await keys.close();

/** Keys in every state, made at the times that they say. Resolves to the operator's. */
async function seed(): Promise<string> {
  const now = clock;
  const at = async <Result>(ago: number, work: () => Promise<Result>): Promise<Result> => {
    clock = now - ago;
    const result = await work();
    clock = now;
    return result;
  };
  const use = (key: string, ago: number) =>
    at(ago, async () => {
      await keys.verify(key);
      // The use is written behind the request.
      await wait(20);
    });
  const old = await at(400 * dayMs, async () =>
    keys.create({ user: 'bob', name: 'First script', scopes: ['audio:read'] }),
  );
  await at(210 * dayMs, async () => keys.revoke(old.record.keyId));
  const trial = await at(120 * dayMs, async () =>
    keys.create({ user: 'alice', name: 'Trial', expiresAt: new Date(now - 30 * dayMs) }),
  );
  await use(trial.key, 41 * dayMs);
  const nightly = await at(84 * dayMs, async () =>
    keys.create({
      user: 'bob',
      name: 'Nightly import',
      scopes: ['audio:read', 'audio:write'],
      expiresAt: new Date(now + 6 * dayMs),
    }),
  );
  await use(nightly.key, 9 * hourMs);
  const player = await at(60 * dayMs, async () =>
    keys.create({
      user: 'alice',
      name: 'Web player',
      scopes: ['audio:read'],
      metadata: { plan: 'studio' },
    }),
  );
  await use(player.key, 3 * hourMs);
  await at(5 * hourMs, async () => keys.rotate(player.record.keyId, { overlapMs: dayMs }));
  const batch = await at(20 * dayMs, async () =>
    keys.create({ user: 'alice', name: 'Batch upload', scopes: ['audio:write'] }),
  );
  await use(batch.key, 26 * hourMs);
  await at(dayMs, async () =>
    keys.pause(batch.record.keyId, { until: new Date(now + dayMs), by: 'bob', reason: 'Too many' }),
  );
  for (const [{ keyId, user }, from, scale] of [
    [nightly.record, 1, 40],
    [player.record, 0, 900],
    [batch.record, 1, 200],
  ] as const)
    for (let ago = from; ago < 30; ago++)
      await store.usage.add([
        {
          day: new Date(now - ago * dayMs).toISOString().slice(0, 10),
          keyId,
          user,
          admitted: Math.round(scale * (1.2 + Math.sin(ago * 1.7) + ((ago * 7) % 5) / 8)),
          refused: ago % 9 === 4 ? Math.round(scale / 8) : 0,
        },
      ]);
  await at(2 * dayMs, async () =>
    keys.createClaim({ user: 'alice', scopes: ['audio:write'], claimTtlMs: 7 * dayMs }),
  );
  const { key } = await at(30 * dayMs, async () =>
    keys.create({
      user: 'bob',
      name: 'Operator',
      scopes: ['keys:manage'],
      expiresAt: new Date(now + 60 * dayMs),
    }),
  );
  return key;
}
