import { describe, expect, it, vi } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const options = { header: 'Authorization', scheme: 'Bearer' };
const invalid = {
  status: 401,
  code: 'invalid_api_key',
  challenge: /^Bearer realm="api", error="invalid_token"/,
  vary: 'Authorization',
} as const;
const missing = {
  status: 401,
  code: 'missing_api_key',
  challenge: 'Bearer realm="api"',
  vary: 'Authorization',
} as const;

describe.each(expressVersions)('the scheme on $version', ({ express }) => {
  it.each([
    ['as configured', `Bearer ${goodKey}`],
    ['in lower case', `bearer ${goodKey}`],
    ['in upper case', `BEARER ${goodKey}`],
    ['and several spaces', `Bearer    ${goodKey}`],
    ['and blanks around the whole', `  Bearer ${goodKey}  `],
  ])('the scheme %s -> admitted', async (_what, value) => {
    const source = vi.fn((key: string) => (key === goodKey ? 'alice' : undefined));
    const app = await guardedApp(express, { guard: requireApiKey({ ...options, source }) });

    expect((await app.raw([`Authorization: ${value}`])).status).toBe(200);
    expect(source.mock.calls[0]?.[0]).toBe(goodKey);
  });

  it.each([
    ['another scheme', `Basic ${goodKey}`],
    ['a scheme that begins alike', `Bearers ${goodKey}`],
    ['the scheme run into the key', `Bearer${goodKey}`],
    ['the key without the scheme', goodKey],
    ['the bare scheme', 'Bearer'],
    ['the scheme and blanks', 'Bearer    '],
    ['an empty value', ''],
  ])('%s -> counts as no key, no source asked', async (_what, value) => {
    const source = vi.fn(() => 'alice');
    const app = await guardedApp(express, { guard: requireApiKey({ ...options, source }) });

    expectRefused(await app.raw([`Authorization: ${value}`]), missing);
    expect(source).not.toHaveBeenCalled();
  });

  it('another scheme where a key is optional -> let through without req.apiKey', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ ...options, source: () => 'alice', optional: true }),
    });

    const reply = await app.raw(['Authorization: Basic YTpi']);

    expect(reply.status).toBe(200);
    expect(app.lastRequest().apiKey).toBeUndefined();
  });

  it.each([
    ['two lines, the good key twice', [`Bearer ${goodKey}`, `Bearer ${goodKey}`]],
    ['two lines, of which Node keeps the good first one', [`Bearer ${goodKey}`, 'Bearer wrong']],
    ['two lines, of which Node keeps the wrong first one', ['Bearer wrong', `Bearer ${goodKey}`]],
    ['two lines, another scheme first', ['Basic YTpi', `Bearer ${goodKey}`]],
    ['two lines, another scheme last', [`Bearer ${goodKey}`, 'Basic YTpi']],
    ['a space in the key', [`Bearer ${goodKey} ${goodKey}`]],
    ['a comma in the key', [`Bearer ${goodKey},${goodKey}`]],
    ['the scheme twice', [`Bearer Bearer ${goodKey}`]],
    ['a byte outside ASCII', [`Bearer ${goodKey}\u00e9`]],
    ['a no-break space before the key', [`Bearer \u00a0${goodKey}`]],
    ['513 characters behind the scheme', [`Bearer ${'k'.repeat(513)}`]],
  ])('%s -> refused as invalid, no source asked', async (_what, values) => {
    const source = vi.fn(() => 'alice');
    const app = await guardedApp(express, { guard: requireApiKey({ ...options, source }) });

    expectRefused(await app.raw(values.map((value) => `Authorization: ${value}`)), invalid);
    expect(source).not.toHaveBeenCalled();
  });

  it('a tab for the space -> not admitted', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ ...options, source: () => 'alice' }),
    });

    const reply = await app.raw([`Authorization: Bearer\t${goodKey}`]);

    expect(reply.status).toBe(401);
    expect(reply.handlerRuns).toBe(0);
  });

  it('512 characters behind the scheme -> the source is asked with all of them', async () => {
    const longest = 'k'.repeat(512);
    const source = vi.fn((key: string) => (key === longest ? 'alice' : undefined));
    const app = await guardedApp(express, { guard: requireApiKey({ ...options, source }) });

    expect((await app.get({ Authorization: `Bearer ${longest}` })).status).toBe(200);
  });

  it('a scheme with characters that a pattern would read as its own -> taken literally', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ header: 'X-Custom', scheme: 'A.*', source: () => 'alice' }),
    });

    expect((await app.get({ 'X-Custom': `a.* ${goodKey}` })).status).toBe(200);
    expect((await app.get({ 'X-Custom': `Abc ${goodKey}` })).status).toBe(401);
    expect(app.handler).toHaveBeenCalledTimes(1);
  });
});
