import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import {
  ApiKeyManager,
  MemoryKeyStore,
  requireApiKey,
  requireScopes,
  type RequireApiKeyOptions,
} from '../../src/index.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';

// As docs/security.md numbers them.
const text = readFileSync('docs/security.md', 'utf8');
const documented = [...text.matchAll(/^(\d+)\. ([^]*?)(?=\n\d+\. |\n\n)/gm)].map(
  ([, number, words]) => ({
    number: Number(number),
    words: words!.replace(/\s+/g, ' '),
  }),
);

const clock = { ms: Date.UTC(2030, 0, 1) };
const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => clock.ms });
const { key, record } = await keys.create({ user: 'alice', scopes: ['audio:write', 'audio:read'] });
const unusable = {
  unknown: (await new ApiKeyManager({ store: new MemoryKeyStore() }).create({ user: 'alice' })).key,
  revoked: await keys.create({ user: 'alice', scopes: record.scopes }),
  expired: await keys.create({
    user: 'alice',
    scopes: record.scopes,
    expiresAt: new Date(clock.ms + 1),
  }),
  paused: await keys.create({ user: 'alice', scopes: record.scopes }),
  pausedUntil: await keys.create({ user: 'alice', scopes: record.scopes }),
  elsewhere: await keys.create({
    user: 'alice',
    scopes: record.scopes,
    allowedAddresses: ['203.0.113.0/24', '2001:db8::/48'],
  }),
};
await keys.verify(unusable.expired.key);
await keys.verify(unusable.revoked.key);
await keys.revoke(unusable.revoked.record.keyId);
await keys.verify(unusable.paused.key);
await keys.pause(unusable.paused.record.keyId);
await keys.pause(unusable.pausedUntil.record.keyId, { until: new Date(clock.ms + 60_000) });
const scoped = await keys.create({ user: 'alice', scopes: ['audio:write'] });
const otherCase = await keys.create({
  user: 'alice',
  scopes: ['audio:write', 'AUDIO:READ', 'audio:*', 'audio'],
});

const bodyWithKey = JSON.stringify({ 'X-API-Key': key, apiKey: key });

interface Attempt {
  readonly lines?: readonly string[];
  readonly path?: string;
  readonly body?: string;
  readonly isPlain?: boolean;
  readonly options?: RequireApiKeyOptions;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly before?: () => void;
}

/** For each condition, requests that meet every other one. */
const attempts: Record<number, readonly Attempt[]> = {
  1: [
    { isPlain: true },
    { isPlain: true, lines: [`X-API-Key: ${key}`, 'X-Forwarded-Proto: https'] },
  ],
  2: [
    { lines: [] },
    { lines: [`X-API-Key: ${key}`, `X-API-Key: ${key}`] },
    { lines: [`X-API-Key: ${key}`, 'X-API-Key:'] },
    { lines: [`X-API-Keys: ${key}`, `Authorization: Bearer ${key}`, `Cookie: X-API-Key=${key}`] },
    { lines: [], path: `/hello?X-API-Key=${key}&api_key=${key}` },
    {
      lines: [`Content-Length: ${bodyWithKey.length}`, 'Content-Type: application/json'],
      body: bodyWithKey,
    },
  ],
  3: [
    { lines: [`X-API-Key: ${key},${key}`] },
    { lines: [`X-API-Key: ${key} ${key}`] },
    { lines: [`X-API-Key: "${key}"`] },
    { lines: [`X-API-Key: Bearer ${key}`] },
    { lines: [`X-API-Key: ${key}\xa0`] },
    {
      lines: [`X-API-Key: ${key.padEnd(513, key)}`],
      options: { source: () => ({ user: 'a', scopes: record.scopes }) },
    },
    { lines: [`X-API-Key: ${key}`], options: { source: keys, scheme: 'Bearer' } },
  ],
  4: [
    { lines: [`X-API-Key: ${unusable.unknown}`] },
    { lines: [`X-API-Key: ${key.toLowerCase()}`] },
    { lines: [`X-API-Key: ${key.slice(0, -1)}`] },
    {
      options: {
        source: { verify: () => ({ user: 'a', scopes: record.scopes }), configured: () => false },
      },
    },
  ],
  5: [
    { options: { source: () => Promise.reject(new Error('down')) } },
    { options: { source: () => new Promise(() => {}), timeoutMs: 20 } },
    { options: { source: (() => ({ scopes: record.scopes })) as never } },
    { options: { source: (() => ({ ok: 1, user: 'a', scopes: record.scopes })) as never } },
    { options: { source: (() => [{ user: 'a' }]) as never } },
  ],
  6: [{ lines: [`X-API-Key: ${unusable.revoked.key}`] }],
  7: [{ lines: [`X-API-Key: ${unusable.expired.key}`], before: () => clock.ms++ }],
  8: [
    { lines: [`X-API-Key: ${unusable.paused.key}`] },
    { lines: [`X-API-Key: ${unusable.pausedUntil.key}`] },
  ],
  9: [
    { lines: [`X-API-Key: ${unusable.elsewhere.key}`] },
    { lines: [`X-API-Key: ${unusable.elsewhere.key}`, 'X-Forwarded-For: 203.0.113.7'] },
    {
      lines: [`X-API-Key: ${unusable.elsewhere.key}`, 'X-Forwarded-For: 203.0.113.7'],
      settings: { 'trust proxy': true },
    },
  ],
  10: [{ lines: [`X-API-Key: ${scoped.key}`] }, { lines: [`X-API-Key: ${otherCase.key}`] }],
};

describe.each(expressVersions)('the conditions for admission, on $version', ({ express }) => {
  async function attempt({
    lines = [`X-API-Key: ${key}`],
    path,
    body,
    isPlain,
    options,
    settings = {},
  }: Attempt) {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const app = await guardedApp(express, {
      settings,
      before: [
        (req, _res, next) => {
          // A connection with TLS, as Express sees it.
          if (!isPlain) Object.defineProperty(req, 'secure', { value: true });
          next();
        },
      ],
      guard: [
        requireApiKey({ source: keys, requireHttps: true, scopes: ['audio:write'], ...options }),
        requireScopes('audio:read'),
      ],
    });
    return app.raw(lines, {
      ...(path !== undefined && { path }),
      ...(body !== undefined && { body, method: 'POST' }),
    });
  }

  it('all of them hold -> admitted', async () => {
    expect(await attempt({})).toMatchObject({ status: 200, handlerRuns: 1 });
  });

  it.each(documented)('all but $number hold -> refused. $number: $words', async ({ number }) => {
    for (const each of attempts[number]!) {
      each.before?.();
      const reply = await attempt(each);
      expect([401, 403, 503], JSON.stringify(each.lines)).toContain(reply.status);
      expect(reply.handlerRuns).toBe(0);
    }
  });

  it('the numbers in docs/security.md -> exactly those that are tested here', () => {
    expect(documented.map(({ number }) => number)).toEqual(Object.keys(attempts).map(Number));
  });

  it('an optional guard -> nothing presented passes without an identity, a bad key does not', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: keys, optional: true }),
      answer: (req, res) => void res.json({ apiKey: req.apiKey ?? null }),
    });
    expect(JSON.parse((await app.raw([])).text)).toEqual({ apiKey: null });
    expect((await app.raw([`X-API-Key: ${unusable.unknown}`])).status).toBe(401);
  });
});
