import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { requireApiKey, requireScopes } from '../../src/index.js';
import { anySource } from '../support/any-source.js';
import type { GuardOptions } from '../support/any-source.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey, sha256Hex } from '../support/sample-key.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const identity = { user: 'alice', keyId: 'alice#1', scopes: [] };
const knows: GuardOptions['source'] = {
  name: 'table',
  verify: (key) => (key === goodKey ? identity : undefined),
};

const unconfigured: GuardOptions['source'] = { verify: () => true, configured: () => false };

type Message = Readonly<Record<string, unknown>>;
type Name = 'admitted' | 'refused' | 'fault';

/** Collects the messages of all three channels until the test is over. */
function listen(): Readonly<Record<Name, Message[]>> {
  const seen: Record<Name, Message[]> = { admitted: [], refused: [], fault: [] };
  for (const name of ['admitted', 'refused', 'fault'] as const) {
    const keep = (message: unknown): void => {
      seen[name].push(message as Message);
    };
    subscribe(`require-api-key:${name}`, keep);
    onTestFinished(() => {
      unsubscribe(`require-api-key:${name}`, keep);
    });
  }
  return seen;
}

/** A message's own fields, the live request apart, as one text. */
function ownFields(message: Message | undefined): string {
  const { request, ...fields } = message ?? {};
  expect(request).toBeDefined();
  return inspect(fields, { depth: Infinity, showHidden: true, maxStringLength: null });
}

const refusals: readonly (readonly [
  code: string,
  status: 401 | 403,
  options: GuardOptions,
  sent: object,
])[] = [
  ['missing_api_key', 401, { source: knows }, {}],
  ['invalid_api_key', 401, { source: knows }, { 'X-API-Key': sampleKey('other') }],
  ['expired_api_key', 401, { source: () => ({ ok: false, code: 'expired_api_key' }) }, present],
  ['revoked_api_key', 401, { source: () => ({ ok: false, code: 'revoked_api_key' }) }, present],
  ['insufficient_scope', 403, { source: knows, scopes: ['a'] }, present],
  ['https_required', 403, { source: knows, requireHttps: true }, present],
];

