import { describe, expect, it } from 'vitest';
import { requireApiKey, securityScheme } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const bearer = { header: 'Authorization', scheme: 'Bearer' };
const source = (key: string): string | undefined => (key === goodKey ? 'alice' : undefined);

describe.each(expressVersions)('challenges on $version', ({ express }) => {
  it('another header -> the challenge and Vary name it as configured', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source, header: 'X-Internal-Api-Key' }),
    });

    expectRefused(await app.get({ 'X-API-Key': goodKey }), {
      status: 401,
      code: 'missing_api_key',
      challenge: 'ApiKey realm="api", header="X-Internal-Api-Key"',
      vary: 'X-Internal-Api-Key',
    });
  });

  it('a realm with quotes and backslashes -> escaped', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source, realm: 'the "inner" \\ ring' }),
    });

    expectRefused(await app.get(), {
      status: 401,
      code: 'missing_api_key',
      challenge: 'ApiKey realm="the \\"inner\\" \\\\ ring", header="X-API-Key"',
    });
  });

  it('RFC 6750 3.1: nothing presented as Bearer -> a challenge without an error', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, ...bearer }) });

    expectRefused(await app.get(), {
      status: 401,
      code: 'missing_api_key',
      challenge: 'Bearer realm="api"',
      vary: 'Authorization',
    });
  });

  it.each([
    ['unknown', 'invalid_api_key'],
    ['expired', 'expired_api_key'],
    ['revoked', 'revoked_api_key'],
  ] as const)('RFC 6750 3.1: an %s key as Bearer -> error="invalid_token"', async (_what, code) => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: () => ({ ok: false, code }), realm: 'audio', ...bearer }),
    });

    expectRefused(await app.get({ Authorization: `Bearer ${goodKey}` }), {
      status: 401,
      code,
      challenge: /^Bearer realm="audio", error="invalid_token"(, error_description="[^"\\]+")?$/,
      vary: 'Authorization',
    });
  });

  it('RFC 6750 3.1: scopes that a Bearer key lacks -> no challenge but a Bearer one', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source, scopes: ['audio:write', 'audio:read'], ...bearer }),
    });

    const reply = await app.get({ Authorization: `Bearer ${goodKey}` });

    expectRefused(reply, {
      status: 403,
      code: 'insufficient_scope',
      challenge: /^Bearer realm="api", error="insufficient_scope"/,
      vary: 'Authorization',
    });
  });

  it('malformed and unknown Bearer keys -> one answer, byte for byte', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, ...bearer }) });
    const unknown = await app.raw([`Authorization: Bearer ${sampleKey('other')}`]);
    expectRefused(unknown, {
      status: 401,
      code: 'invalid_api_key',
      challenge: /^Bearer realm="api", error="invalid_token"/,
      vary: 'Authorization',
    });

    for (const malformed of [`${goodKey} ${goodKey}`, `${goodKey},${goodKey}`, 'k'.repeat(513)]) {
      expect((await app.raw([`Authorization: Bearer ${malformed}`])).bytes).toBe(unknown.bytes);
    }
    expect(app.handler).not.toHaveBeenCalled();
  });
});

describe('securityScheme', () => {
  it('no options -> an apiKey scheme in the default header', () => {
    expect(securityScheme()).toEqual({ type: 'apiKey', in: 'header', name: 'X-API-Key' });
    expect(securityScheme({})).toEqual({ type: 'apiKey', in: 'header', name: 'X-API-Key' });
  });

  it('another header and a description -> both are named', () => {
    expect(
      securityScheme({ header: 'X-Internal-Api-Key', description: 'Ask the audio team.' }),
    ).toEqual({
      type: 'apiKey',
      in: 'header',
      name: 'X-Internal-Api-Key',
      description: 'Ask the audio team.',
    });
  });

  it('Bearer in Authorization, named or not -> an http scheme', () => {
    const http = { type: 'http', scheme: 'bearer' };
    expect(securityScheme({ header: 'Authorization', scheme: 'Bearer' })).toEqual(http);
    expect(securityScheme({ scheme: 'Bearer' })).toEqual(http);
  });

  it('Authorization without a scheme, and a scheme in another header -> an apiKey scheme', () => {
    const apiKey = { type: 'apiKey', in: 'header' };
    expect(securityScheme({ header: 'Authorization' })).toEqual({
      ...apiKey,
      name: 'Authorization',
    });
    const elsewhere = { header: 'X-Auth', scheme: 'Bearer' };
    expect(securityScheme(elsewhere)).toEqual({ ...apiKey, name: 'X-Auth' });
  });

  it.each([7, 'a b', '', ['X-API-Key', 'X-Other'], [], { name: 'Cookie' }, { scheme: 'Bearer' }])(
    'a header %j -> a TypeError that says what it takes',
    (header) => {
      expect(() => securityScheme({ header: header as string })).toThrow(
        /^securityScheme: "header" must be one header, by its name or as { name, scheme\? }; /,
      );
    },
  );

  it('options set to undefined -> as if absent, with no member of that name', () => {
    const scheme = securityScheme({ header: undefined, scheme: undefined, description: undefined });

    expect(Object.keys(scheme).toSorted()).toEqual(['in', 'name', 'type']);
  });
});
