import { expect, it } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../src/index.js';
import { describeInBrowser, expectAccessible, expectNoSidewaysScroll } from '../support/browser.js';
import { dialog, press, rows, signIn, startDesk } from '../support/desk-page.js';

const phone = { viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true };

describeInBrowser('what operators control at the key desk', (open) => {
  it('a key paused, resumed and changed -> each with its reason, and the history tells of it', async () => {
    // The browser writes the refusal of an address to its console.
    const { page, operator, keys, send } = await startDesk(open, {}, { mayComplain: true });
    const { key, record } = await keys.create({ user: 'alice', name: 'laptop' });
    const hello = async () =>
      (await send('GET', '/hello', { headers: { 'X-API-Key': key } })).status;
    await signIn(page, operator.key);
    const more = async (action: string) => {
      await page.getByRole('button', { name: /^More laptop/ }).click();
      await dialog(page).getByRole('button', { name: action }).click();
    };
    await more('Pause');
    await page.getByLabel('Reason (optional)').fill('too many calls');
    await press(page, 'Pause key');
    await rows(page).getByText('Paused').waitFor();
    expect(await hello()).toBe(403);
    await more('Resume');
    await press(page, 'Resume key');
    await rows(page).getByText('Paused').waitFor({ state: 'detached' });
    expect(await hello()).toBe(200);

    await more('Change');
    await page.getByLabel('Allowed addresses (optional)').fill('host.example');
    await press(page, 'Save');
    await expect
      .poll(() => page.locator('#allowedAddresses-error').innerText())
      .toMatch(/^Must be an array of at most 100 IP addresses/);
    await page.getByLabel('Allowed addresses (optional)').fill('203.0.113.0/24 2001:db8::/48');
    await page.getByLabel('Name (optional)').fill('');
    await press(page, 'Save');
    await dialog(page).waitFor({ state: 'hidden' });
    const changed = await keys.get(record.keyId);
    expect(changed).toMatchObject({ allowedAddresses: ['203.0.113.0/24', '2001:db8::/48'] });
    expect(changed).not.toHaveProperty('name');

    await page.getByRole('button', { name: new RegExp(`^More ${record.keyId}`) }).click();
    await dialog(page).getByRole('button', { name: 'History' }).click();
    const events = dialog(page).getByRole('listitem');
    await events.nth(3).waitFor();
    const told = await events.allInnerTexts();
    expect(told[0]).toMatch(/^Changed by bob, at the key desk[^]*Name: laptop became none/);
    expect(told[2]).toMatch(/^Paused by bob, at the key desk[^]*“too many calls”/);
    expect(told[2]).toMatch(/Paused until: \d+ \w+ \d{4}, \d\d:\d\d$/);
  });

  it('somebody leaves -> all their keys revoked in one step', async () => {
    const { page, operator, keys } = await startDesk(open);
    for (const name of ['one', 'two']) await keys.create({ user: 'alice', name });
    await signIn(page, operator.key);
    await page.getByRole('button', { name: /^More one/ }).click();
    await dialog(page).getByRole('button', { name: 'Revoke all' }).click();
    await dialog(page).getByText('of alice stop working at once').waitFor();
    await dialog(page).getByRole('button', { name: 'Revoke all' }).click();
    await rows(page).getByText('Revoked').nth(1).waitFor();
    expect(await keys.list({ status: 'active' })).toMatchObject([{ user: 'bob' }]);
  });

  it('the dialogs on a phone -> nothing beyond the edge, and everybody can read them', async () => {
    const { page, operator, keys } = await startDesk(open, {}, phone);
    const { keyId } = (await keys.create({ user: 'alice', name: 'laptop' })).record;
    await keys.pause(keyId, {
      reason: 'a reason that is rather long, so that it has to be broken',
    });
    await signIn(page, operator.key);
    for (const action of ['Change', 'Resume', 'History', 'Revoke all']) {
      await page.getByRole('button', { name: /^More laptop/ }).click();
      await expectAccessible(page, 'more');
      await dialog(page).getByRole('button', { name: action }).click();
      await dialog(page)
        .getByText(keyId)
        .or(dialog(page).getByLabel('User'))
        .or(dialog(page).getByText('of alice'))
        .first()
        .waitFor();
      await expectNoSidewaysScroll(page);
      await expectAccessible(page, action);
      await dialog(page)
        .getByRole('button', { name: /Close|Cancel/ })
        .click();
    }
  });

  it('a store that can do none of this -> a desk that does not offer it', async () => {
    const store = new MemoryKeyStore();
    for (const part of ['pause', 'resume', 'usage', 'events', 'revokeUser'])
      Object.defineProperty(store, part, { value: undefined });
    const { page, operator, keys } = await startDesk(open, { keys: new ApiKeyManager({ store }) });
    await keys.create({ user: 'alice', name: 'laptop' });
    await signIn(page, operator.key);
    await page.getByRole('button', { name: /^More laptop/ }).click();
    const labels = await dialog(page).getByRole('button').allInnerTexts();
    expect(labels.map((label) => label.split('\n')[0])).toEqual(['Change', 'Close']);
  });
});
