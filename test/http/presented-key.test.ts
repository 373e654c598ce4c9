import { describe, expect, it, vi } from 'vitest';
import { keyList, requireApiKey } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { keyMutations, sampleKey, sha256Hex } from '../support/sample-key.js';

const goodKey = sampleKey('good');

function askedSource(): ReturnType<typeof vi.fn<(key: string) => string | undefined>> {
  return vi.fn((key: string) => (key === goodKey ? 'alice' : undefined));
}

describe.each(expressVersions)('the presented key on $version', ({ express }) => {
  it('a key listed in plain or as a digest -> the key itself is admitted', async () => {
    for (const listed of [goodKey, `sha256:${sha256Hex(goodKey)}`]) {
      const app = await guardedApp(express, {
        guard: requireApiKey({ source: keyList({ alice: listed }) }),
      });
      expect((await app.get({ 'X-API-Key': goodKey })).status).toBe(200);
      expect(app.lastRequest().apiKey).toMatchObject({ user: 'alice', keyId: 'alice#1' });
    }
  });

  it.each(keyMutations(goodKey))('the key with %s -> refused', async (_what, presented) => {
    for (const listed of [goodKey, `sha256:${sha256Hex(goodKey)}`]) {
      const app = await guardedApp(express, {
        guard: requireApiKey({ source: keyList({ alice: listed }) }),
      });
      expectRefused(await app.get({ 'X-API-Key': presented }), {
        status: 401,
        code: 'invalid_api_key',
      });
    }
  });

  it('whitespace around the key, which is no part of a field value (RFC 9110, 5.5) -> admitted', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source: askedSource() }) });

    expect((await app.raw([`X-API-Key: \t ${goodKey} \t `])).status).toBe(200);
  });

  it('the header name in any case -> admitted', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source: askedSource() }) });

    expect((await app.raw([`x-aPi-KEY: ${goodKey}`])).status).toBe(200);
  });

  it.each([
    ['two lines, the good key twice', [`X-API-Key: ${goodKey}`, `X-API-Key: ${goodKey}`]],
    ['two lines, a wrong key first', ['X-API-Key: wrong', `X-API-Key: ${goodKey}`]],
    ['two lines, a wrong key last', [`X-API-Key: ${goodKey}`, 'X-API-Key: wrong']],
    ['two lines, an empty one first', ['X-API-Key:', `X-API-Key: ${goodKey}`]],
    ['two lines, an empty one last', [`X-API-Key: ${goodKey}`, 'X-API-Key:']],
    ['two lines in different cases', [`X-API-Key: ${goodKey}`, `x-api-key: ${goodKey}`]],
    ['two lines far apart', [`X-API-Key: ${goodKey}`, 'X-Between: 1', `X-API-Key: ${goodKey}`]],
    ['a comma and another key', [`X-API-Key: ${goodKey},${goodKey}`]],
    ['a comma behind it', [`X-API-Key: ${goodKey},`]],
    ['a comma before it', [`X-API-Key: ,${goodKey}`]],
    ['a space in it', [`X-API-Key: ${goodKey.slice(0, 20)} ${goodKey.slice(20)}`]],
    ['a tab in it', [`X-API-Key: ${goodKey.slice(0, 20)}\t${goodKey.slice(20)}`]],
    ['a no-break space before it', [`X-API-Key: \u00a0${goodKey}`]],
    ['a no-break space behind it', [`X-API-Key: ${goodKey}\u00a0`]],
    ['a latin1 byte behind it', [`X-API-Key: ${goodKey}\u00e9`]],
    ['UTF-8 bytes behind it', [`X-API-Key: ${Buffer.from(`${goodKey}ключ`).toString('latin1')}`]],
    ['a byte order mark before it', [`X-API-Key: \u00ef\u00bb\u00bf${goodKey}`]],
    ['513 characters', [`X-API-Key: ${'k'.repeat(513)}`]],
  ])('%s -> refused as invalid, no source asked', async (_what, lines) => {
    const source = vi.fn(() => 'alice');
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expectRefused(await app.raw(lines), { status: 401, code: 'invalid_api_key' });
    expect(source).not.toHaveBeenCalled();
  });

  it.each([
    ['no header at all', []],
    ['an empty header', ['X-API-Key:']],
    ['a header of blanks', ['X-API-Key:  \t ']],
    ['a header whose name merely begins alike', [`X-API-Key-Id: ${goodKey}`]],
    ['a header with underscores for hyphens', [`X_API_KEY: ${goodKey}`]],
  ])('%s -> missing, no source asked', async (_what, lines) => {
    const source = vi.fn(() => 'alice');
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expectRefused(await app.raw(lines), { status: 401, code: 'missing_api_key' });
    expect(source).not.toHaveBeenCalled();
  });

  it('512 characters -> the source is asked with all of them', async () => {
    const longest = 'k'.repeat(512);
    const source = vi.fn((key: string) => (key === longest ? 'alice' : undefined));
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expect((await app.get({ 'X-API-Key': longest })).status).toBe(200);
    expect(source.mock.calls[0]?.[0]).toBe(longest);
  });

  it('every visible ASCII character but the comma -> reaches the source as it was sent', async () => {
    const visible = Array.from({ length: 94 }, (_, at) => String.fromCodePoint(0x21 + at)).join('');
    const presented = visible.replace(',', '');
    const source = vi.fn((key: string) => (key === presented ? 'alice' : undefined));
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expect((await app.raw([`X-API-Key: ${presented}`])).status).toBe(200);
  });

  it('the source -> is asked once, with the key and the live request', async () => {
    const source = vi.fn((key: string, req: object) =>
      key === goodKey ? { user: 'alice', metadata: { live: 'socket' in req } } : undefined,
    );
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    await app.get({ 'X-API-Key': goodKey });

    expect(source).toHaveBeenCalledTimes(1);
    expect(source.mock.calls[0]?.[1]).toBe(app.lastRequest());
    expect(app.lastRequest().apiKey?.metadata).toEqual({ live: true });
  });

  it.each([
    [
      'the query string',
      { path: `/hello?X-API-Key=${goodKey}&x-api-key=${goodKey}&api_key=${goodKey}` },
      [],
    ],
    ['a cookie', {}, [`Cookie: X-API-Key=${goodKey}; x-api-key=${goodKey}; api_key=${goodKey}`]],
    ['Authorization, when that is not the header', {}, [`Authorization: Bearer ${goodKey}`]],
    [
      'a JSON body',
      { method: 'POST', body: JSON.stringify({ 'X-API-Key': goodKey, api_key: goodKey }) },
      ['Content-Type: application/json'],
    ],
  ])('the key in %s -> never read', async (_what, request, lines) => {
    const source = askedSource();
    const length = 'body' in request ? [`Content-Length: ${String(request.body?.length)}`] : [];
    const app = await guardedApp(express, {
      before: [express.json(), express.urlencoded({ extended: true })],
      guard: requireApiKey({ source }),
    });

    const reply = await app.raw([...lines, ...length], request);

    expectRefused(reply, { status: 401, code: 'missing_api_key' });
    expect(source).not.toHaveBeenCalled();
  });

  it('Bearer in X-API-Key -> not stripped', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source: askedSource() }) });

    expectRefused(await app.get({ 'X-API-Key': `Bearer ${goodKey}` }), {
      status: 401,
      code: 'invalid_api_key',
    });
  });
});
