import cors from 'cors';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const source = (key: string): string | undefined => (key === goodKey ? 'alice' : undefined);
const preflight = {
  Origin: 'https://app.example',
  'Access-Control-Request-Method': 'GET',
  'Access-Control-Request-Headers': 'x-api-key',
};
const missing = { status: 401, code: 'missing_api_key' } as const;

// A refused preflight is told once per process: the order of the tests in this file matters.
describe('process warnings about preflights', () => {
  it('OPTIONS that is no preflight, then preflights on every Express -> one warning', async () => {
    const warnings = collectWarnings();
    for (const { express } of expressVersions) {
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });
      expectRefused(await app.send('options'), missing);
      expectRefused(await app.send('options', { Origin: 'https://app.example' }), missing);
      expectRefused(await app.send('options', { 'Access-Control-Request-Method': 'GET' }), missing);
      expectRefused(await app.get(preflight), missing);
    }
    expect(await warnings()).toEqual([]);

    for (const { express } of expressVersions) {
      for (let count = 0; count < 2; count++) {
        const app = await guardedApp(express, { guard: requireApiKey({ source }) });
        expectRefused(await app.send('options', preflight), missing);
      }
    }

    const texts = await warnings();
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(/preflight/i);
    expect(texts[0]).toMatch(/cors/i);
  });
});

describe.each(expressVersions)('preflights on $version', ({ express }) => {
  it('cors() behind the guard -> the preflight is refused', async () => {
    const app = await guardedApp(express, { before: [requireApiKey({ source }), cors()] });

    expectRefused(await app.send('options', preflight), missing);
  });

  it('cors() ahead of the guard -> the preflight is answered, the request itself still needs a key', async () => {
    const app = await guardedApp(express, { before: [cors()], guard: requireApiKey({ source }) });

    const answer = await app.send('options', preflight);
    expect(answer.status).toBe(204);
    expect(answer.handlerRuns).toBe(0);
    expectRefused(await app.get({ Origin: 'https://app.example' }), missing);
    expect((await app.get({ Origin: 'https://app.example', 'X-API-Key': goodKey })).status).toBe(
      200,
    );
  });

  it('a preflight with a good key -> the key counts as on any request', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expect((await app.send('options', { ...preflight, 'X-API-Key': goodKey })).handlerRuns).toBe(1);
  });
});

/**
 * Gathers the library's own process warnings until the test is over; weak-key warnings are not
 * about this.
 */
function collectWarnings(): () => Promise<readonly string[]> {
  const texts: string[] = [];
  const keep = (warning: Error): void => {
    if (/preflight|cors/i.test(warning.message)) texts.push(warning.message);
  };
  const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  process.on('warning', keep);
  onTestFinished(() => {
    process.off('warning', keep);
    quiet.mockRestore();
  });
  return async () => {
    await wait(0);
    return texts;
  };
}