describe.each(expressVersions)('diagnostics on $version', ({ express }) => {
  it('an admission -> one message on admitted, with the identity and the live request', async () => {
    const seen = listen();
    const app = await guardedApp(express, { guard: requireApiKey({ source: knows }) });
    const startedAt = performance.now();

    await app.get(present);

    expect(seen.admitted).toHaveLength(1);
    expect(seen.refused).toEqual([]);
    expect(seen.fault).toEqual([]);
    expect(seen.admitted[0]).toMatchObject({ keyId: 'alice#1', user: 'alice', source: 'table' });
    expect(seen.admitted[0]?.['request']).toBe(app.lastRequest());
    expect(seen.admitted[0]?.['durationMs']).toBeGreaterThan(0);
    expect(seen.admitted[0]?.['durationMs']).toBeLessThan(performance.now() - startedAt);
    expect(ownFields(seen.admitted[0])).not.toContain(goodKey);
  });

  it.each(refusals)(
    '%s -> one message on refused, with code and reason',
    async (code, status, options, sent) => {
      const seen = listen();
      const app = await guardedApp(express, { guard: requireApiKey(options) });

      expectRefused(await app.get(sent as Record<string, string>), { status, code });

      expect(seen.refused).toHaveLength(1);
      expect(seen.admitted).toEqual([]);
      expect(seen.fault).toEqual([]);
      expect(seen.refused[0]).toMatchObject({ code, reason: expect.stringMatching(/\S/) });
      expect(seen.refused[0]?.['request']).toMatchObject({ method: 'GET', url: '/hello' });
    },
  );

  it('a subscriber that comes while a key is looked up -> told of the verdict, without a duration that nobody measured', async () => {
    let seen: ReturnType<typeof listen> | undefined;
    const source: GuardOptions['source'] = async () => {
      seen = listen();
      return identity;
    };
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    await app.get(present);

    expect(seen?.admitted).toHaveLength(1);
    expect(seen?.admitted[0]).not.toHaveProperty('durationMs');
  });

  it('a subscriber that comes after the guard -> told without a duration of a refusal by requireScopes', async () => {
    let seen: ReturnType<typeof listen> | undefined;
    const late = requireScopes('a');
    const app = await guardedApp(express, {
      guard: [
        requireApiKey({ source: knows }),
        (req, res, next) => {
          // The last moment at which somebody may come: while requireScopes runs.
          const { apiKey } = req;
          Object.defineProperty(req, 'apiKey', {
            get: () => {
              seen ??= listen();
              return apiKey;
            },
          });
          late(req, res, next);
        },
      ],
    });

    await app.get(present);

    expect(seen?.refused).toHaveLength(1);
    expect(seen?.refused[0]).not.toHaveProperty('durationMs');
  });

  it('a known key without the scope -> the message names key, user and source', async () => {
    const seen = listen();
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: knows, scopes: ['a'] }),
    });

    await app.get(present);

    expect(seen.refused[0]).toMatchObject({ keyId: 'alice#1', user: 'alice', source: 'table' });
  });

  it('keys that clients cannot tell apart -> reasons that operators can', async () => {
    const seen = listen();
    const app = await guardedApp(express, { guard: requireApiKey({ source: knows }) });
    const other = sampleKey('other');

    const sent = [
      [`X-API-Key: ${other}`],
      [`X-API-Key: ${other}`, `X-API-Key: ${other}`],
      [`X-API-Key: ${other} ${other}`],
      [`X-API-Key: ${'k'.repeat(513)}`],
    ];
    const bytes = new Set<string>();
    for (const lines of sent) bytes.add((await app.raw(lines)).bytes);

    expect(bytes.size).toBe(1);
    expect(new Set(seen.refused.map(({ reason }) => reason)).size).toBe(sent.length);
    for (const message of seen.refused) {
      expect(message['code']).toBe('invalid_api_key');
      expect([...bytes][0]).not.toContain(String(message['reason']));
    }
  });

  it.each([
    [
      'a source that throws',
      'key_source_failed',
      anySource(() => {
        throw new Error('down');
      }),
    ],
    [
      'a source that rejects',
      'key_source_failed',
      anySource(async () => Promise.reject(new Error('down'))),
    ],
    ['a source that answers nonsense', 'key_source_failed', anySource(() => 42)],
    ['no source configured', 'api_key_not_configured', unconfigured],
  ] as const)('%s -> one message on fault, with code and reason', async (_what, code, source) => {
    const seen = listen();
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expectRefused(await app.get(present), { status: 503, code });

    expect(seen.fault).toHaveLength(1);
    expect(seen.admitted).toEqual([]);
    expect(seen.fault[0]).toMatchObject({ code, request: { url: '/hello' } });
  });

  it('no message of any kind -> holds a key or a digest in its own fields', async () => {
    const seen = listen();
    const saysKey = anySource((key) => {
      throw Object.assign(new Error(`no row for ${key}`), { detail: { key } });
    });
    const answersKey = anySource((key) => [key]);
    const guards: readonly GuardOptions[] = [
      ...refusals.map(([, , options]) => options),
      { source: knows },
      { source: saysKey },
      { source: answersKey },
      { source: () => undefined },
    ];
    for (const options of guards) {
      const app = await guardedApp(express, { guard: requireApiKey(options) });
      await app.get(present);
      await app.raw([`X-API-Key: ${goodKey}`, `X-API-Key: ${goodKey}`]);
    }

    const messages = [...seen.admitted, ...seen.refused, ...seen.fault];
    expect(messages.length).toBeGreaterThanOrEqual(2 * guards.length);
    for (const message of messages) {
      const text = ownFields(message);
      expect(text).not.toContain(goodKey);
      expect(text).not.toContain(sha256Hex(goodKey));
    }
  });

  it('a refusal that onRefused answers in its own way -> published all the same', async () => {
    const seen = listen();
    const app = await guardedApp(express, {
      guard: requireApiKey({
        source: knows,
        onRefused: (_error, _req, res) => {
          (res as unknown as { status(code: number): { end(): void } }).status(418).end();
        },
      }),
    });

    await app.get();

    expect(seen.refused.map(({ code }) => code)).toEqual(['missing_api_key']);
  });

  it('no subscriber -> requests are answered as ever', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source: knows }) });

    expect((await app.get(present)).status).toBe(200);
    expectRefused(await app.get(), { status: 401, code: 'missing_api_key', earlierRuns: 1 });
  });
});
