import { expect, it } from 'vitest';
import { startAccount, type AccountAppOptions } from '../support/account-app.js';
import {
  describeInBrowser,
  expectAccessible,
  expectNoSidewaysScroll,
  type Open,
} from '../support/browser.js';
import { memoryKeys } from '../support/web-app.js';
import { dialog, press, rows, secretOf, wholePage } from '../support/desk-page.js';

const dayMs = 86_400_000;

// The browser writes each refusal to its console.
const withRefusals = { mayComplain: true };

/** Opens the page as alice, who is logged in. */
async function openAccount(
  open: Open,
  options: AccountAppOptions = {},
  visit: Parameters<Open>[1] = {},
) {
  const app = await startAccount({
    ...options,
    account: { userOf: () => 'alice', ...options.account },
  });
  const { page } = await open(`${app.url}/account/keys`, visit);
  return { ...app, page };
}

describeInBrowser('the account page', (open) => {
  it('a key made -> shown once, with a curl line, and listed', async () => {
    const { page, keys, hello } = await openAccount(open);
    await page.getByText('No keys yet.').first().waitFor();
    await expectAccessible(page, 'an empty list');
    await press(page, 'New key');
    await press(page, 'Create key');
    await dialog(page).getByText('Enter a name for the key.').waitFor();
    await expectAccessible(page, 'a form with a field that is wrong');
    await page.getByLabel('Name').fill('laptop');
    await page.getByLabel('audio:read').check();
    await page.keyboard.press('Enter');
    const key = await secretOf(page);
    expect(await hello(key)).toBe(200);
    await expectAccessible(page, 'a new key');
    expect(await dialog(page).locator('#example-text').innerText()).toBe(
      `curl -H 'X-API-Key: ${key}' '${new URL('/hello', page.url()).href}'`,
    );
    await page.keyboard.press('Escape');
    await dialog(page).waitFor();
    await press(page, 'I have stored it');
    await rows(page).filter({ hasText: 'laptop' }).waitFor();
    expect(await wholePage(page)).not.toContain(key);
    const [record] = await keys.list();
    expect(record).toMatchObject({ user: 'alice', name: 'laptop', scopes: ['audio:read'] });
  });

  it('a key rotated and its successor revoked -> each said beforehand, and done', async () => {
    const keys = memoryKeys();
    const { key } = await keys.create({ user: 'alice', name: 'laptop' });
    const { page, hello } = await openAccount(open, { keys });
    await page.getByRole('button', { name: /^Rotate laptop/ }).click();
    await dialog(page).getByText('The old key works for 1 day more').waitFor();
    await expectAccessible(page, 'a rotation');
    await dialog(page).getByRole('button', { name: 'Rotate key' }).click();
    const successor = await secretOf(page);
    expect([await hello(key), await hello(successor)]).toEqual([200, 200]);
    await press(page, 'I have stored it');
    await rows(page).nth(1).waitFor();
    expect(await page.getByRole('button', { name: /^Rotate/ }).count()).toBe(0);

    await page
      .getByRole('button', { name: /^Revoke laptop/ })
      .first()
      .click();
    await expectAccessible(page, 'a revocation');
    await dialog(page).getByRole('button', { name: 'Revoke key' }).click();
    await rows(page).getByText('Revoked').first().waitFor();
    expect([await hello(key), await hello(successor)]).toEqual([200, 401]);
  });

  it('as many keys as are allowed -> the form says what to do, and none is made', async () => {
    const { page, keys } = await openAccount(open, { account: { maxKeys: 1 } }, withRefusals);
    await keys.create({ user: 'alice', name: 'one' });
    await page.getByText('You may have 1 at a time.').waitFor();
    await press(page, 'New key');
    await page.getByLabel('Name').fill('two');
    await press(page, 'Create key');
    await dialog(page).getByRole('alert').getByText('Revoke one').waitFor();
    expect(await keys.list()).toHaveLength(1);
  });

  it('an end that is later than allowed -> said beside its field', async () => {
    const { ApiKeyManager, MemoryKeyStore } = await import('../../src/index.js');
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), maxLifetimeMs: dayMs });
    const { page } = await openAccount(open, { keys }, withRefusals);
    await page.getByText('No keys yet.').first().waitFor();
    await press(page, 'New key');
    await page.getByLabel('Name').fill('laptop');
    await press(page, 'Create key');
    await expect
      .poll(() => page.locator('#expires-error').innerText())
      .toContain('Choose an earlier end.');
    expect(await keys.list()).toEqual([]);
  });

  it('somebody who has been logged out meanwhile -> told so, with a way to log in again', async () => {
    let user: string | undefined = 'alice';
    const { page } = await openAccount(open, { account: { userOf: () => user } }, withRefusals);
    await page.getByText('No keys yet.').first().waitFor();
    user = undefined;
    await press(page, 'New key');
    await page.getByLabel('Name').fill('laptop');
    await press(page, 'Create key');
    await dialog(page).getByRole('alert').getByText('You are not logged in.').waitFor();
    await press(page, 'Cancel');
    await page.reload();
    await page.getByText('You are not logged in.').waitFor();
    await expectAccessible(page, 'the page for strangers');
  });

  it.each(['light', 'dark'] as const)(
    'uses, every status and long names on a phone, %s -> figures as text, nothing beyond the edge',
    async (colorScheme) => {
      let now = Date.now() - 30 * dayMs;
      const { ApiKeyManager, MemoryKeyStore } = await import('../../src/index.js');
      const store = new MemoryKeyStore();
      const keys = new ApiKeyManager({ store, now: () => now });
      const create = (name: string, fields: object = {}) =>
        keys.create({ user: 'alice', name, scopes: ['audio:read'], ...fields });
      await create('expired', { expiresAt: new Date(now + dayMs) });
      const { record } = await create('<img src=x onerror=alert(1)> a name that goes on and on');
      await keys.revoke((await create('revoked')).record.keyId);
      now = Date.now();
      await keys.pause((await create('paused')).record.keyId, { until: new Date(now + dayMs) });
      await keys.rotate((await create('rotating')).record.keyId);
      const { keyId, user } = record;
      for (const [ago, admitted, refused] of [
        [0, 1_204, 3],
        [3, 400, 0],
      ] as const) {
        const day = new Date(now - ago * dayMs).toISOString().slice(0, 10);
        await store.usage.add([{ day, keyId, user, admitted, refused }]);
      }
      const phone = { viewport: { width: 360, height: 700 }, colorScheme };
      const { page } = await openAccount(open, { keys }, phone);
      await rows(page).nth(5).waitFor();
      await page.getByText('1,604 uses, 3 refused in 30 days').click();
      await page.getByText('1,204 uses, 3 refused').last().waitFor();
      expect(await page.locator('table img').count()).toBe(0);
      expect(await page.locator('svg.chart rect').count()).toBe(3);
      await expectNoSidewaysScroll(page);
      await expectAccessible(page, 'the list');
      for (const status of ['Expired', 'Revoked', 'Paused', 'Rotating', 'Active'])
        await page.locator('.badge').getByText(status, { exact: true }).first().waitFor();
      await press(page, 'New key');
      await expectNoSidewaysScroll(page);
      await expectAccessible(page, 'the form for a new key');
    },
  );
});
