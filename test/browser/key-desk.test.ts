import { expect, it } from 'vitest';
import { describeInBrowser, expectAccessible } from '../support/browser.js';
import {
  dialog,
  press,
  rows,
  secretOf,
  signIn,
  startDesk,
  wholePage,
} from '../support/desk-page.js';

describeInBrowser('the key desk in a browser', (open) => {
  it('keys that may not -> a sentence each, and no data; the right one -> the list', async () => {
    const { page, keys, operator } = await startDesk(open, {}, { mayComplain: true });
    const reader = await keys.create({ user: 'alice', scopes: ['audio:read'] });
    for (const [key, sentence] of [
      ['', 'Enter your API key.'],
      ['wrong', 'The API key is not known here.'],
      [reader.key, 'The API key is known but lacks a scope it needs here: keys:manage.'],
    ] as const) {
      await signIn(page, key);
      await page.getByText(sentence).waitFor();
    }
    await expectAccessible(page, 'a refused sign-in');
    await signIn(page, ` ${operator.key} `);
    await rows(page).first().waitFor();
    expect(await rows(page).count()).toBe(2);
    expect(await page.getByText('your key').count()).toBe(1);
  });

  it("the operator's key -> in no store, cookie, address or text of the page; reload and sign-out forget it", async () => {
    const { page, operator, url } = await startDesk(open);
    await signIn(page, operator.key);
    await rows(page).first().waitFor();
    const kept = await page.evaluate(
      'JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])',
    );
    expect(kept).toBe(JSON.stringify([{}, {}, '', `${url}/keys`]));
    expect(await wholePage(page)).not.toContain(operator.key);
    expect(await page.locator('#operator-key').inputValue()).toBe('');
    await press(page, 'Sign out');
    expect(await page.getByLabel('Your API key').inputValue()).toBe('');
    expect(await page.getByRole('table').count()).toBe(0);
    await signIn(page, operator.key);
    await rows(page).first().waitFor();
    await page.reload();
    await page.getByLabel('Your API key').waitFor();
    expect(await page.getByRole('table').count()).toBe(0);
  });

  it('a new key -> shown once, kept from Escape, gone with its dialog, listed, working', async () => {
    const { page, operator, send } = await startDesk(open);
    await signIn(page, operator.key);
    await press(page, 'New key');
    await page.getByLabel('Other scopes').focus();
    await press(page, 'Continue');
    await dialog(page).getByText('Enter the user of the key.').waitFor();
    const user = page.getByRole('textbox', { name: 'User' });
    expect(await user.getAttribute('aria-invalid')).toBe('true');
    expect(await page.evaluate('document.activeElement.id')).toBe('user');
    await expectAccessible(page, 'a field that is wrong');
    await user.fill('alice');
    await page.getByRole('checkbox', { name: 'audio:write' }).check();
    await page.getByLabel('Other scopes').fill('reports:read, audio:write');
    await page.getByRole('radio', { name: 'Show the key here' }).check();
    await press(page, 'Continue');
    await dialog(page).getByRole('heading', { name: 'A key for alice' }).waitFor();
    const key = await secretOf(page);
    await page.keyboard.press('Escape');
    await press(page, 'Copy');
    await page.getByRole('status').filter({ hasText: 'Key copied.' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
    await press(page, 'I have stored it');
    await rows(page).nth(1).waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('New key');
    expect(await rows(page).first().innerText()).toMatch(
      /alice[^]*Active[^]*audio:write[^]*reports:read[^]*never/,
    );
    expect(await wholePage(page)).not.toContain(key);
    expect((await send('GET', '/hello', { headers: { 'X-API-Key': key } })).status).toBe(200);
  });

  it('a claim link -> works for its reader, is listed as used; another one is revoked', async () => {
    const { page, operator, keys, url } = await startDesk(open);
    await signIn(page, operator.key);
    for (const user of ['alice', 'carol']) {
      await press(page, 'New key');
      await page.getByRole('textbox', { name: 'User' }).fill(user);
      await press(page, 'Continue');
      await dialog(page)
        .getByRole('heading', { name: `A claim link for ${user}` })
        .waitFor();
      const link = await secretOf(page);
      expect(link).toMatch(new RegExp(`^${url}/claim#[\\w-]{43}$`));
      await press(page, 'I have sent it');
      if (user === 'alice') {
        const reader = await open(link);
        await press(reader.page, 'Make my key');
        await reader.page.getByRole('heading', { name: 'Your API key' }).waitFor();
        await press(reader.page, 'I have stored it');
      }
    }
    await page.getByRole('tab', { name: 'Claim links' }).click();
    expect(await rows(page, 'Claim links').count()).toBe(1);
    await press(page, /^Revoke claim_\w+ for carol$/);
    await dialog(page).waitFor();
    await expectAccessible(page, 'the revoke dialog');
    await press(page, 'Revoke link');
    await page.getByRole('tabpanel').getByText('No matching links.').waitFor();
    await page.locator('#link-status-filter').selectOption('');
    await rows(page, 'Claim links').nth(1).waitFor();
    expect(await rows(page, 'Claim links').allInnerTexts()).toEqual([
      expect.stringMatching(/carol[^]*Revoked/),
      expect.stringMatching(/alice[^]*Used/),
    ]);
    await expectAccessible(page, 'the links');
    expect(await keys.list({ user: 'alice' })).toHaveLength(1);
  });

  it('rotate -> both keys work and the list says so; revoke asks first, then ends the key at once', async () => {
    const { page, operator, keys, send } = await startDesk(open);
    const old = await keys.create({ user: 'alice', name: 'laptop' });
    const hello = async (key: string) =>
      (await send('GET', '/hello', { headers: { 'X-API-Key': key } })).status;
    await signIn(page, operator.key);
    await press(page, /^Rotate laptop, key_\w+ of alice$/);
    await page.getByLabel('The old key').selectOption({ label: 'Works for 7 more days' });
    await expectAccessible(page, 'the rotate dialog');
    await dialog(page).getByRole('button', { name: 'Rotate key' }).click();
    await dialog(page).getByRole('heading', { name: 'The new key of alice' }).waitFor();
    const key = await secretOf(page);
    await expectAccessible(page, 'a key in a dialog');
    await press(page, 'I have stored it');
    await page.getByText('Rotating', { exact: true }).last().waitFor();
    expect([await hello(key), await hello(old.key)]).toEqual([200, 200]);

    await press(page, new RegExp(`^Revoke laptop, ${old.record.keyId} of alice$`));
    await page.keyboard.press('Escape');
    expect(await hello(old.key)).toBe(200);
    await press(page, new RegExp(`^Revoke laptop, ${old.record.keyId} of alice$`));
    await expectAccessible(page, 'the revoke dialog');
    await dialog(page).getByRole('button', { name: 'Revoke key' }).click();
    await page.getByRole('status').filter({ hasText: 'Key revoked.' }).waitFor();
    expect([await hello(key), await hello(old.key)]).toEqual([200, 401]);
  });

  it("the operator's own key -> rotating goes on with the new one, revoking warns and signs out", async () => {
    const { page, operator, keys } = await startDesk(open, {}, { mayComplain: true });
    await signIn(page, operator.key);
    await press(page, /^Rotate/);
    await page.getByText('The desk continues with the new key').waitFor();
    await page.getByLabel('The old key').selectOption({ label: 'Stops at once' });
    await dialog(page).getByRole('button', { name: 'Rotate key' }).click();
    await press(page, 'I have stored it');
    await rows(page).nth(1).waitFor();
    const [own] = await keys.list();
    await press(page, new RegExp(`^Revoke desk, ${own!.keyId} of bob$`));
    await page.getByText('you will be signed out').waitFor();
    await dialog(page).getByRole('button', { name: 'Revoke key' }).click();
    await page.getByText('The API key was revoked').waitFor();
    expect(await page.getByRole('table').count()).toBe(0);
  });

  it('10 000 keys -> each page and each search within two seconds, on a busy machine too', async () => {
    const { page, operator, keys } = await startDesk(open);
    for (let index = 0; index < 10_000; index++) await keys.create({ user: `user ${index}` });
    await signIn(page, operator.key);
    await page.getByText('Page 1', { exact: true }).waitFor();
    for (let number = 2; number <= 5; number++) {
      const startedAt = performance.now();
      await press(page, 'Next');
      await page.getByText(`Page ${number}`, { exact: true }).waitFor();
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
    expect(await rows(page).count()).toBe(50);
    await press(page, 'Previous');
    await page.getByText('Page 4', { exact: true }).waitFor();
    const startedAt = performance.now();
    await page.getByLabel('Search').fill('USER 1234');
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await page.getByLabel('Search').fill('nobody');
    await page.getByRole('tabpanel').getByText('No matching keys.').waitFor();
  });

  it('the keyboard alone -> a key is revoked, and the focus comes back to the desk', async () => {
    const { page, operator, keys } = await startDesk(open);
    const { record } = await keys.create({ user: 'alice' });
    await page.keyboard.type(operator.key);
    await page.keyboard.press('Enter');
    await rows(page).nth(1).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('tabpanel', { name: 'Claim links' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    for (let turn = 0; turn < 5; turn++) await page.keyboard.press('Tab');
    const label = () => page.evaluate('document.activeElement.getAttribute("aria-label")');
    while ((await label()) !== `Revoke ${record.keyId} of alice`) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Cancel');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await rows(page).getByText('Revoked', { exact: true }).waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Key desk');
    expect((await keys.get(record.keyId))?.revokedAt).toBeInstanceOf(Date);
  });
});
