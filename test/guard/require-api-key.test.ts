import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  apiKeyOf,
  ApiKeyManager,
  keyList,
  MemoryKeyStore,
  requireApiKey,
  requireScopes,
} from '../../src/index.js';
import { arrive, callGuards } from '../support/call-guard.js';

const oneSource =
  'a key source: a function, an object with a "verify" method, or an array of these';
const verify = () => 'alice';

describe('the source of a guard', () => {
  it.each<[unknown, string]>([
    ['env:KEY', oneSource],
    [{}, oneSource],
    [{ verify: 'alice' }, oneSource],
    [{ verify, name: '' }, oneSource],
    [{ verify, name: 7 }, oneSource],
    [{ verify, configured: true }, oneSource],
    [{ verify, misconfigured: false }, oneSource],
    [ApiKeyManager, 'a key source: make one with "new"'],
    [new MemoryKeyStore(), 'a key source: write new ApiKeyManager({ store })'],
    [[], 'a key source or a non-empty array of key sources'],
    [[verify, undefined], 'a key source or a non-empty array of key sources'],
    // oxlint-disable-next-line no-sparse-arrays
    [[, verify], 'a key source or a non-empty array of key sources'],
  ])('%o -> a TypeError that says what it must be', (source, expected) => {
    expect(() => requireApiKey({ source: source as never })).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: expect.stringContaining(`requireApiKey: "source" must be ${expected}; received `),
      }),
    );
  });

  it.each([
    [{ verify }],
    [{ verify, name: 'table', configured: () => true, misconfigured: () => false }],
    [[verify]],
    [async () => 'alice'],
    [
      function classify() {
        return 'alice';
      },
    ],
  ])('%o -> taken', (source) => {
    expect(() => requireApiKey({ source })).not.toThrow();
  });

  it.each([
    ['a function', verify],
    ['a source', keyList({ alice: 'key_of_alice_0123456789abcdef012345' })],
  ])('%s in place of the options -> a TypeError that says where it belongs', (_what, source) => {
    expect(() => (requireApiKey as (options: unknown) => unknown)(source)).toThrow(
      new TypeError('requireApiKey: a key source is an option: write requireApiKey({ source })'),
    );
  });

  it('two arguments, as Express would give to a handler -> a TypeError that says where to call it', () => {
    expect(() => (requireApiKey as (...all: unknown[]) => unknown)({}, {})).toThrow(
      new TypeError('requireApiKey: call it where you mount it: app.use(requireApiKey())'),
    );
  });
});

describe('apiKeyOf', () => {
  it('a request without an identity -> a TypeError that says what to mount', () => {
    expect(() => apiKeyOf(arrive().req)).toThrow(
      new TypeError(
        'apiKeyOf: this request carries no API key; mount requireApiKey() on the route, without "optional"',
      ),
    );
  });
});

describe('the diagnostics channels', () => {
  function listen(name: 'admitted' | 'refused') {
    const seen: Record<string, unknown>[] = [];
    const keep = (message: unknown) => void seen.push(message as Record<string, unknown>);
    subscribe(`require-api-key:${name}`, keep);
    onTestFinished(() => void unsubscribe(`require-api-key:${name}`, keep));
    return seen;
  }

  it('an admission -> who, and how long the guard took', async () => {
    const seen = listen('admitted');
    const call = arrive({ 'X-API-Key': 'key' });
    const before = performance.now();
    await callGuards([requireApiKey({ source: verify })], call);
    expect(seen).toStrictEqual([
      {
        request: call.req,
        keyId: 'alice',
        user: 'alice',
        source: 'custom',
        durationMs: expect.any(Number),
      },
    ]);
    expect(seen[0]!['durationMs']).toBeGreaterThanOrEqual(0);
    expect(seen[0]!['durationMs']).toBeLessThanOrEqual(performance.now() - before);
  });

  it('a refusal of nobody -> code, reason and no more', async () => {
    const seen = listen('refused');
    const call = arrive();
    await callGuards([requireApiKey({ source: verify, optional: true }), requireScopes('a')], call);
    expect(seen).toStrictEqual([
      {
        request: call.req,
        code: 'missing_api_key',
        reason: 'header_absent',
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('a key where no source holds one -> refused for that reason', async () => {
    const seen = listen('refused');
    const call = arrive({ 'X-API-Key': 'key' });
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await callGuards([requireApiKey({ source: { verify, configured: () => false } })], call);
    log.mockRestore();
    expect(seen).toMatchObject([{ code: 'api_key_not_configured', reason: 'nothing_configured' }]);
  });

  it('a refusal of a known key -> whose', async () => {
    const seen = listen('refused');
    const call = arrive({ 'X-API-Key': 'k'.repeat(40) });
    await callGuards(
      [requireApiKey({ source: keyList({ alice: 'k'.repeat(40) }), scopes: ['a'] })],
      call,
    );
    expect(seen).toStrictEqual([
      {
        request: call.req,
        keyId: 'alice#1',
        user: 'alice',
        source: 'list',
        code: 'insufficient_scope',
        reason: 'scope_missing',
        durationMs: expect.any(Number),
      },
    ]);
  });
});
