import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator, Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { describeInBrowser, expectAccessible, expectNoSidewaysScroll } from '../support/browser.js';
import { listenToClaims, startWebApp } from '../support/web-app.js';

const make = 'Make my key';
const stored = 'I have stored it';
const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name }).waitFor();
const press = (page: Page, name: string) => page.getByRole('button', { name }).click();
const focused = (page: Page) => page.evaluate('document.activeElement.textContent.trim()');
const wholePage = (page: Page) => page.evaluate('document.documentElement.outerHTML');

/** A proxy on plain HTTP that calls the app by a name of its own, as many do. */
async function rewritingProxy(port: number): Promise<string> {
  const proxy = createServer((req, res) => {
    const { pathname, search } = new URL(req.url!, 'http://portal.example');
    const headers = { ...req.headers, host: 'internal:3000' };
    const { method } = req;
    req.pipe(
      request({ port, host: '127.0.0.1', method, path: pathname + search, headers }, (answer) => {
        res.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(res);
      }),
    );
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

describeInBrowser('the claim page in a browser', (open) => {
  async function invite(user = 'alice', options: object = {}) {
    const app = await startWebApp({
      claim: { apiName: 'Audio API', invitedBy: 'Bob', exampleUrl: '/hello' },
    });
    const { token } = await app.keys.createClaim({
      user,
      scopes: ['audio:read', 'audio:write'],
      ...options,
    });
    return { ...app, token, link: `${app.url}/claim#${token}` };
  }

  it('a link that is opened -> says who invites to what, and nothing is made before the button', async () => {
    const { keys, link, token } = await invite('alice', {
      name: 'laptop',
      expiresAt: new Date('2099-01-31T12:00Z'),
    });
    const { page } = await open(link);
    await heading(page, 'A key for alice');
    const text = await page.getByRole('main').innerText();
    expect(text).toMatch(/Bob invites you to use Audio API\./);
    for (const fact of ['laptop', 'audio:read', 'audio:write', 'until 31 Jan 2099'])
      expect(text).toContain(fact);
    expect(page.url()).not.toContain('#');
    expect(await wholePage(page)).not.toContain(token);
    expect(await keys.list()).toEqual([]);
    expect(await keys.peekClaim(token)).toMatchObject({ user: 'alice' });
  });

  it('the button -> the key once, to copy, with a curl line; stored -> gone from the page', async () => {
    const { keys, link, url } = await invite();
    const { page } = await open(link);
    await press(page, make);
    await heading(page, 'Your API key');
    const [record] = await keys.list();
    const key = await page.locator('#key-text').innerText();
    expect(await keys.verify(key)).toMatchObject({
      ok: true,
      apiKey: { keyId: record!.keyId, user: 'alice' },
    });
    await press(page, 'Copy the key');
    await page.getByRole('button', { name: 'Copied the key' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
    await press(page, 'Copy the command');
    await page.getByRole('button', { name: 'Copied the command' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      `curl -H 'X-API-Key: ${key}' '${url}/hello'`,
    );
    await press(page, stored);
    await heading(page, 'All done');
    expect(await wholePage(page)).not.toContain(key);
    expect(await page.getByRole('main').innerText()).toContain(record!.keyId);
  });

  it('reload and back, before the claim and after it -> nothing, and the link is not tried again', async () => {
    const events = listenToClaims();
    const { link, url, keys } = await invite();
    const { page } = await open(link);
    await heading(page, 'A key for alice');
    await page.reload();
    await heading(page, 'Nothing to show here');
    await page.goto(`${url}/keys`);
    await page.goto(link);
    await press(page, make);
    await heading(page, 'Your API key');
    const key = await page.locator('#key-text').innerText();
    await page.goto(`${url}/keys`);
    await page.goBack();
    await heading(page, 'Nothing to show here');
    expect(await wholePage(page)).not.toContain(key);
    await page.reload();
    await heading(page, 'Nothing to show here');
    expect(await keys.list()).toHaveLength(1);
    expect(events.map(({ outcome }) => outcome)).toEqual(['created', 'claimed']);
  });

  it('leaving with a key that was not stored -> the browser asks first; after "stored" it does not', async () => {
    const { link } = await invite();
    const { page } = await open(link);
    let questions = 0;
    page.on('dialog', (dialog) => {
      questions++;
      void dialog.dismiss();
    });
    await press(page, make);
    await heading(page, 'Your API key');
    await page.close({ runBeforeUnload: true });
    await expect.poll(() => questions).toBe(1);
    await press(page, stored);
    await page.reload();
    expect(questions).toBe(1);
  });

  it('a visitor that runs scripts and leaves -> the link still yields its key to its reader', async () => {
    const { keys, link, token } = await invite();
    const scanner = await open(link, { userAgent: 'Mozilla/5.0 (compatible; SafeLinks)' });
    await heading(scanner.page, 'A key for alice');
    await scanner.page.close();
    expect(await keys.list()).toEqual([]);
    expect(await keys.peekClaim(token)).toMatchObject({ user: 'alice' });
    const { page } = await open(link);
    await press(page, make);
    await heading(page, 'Your API key');
  });

  it('a second reader of a used link -> one sentence that says nothing of the key, and operators hear of it', async () => {
    const events = listenToClaims();
    const { keys, link, token } = await invite();
    await keys.claim(token);
    const { page } = await open(link, { mayComplain: true });
    await heading(page, 'This link does not work');
    expect(await page.getByRole('main').innerText()).not.toMatch(/alice|audio/);
    expect(events.at(-1)).toMatchObject({ outcome: 'refused', reason: 'used', user: 'alice' });
    await expectAccessible(page, 'a link that does not work');
  });

  it.each(['.', '%3E', '&utm_source=x', '%20Best', '%E2%80%8B'])(
    'a link with %j behind it -> opens as if nothing were there',
    async (rubbish) => {
      const { link, keys } = await invite();
      const { page } = await open(`${link}${rubbish}`);
      await heading(page, 'A key for alice');
      expect(page.url()).not.toContain('#');
      await press(page, make);
      await heading(page, 'Your API key');
      expect(await keys.list()).toHaveLength(1);
    },
  );

  it('an incomplete link -> said without a word of theft, kept in the address, nothing sent; mended -> opens', async () => {
    const events = listenToClaims();
    const { link, url, token } = await invite();
    const { page } = await open(link.slice(0, -1));
    await heading(page, 'This link is incomplete');
    expect(page.url()).toBe(link.slice(0, -1));
    expect(await page.getByRole('main').innerText()).not.toMatch(/someone else/i);
    expect(events.filter(({ outcome }) => outcome === 'refused')).toEqual([]);
    await expectAccessible(page, 'an incomplete link');
    await page.goto(link);
    await heading(page, 'A key for alice');
    await page.goto(`${url}/claim?${token}`);
    await heading(page, 'A key for alice');
    expect(page.url()).toBe(`${url}/claim`);
  });

  it('a link that was put together wrongly -> incomplete, and back in the address', async () => {
    const { url } = await invite();
    const damaged = `${url}/claim#${'a'.repeat(40)}%20bcd`;
    const { page } = await open(damaged, { mayComplain: true });
    await heading(page, 'This link is incomplete');
    expect(page.url()).toBe(damaged);
  });

  it('key, curl line and names -> marked as not to be translated', async () => {
    const { link } = await invite('alice', { name: 'laptop' });
    const { page } = await open(link);
    await heading(page, 'A key for alice');
    const isTranslated = (part: Locator) =>
      part.evaluate((node) => (node as unknown as { translate: boolean }).translate);
    for (const text of ['laptop', 'audio:read', 'Audio API', 'Bob'])
      expect(await isTranslated(page.getByText(text, { exact: true }))).toBe(false);
    expect(await isTranslated(page.locator('#user'))).toBe(false);
    await press(page, make);
    await heading(page, 'Your API key');
    for (const id of ['#key-text', '#curl-text', '#key-id'])
      expect(await isTranslated(page.locator(id))).toBe(false);
    expect(await isTranslated(page.locator('#key h1'))).toBe(true);
  });

  it('plain HTTP behind a proxy that rewrites Host -> the page says what is wrong; with publicUrl it opens', async () => {
    const { keys, token, port } = await invite();
    const mended = await startWebApp({ keys, claim: { publicUrl: 'http://portal.example' } });
    const link = `http://portal.example/claim#${token}`;
    const refused = await open(link, {
      mayComplain: true,
      proxy: { server: await rewritingProxy(port) },
    });
    await refused.page.getByText('"publicUrl"').waitFor();
    expect(await refused.page.getByRole('main').innerText()).toMatch(
      /Tell the person who sent the link\. Your link has not been used\./,
    );
    // Chromium complains of one of the security headers, which it ignores on plain HTTP.
    const { page } = await open(link, {
      mayComplain: true,
      proxy: { server: await rewritingProxy(mended.port) },
    });
    await heading(page, 'A key for alice');
    await press(page, make);
    await heading(page, 'Your API key');
  });

  it('a link that is used while its page is open -> does not work', async () => {
    const { keys, link, token } = await invite();
    const { page } = await open(link, { mayComplain: true });
    await heading(page, 'A key for alice');
    await keys.claim(token);
    await press(page, make);
    await heading(page, 'This link does not work');
    expect(await keys.list()).toHaveLength(1);
  });

  it('a double click -> one claim', async () => {
    const events = listenToClaims();
    const { link } = await invite();
    const { page } = await open(link);
    await page.getByRole('button', { name: make }).dblclick();
    await heading(page, 'Your API key');
    expect(events.map(({ outcome }) => outcome)).toEqual(['created', 'claimed']);
  });

  it('no answer, then one -> says so and no longer that there is no key, and "Try again" goes on', async () => {
    const { link } = await invite();
    const promise = 'The key does not exist yet.';
    const { page } = await open(link, { mayComplain: true });
    await heading(page, 'A key for alice');
    expect(await page.getByRole('main').innerText()).toContain(promise);
    await page.route('**/claim/claim', (route) => route.abort(), { times: 1 });
    await press(page, make);
    await page.getByText('No answer arrived.').waitFor();
    expect(await page.getByRole('main').innerText()).not.toContain(promise);
    await expectAccessible(page, 'no answer');
    await press(page, 'Try again');
    await heading(page, 'Your API key');
  });

  it('no answer to the first question -> the link is not used, and "Try again" goes on without the complaint', async () => {
    const { link, url } = await invite();
    const { page } = await open(`${url}/claim`, { mayComplain: true });
    await page.route('**/claim/describe', (route) => route.abort(), { times: 1 });
    await page.goto(link);
    const complaint = 'Your link has not been used.';
    await page.getByText(complaint).waitFor();
    await press(page, 'Try again');
    await heading(page, 'A key for alice');
    expect(await page.getByRole('main').innerText()).not.toContain(complaint);
  });

  it('no answer about a second link in the same tab -> nothing of the first one is left on the page', async () => {
    const { keys, link } = await invite();
    const { page } = await open(link, { mayComplain: true });
    await heading(page, 'A key for alice');
    const { token } = await keys.createClaim({ user: 'bob' });
    await page.route('**/claim/describe', (route) => route.abort(), { times: 1 });
    await page.evaluate(`location.hash = '${token}'`);
    await heading(page, 'Your invitation');
    expect(await page.getByRole('main').innerText()).not.toMatch(/alice|audio/i);
    await press(page, 'Try again');
    await heading(page, 'A key for bob');
  });

  it('markup in every name -> text', async () => {
    const markup = '<img src=x onerror=alert(1)><b>"\'&amp;';
    const { link } = await invite(markup, { name: `</dd>${markup}`, scopes: ['<b>'] });
    const { page } = await open(link);
    await heading(page, `A key for ${markup}`);
    expect(await page.getByRole('main').innerText()).toContain(`</dd>${markup}`);
    expect(await page.locator('main img, main b').count()).toBe(0);
  });

  it('every state -> axe finds nothing, in light and in dark', async () => {
    const { link, url } = await invite();
    const { page } = await open(`${url}/claim`);
    await heading(page, 'Nothing to show here');
    await expectAccessible(page, 'nothing');
    await page.goto(link);
    await heading(page, 'A key for alice');
    await expectAccessible(page, 'the invitation');
    await press(page, make);
    await heading(page, 'Your API key');
    await expectAccessible(page, 'the key');
    await press(page, stored);
    await heading(page, 'All done');
    await expectAccessible(page, 'done');
  });

  it('the keyboard alone -> from the invitation to "stored", the focus on each new heading', async () => {
    const { link } = await invite();
    const { page } = await open(link);
    await heading(page, 'A key for alice');
    expect(await focused(page)).toBe('A key for alice');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe(make);
    await page.keyboard.press('Enter');
    await heading(page, 'Your API key');
    expect(await focused(page)).toBe('Your API key');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'Key copied.' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe(stored);
    await page.keyboard.press('Space');
    await heading(page, 'All done');
    expect(await focused(page)).toBe('All done');
  });

  it('a narrow phone -> everything in reach, nothing to scroll for sideways, buttons large enough for a finger', async () => {
    const { link } = await invite(
      'a-very-long-user-name-without-any-blank-that-could-break@example.com',
    );
    const { page } = await open(link, {
      viewport: { width: 320, height: 568 },
      hasTouch: true,
      isMobile: true,
    });
    await heading(page, /^A key for/);
    await expectNoSidewaysScroll(page);
    expect(
      (await page.getByRole('button', { name: make }).boundingBox())!.height,
    ).toBeGreaterThanOrEqual(44);
    await page.getByRole('button', { name: make }).tap();
    await heading(page, 'Your API key');
    await expectNoSidewaysScroll(page);
    await page.getByRole('button', { name: stored }).tap();
    await heading(page, 'All done');
  });

  it('another link in the same tab, the key of the first still shown -> the key stays until it is stored', async () => {
    const { keys, link, url } = await invite();
    const { page } = await open(link);
    await press(page, make);
    await heading(page, 'Your API key');
    const { token } = await keys.createClaim({ user: 'bob' });
    await page.evaluate(`location.hash = '${token}'`);
    await page.getByRole('status').filter({ hasText: 'Store this key first' }).waitFor();
    expect(page.url()).toBe(`${url}/claim`);
    await press(page, stored);
    await page.evaluate(`location.hash = '${token}'`);
    await heading(page, 'A key for bob');
  });
});
