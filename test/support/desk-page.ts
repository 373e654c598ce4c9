import type { Page } from 'playwright-core';
import type { Open } from './browser.js';
import { startWebApp, type WebAppOptions } from './web-app.js';

export const press = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name }).click();
export const dialog = (page: Page) => page.getByRole('dialog');
export const rows = (page: Page, label = 'Keys') =>
  page.getByRole('table', { name: label }).locator('tbody').getByRole('row');
export const wholePage = (page: Page) => page.evaluate('document.documentElement.outerHTML');

export async function startDesk(
  open: Open,
  options: WebAppOptions = {},
  visit: Parameters<Open>[1] = {},
) {
  const app = await startWebApp({
    desk: { claimUrl: '/claim', apiName: 'Audio API', knownScopes: ['audio:read', 'audio:write'] },
    ...options,
  });
  const operator = await app.keys.create({ user: 'bob', name: 'desk', scopes: ['keys:manage'] });
  const { page } = await open(`${app.url}/keys`, visit);
  return { ...app, operator, page };
}

export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('Your API key').fill(key);
  await page.keyboard.press('Enter');
}

export async function secretOf(page: Page): Promise<string> {
  return dialog(page).locator('#secret-text').innerText();
}
