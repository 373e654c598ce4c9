import { expect, it } from 'vitest';
import { describeInBrowser } from '../support/browser.js';
import { dialog, press, rows, secretOf, signIn, startDesk } from '../support/desk-page.js';
import { keysWithoutClaims } from '../support/web-app.js';

describeInBrowser('the hand-over of new keys on the desk', (open) => {
  it("no claimUrl -> a claim link is offered first, and leads to the claim page's usual address", async () => {
    const { page, operator, url } = await startDesk(open, { desk: {} });
    await signIn(page, operator.key);
    await press(page, 'New key');
    await page.getByRole('textbox', { name: 'User' }).fill('alice');
    expect(await page.getByRole('radio', { name: 'As a claim link' }).isChecked()).toBe(true);
    await press(page, 'Continue');
    const link = await secretOf(page);
    expect(link).toMatch(new RegExp(`^${url}/claim#[\\w-]{43}$`));
    const reader = await open(link);
    await reader.page.getByRole('heading', { name: 'A key for alice' }).waitFor();
  });

  it('a store that keeps no claim links -> the key is shown, and no word of links', async () => {
    const { page, operator } = await startDesk(open, { desk: {}, keys: keysWithoutClaims() });
    await signIn(page, operator.key);
    await rows(page).first().waitFor();
    expect(await page.getByRole('tab').allInnerTexts()).toEqual(['Keys']);
    await press(page, 'New key');
    expect(await dialog(page).innerText()).not.toMatch(/link/i);
    await page.getByRole('textbox', { name: 'User' }).fill('alice');
    await press(page, 'Create key');
    expect(await secretOf(page)).toMatch(/^key_/);
  });

  it.each([
    ['http://app.localhost:3000/claim', false],
    ['http://localhost/claim', false],
    ['http://127.0.0.2/claim', false],
    ['http://[::1]:3000/claim', false],
    ['https://api.example.com/claim', false],
    ['http://api.example.com/claim', true],
    ['http://localhost.example.com/claim', true],
  ])(
    'a claim page at %s -> a warning of plain HTTP: %s, always beside what to do',
    async (claimUrl, isWarned) => {
      const { page, operator } = await startDesk(open, { desk: { claimUrl } });
      await signIn(page, operator.key);
      await press(page, 'New key');
      await page.getByRole('textbox', { name: 'User' }).fill('alice');
      await press(page, 'Continue');
      await dialog(page).getByText('Send it only to this user').waitFor();
      expect(await dialog(page).getByText('plain HTTP').count()).toBe(isWarned ? 1 : 0);
    },
  );

  it('a form that is canceled while its answer is awaited -> the form opened after it stays', async () => {
    const { page, operator, keys } = await startDesk(open);
    const { record } = await keys.create({ user: 'alice' });
    await signIn(page, operator.key);
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/revoke', async (route) => {
      await held;
      await route.continue();
    });
    await press(page, `Revoke ${record.keyId} of alice`);
    await dialog(page).getByRole('button', { name: 'Revoke key' }).click();
    await press(page, 'Cancel');
    await press(page, 'New key');
    release();
    await page.getByText('Key revoked.').first().waitFor({ state: 'attached' });
    await dialog(page).getByRole('heading', { name: 'New key' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'User' }).isVisible()).toBe(true);
  });

  it('all keys on one page -> no buttons to turn it; more -> buttons', async () => {
    const { page, operator, keys } = await startDesk(open);
    await signIn(page, operator.key);
    await rows(page).first().waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
    await page.getByRole('status').filter({ hasText: '1 key.' }).waitFor();
    for (let index = 0; index < 50; index++) await keys.create({ user: `user ${index}` });
    await page.getByLabel('Search').fill('_');
    await page.getByRole('navigation', { name: 'Pages of keys' }).waitFor();
  });
});
