import { expect, it } from 'vitest';
import { describeInBrowser, expectAccessible, expectNoSidewaysScroll } from '../support/browser.js';
import { press, rows, signIn, startDesk } from '../support/desk-page.js';

const dayMs = 86_400_000;

describeInBrowser('what the key desk shows', (open) => {
  it('every status, and markup in names, scopes and metadata -> words and text, found by their filter', async () => {
    let now = Date.now() - 100 * dayMs;
    const { ApiKeyManager, MemoryKeyStore } = await import('../../src/index.js');
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
    const markup = '<img src=x onerror=alert(1)>';
    await keys.create({
      user: markup,
      name: markup,
      scopes: ['<b>'],
      metadata: { [markup]: markup },
    });
    await keys.create({ user: 'expired', expiresAt: new Date(now + dayMs) });
    await keys.create({ user: 'expiring', expiresAt: new Date(now + 103 * dayMs) });
    await keys.revoke((await keys.create({ user: 'revoked' })).record.keyId);
    now = Date.now();
    await keys.rotate((await keys.create({ user: 'rotating' })).record.keyId);
    const { page, operator } = await startDesk(open, { keys });
    await signIn(page, operator.key);
    await rows(page).first().waitFor();
    await page.getByText('Metadata').click();
    expect(await page.getByRole('table').locator('pre').innerText()).toContain(markup);
    expect(await page.locator('table img, table b').count()).toBe(0);
    await page.getByRole('columnheader', { name: 'User' }).waitFor();
    await expectAccessible(page, 'the list');
    for (const status of ['expiring', 'rotating', 'expired', 'revoked']) {
      await page.locator('#status-filter').selectOption(status);
      await expect
        .poll(() => rows(page).allInnerTexts())
        .toEqual([expect.stringMatching(new RegExp(`^${status}\\s`))]);
    }
  });

  it('a user that turns the direction of writing -> what stands behind it stays behind it', async () => {
    const { page, operator, keys } = await startDesk(open);
    await keys.create({ user: '\u202eabc', name: 'laptop' });
    await signIn(page, operator.key);
    await rows(page).filter({ hasText: 'laptop' }).getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').locator('p:has(strong)').waitFor();
    const [user, rest] = await page.evaluate<number[]>(
      `(({ firstChild, lastChild }) => [firstChild, lastChild].map((node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return range.getBoundingClientRect().left;
      }))(document.querySelector('dialog[open] p:has(strong)'))`,
    );
    expect(user).toBeLessThan(rest ?? 0);
  });

  it('a narrow phone -> nothing to scroll for sideways, in the list and in a dialog', async () => {
    const phone = { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true };
    const { page, operator, keys } = await startDesk(open, {}, phone);
    await keys.create({
      user: 'a-very-long-user-name-without-any-blank@example.com',
      scopes: ['audio:read', 'audio:write', 'a-scope-that-is-as-long-as-scopes-ever-get'],
      metadata: { note: 'x'.repeat(200) },
    });
    await expectNoSidewaysScroll(page);
    await signIn(page, operator.key);
    await rows(page).nth(1).waitFor();
    await page.getByText('Metadata').click();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page, 'the list on a phone');
    await press(page, 'New key');
    await expectNoSidewaysScroll(page);
    await expectAccessible(page, 'the form for a new key');
  });

  it('a desk with nothing on it -> sentences in place of lists, that everybody can read', async () => {
    const { page, operator, keys } = await startDesk(open);
    await signIn(page, operator.key);
    await rows(page).first().waitFor();
    await page.getByLabel('Search').fill('nobody');
    await page.getByRole('tabpanel').getByText('No matching keys.').waitFor();
    await expectAccessible(page, 'a list of no keys');
    await page.getByRole('tab', { name: 'Claim links' }).click();
    await page.getByRole('tabpanel').getByText('No matching links.').waitFor();
    await page.locator('#link-status-filter').selectOption('');
    await page.getByRole('tabpanel').getByText('No links yet.').waitFor();
    await expectAccessible(page, 'a list of no links');
    expect(await keys.listClaims()).toEqual([]);
  });

  it.each([320, 360, 768, 1000, 1120, 1200, 1248, 1280])(
    'a window of %d pixels -> ids, short scopes and the buttons of a key on one line each, nothing beyond the edge',
    async (width) => {
      const { page, operator, keys } = await startDesk(
        open,
        {},
        { viewport: { width, height: 800 } },
      );
      await keys.create({
        user: 'a-long-user-name@department.example.com',
        name: 'A key with a rather long name',
        scopes: ['audio:read', 'audio:write', 'reports:read-all-that-there-is'],
        expiresAt: new Date(Date.now() + 700 * dayMs),
      });
      await keys.rotate(
        (await keys.create({ user: 'alice', scopes: ['audio:write'] })).record.keyId,
      );
      const { token } = await keys.createClaim({
        user: 'carol@example.com',
        scopes: ['audio:write'],
      });
      await keys.claim(token);
      await keys.createClaim({
        user: 'a-long-user-name@department.example.com',
        scopes: ['audio:write'],
      });
      await signIn(page, operator.key);
      for (const label of ['Keys', 'Claim links']) {
        await page.getByRole('tab', { name: label }).click();
        if (label !== 'Keys') await page.locator('#link-status-filter').selectOption('');
        await rows(page, label).nth(1).waitFor();
        await expectNoSidewaysScroll(page);
        const table = page.getByRole('table', { name: label });
        const { x, width: wide } = (await table.boundingBox())!;
        expect(x + wide).toBeLessThanOrEqual(width);
        const ids = await table.locator('.key-id').all();
        const scopes = await table.getByText('audio:write', { exact: true }).all();
        for (const each of [...ids, ...scopes])
          expect((await each.boundingBox())!.height).toBeLessThan(30);
        for (const actions of await table.locator('.row-actions').all()) {
          const buttons = await actions.getByRole('button').all();
          const boxes = await Promise.all(buttons.map((button) => button.boundingBox()));
          expect(new Set(boxes.map((box) => box!.y)).size).toBeLessThanOrEqual(1);
        }
      }
    },
  );
});
