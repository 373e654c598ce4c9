import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';

const executablePath = [
  process.env['CHROMIUM_PATH'],
  // Chromium without a window: the same engine, in two thirds of the time.
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Visit {
  readonly page: Page;
  /**
   * What the page complained of until now: console errors, uncaught errors and breaches of its
   * policy.
   */
  readonly complaints: readonly string[];
}

export type Open = (
  url: string,
  options?: BrowserContextOptions & { mayComplain?: boolean },
) => Promise<Visit>;

/**
 * Tests in a real browser. Where there is none they are skipped with a word about it, and on CI
 * they fail: a check that nobody misses when it is gone is none.
 */
export function describeInBrowser(name: string, define: (open: Open) => void): void {
  if (executablePath === undefined && process.env['CI'] !== 'true') {
    console.warn(
      `\n!! ${name}: SKIPPED, no Chromium here. apt-get install chromium, or set CHROMIUM_PATH.\n`,
    );
    describe.skip(name, () => define(() => Promise.reject(new Error('no browser'))));
    return;
  }
  describe(name, () => {
    let browser: Browser;
    beforeAll(async () => {
      if (executablePath === undefined)
        throw new Error('no Chromium is installed: apt-get install chromium');
      browser = await chromium.launch({ executablePath, args });
    });
    afterAll(async () => browser?.close());
    define((url, options) => visit(browser, url, options));
  });
}

/** Opens the page as a new visitor; when the test is over, it must not have complained. */
async function visit(
  browser: Browser,
  url: string,
  { mayComplain = false, ...options }: Parameters<Open>[1] = {},
): Promise<Visit> {
  const context = await browser.newContext({
    locale: 'en-GB',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  context.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  await context.addInitScript(() => {
    const told = globalThis as unknown as {
      addEventListener(name: string, listener: (event: Violation) => void): void;
    };
    told.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  const page = await context.newPage();
  page.on(
    'console',
    (message) => void (message.type() === 'error' && complaints.push(message.text())),
  );
  page.on('pageerror', (error) => void complaints.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin)
      complaints.push(`outside request: ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    if (!mayComplain) expect(complaints).toEqual([]);
  });
  await page.goto(url);
  return { page, complaints };
}

interface Violation {
  readonly violatedDirective: string;
  readonly blockedURI: string;
}

/** Runs axe on the page as it stands, in light and in dark. */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // In dark nothing but colors differ, as test/web/assets.test.ts holds.
    const only = colorScheme === 'dark' ? `runOnly: ['cat.color'],` : '';
    const violations = (await page.evaluate(
      `axe.run(document, { ${only} resultTypes: ['violations'] }).then(({ violations }) =>
        violations.map(({ id, nodes }) => [id, ...nodes.map(({ target, failureSummary }) => target + ': ' + failureSummary)]))`,
    )) as unknown[];
    expect(violations, `${state}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: 'reduce' });
}

/** Nothing is cut off or has to be scrolled for sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [wide, room] = (await page.evaluate(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  )) as number[];
  expect(wide).toBeLessThanOrEqual(room!);
}
