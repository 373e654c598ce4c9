import { format } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { generateApiKey, requireApiKey } from '../../src/index.js';
import { anySource } from '../support/any-source.js';
import type { GuardOptions } from '../support/any-source.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import type { CreateExpress, GuardedApp } from '../support/guarded-app.js';
import { sampleKey, sha256Hex } from '../support/sample-key.js';
import { watchUnhandled } from '../support/unhandled.js';

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const fault = { status: 503, code: 'key_source_failed' } as const;
const source = (key: string): string | undefined => (key === goodKey ? 'alice' : undefined);
const logged = vi.spyOn(console, 'error');

/** What was logged, as it stands on the console. */
function lines(): readonly string[] {
  return logged.mock.calls.map((call) => format(...(call as [unknown])));
}

async function logging(express: CreateExpress, options: GuardOptions): Promise<GuardedApp> {
  return guardedApp(express, { settings: { env: 'production' }, guard: requireApiKey(options) });
}

function throwing(value: unknown): GuardOptions {
  return {
    source: anySource(() => {
      throw value;
    }),
  };
}

function rejecting(value: unknown): GuardOptions {
  return { source: anySource(async () => Promise.reject(value)) };
}

function touched(): never {
  throw new Error('do not touch');
}

const hostileCauses: readonly (readonly [what: string, make: () => unknown])[] = [
  [
    'throws whatever one does with it',
    () =>
      new Proxy(new Error('x'), {
        get: touched,
        has: touched,
        getPrototypeOf: touched,
        ownKeys: touched,
      }),
  ],
  [
    'throws when its stack is read',
    () => Object.defineProperty(new Error('x'), 'stack', { get: touched }),
  ],
  [
    'has itself for a cause',
    () =>
      Object.defineProperty(new Error('x'), 'cause', {
        get() {
          return this;
        },
      }),
  ],
  ['has a number for a stack', () => Object.assign(new Error('x'), { stack: 42 })],
  [
    'has no list of errors',
    () => Object.assign(new AggregateError([], 'x'), { errors: undefined }),
  ],
];

beforeAll(() => {
  vi.stubEnv('NODE_ENV', 'production');
  vi.useFakeTimers({
    toFake: [
      'Date',
      'performance',
      'hrtime',
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
    ],
  });
});

// The limit is one for the whole process: every test begins an hour after the one before.
beforeEach(() => {
  vi.advanceTimersByTime(3_600_000);
  logged.mockReset().mockImplementation(() => {});
});

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const holders: readonly (readonly [where: string, make: (key: string) => unknown])[] = [
  ['the message', (key) => new Error(`no row for ${key}`)],
  ['the message, twice', (key) => new Error(`${key} is not ${key}`)],
  [
    'a property',
    (key) => Object.assign(new Error('query failed'), { detail: `Key (api_key)=(${key})` }),
  ],
  [
    'a property of a property',
    (key) => Object.assign(new Error('failed'), { query: { values: [[key]] } }),
  ],
  ['the name of a property', (key) => Object.assign(new Error('failed'), { [key]: true })],
  ['the cause of the cause', (key) => new Error('failed', { cause: new Error(`select ${key}`) })],
  ['an aggregate', (key) => new AggregateError([new Error(key), key], 'all failed')],
  ['a thrown string', (key) => `no such key: ${key}`],
  ['a thrown object', (key) => ({ reason: { key } })],
  ['a Map', (key) => Object.assign(new Error('failed'), { seen: new Map([[key, key]]) })],
  [
    'the stack',
    (key) => Object.assign(new Error('failed'), { stack: `Error: failed\n    at ${key}` }),
  ],
  ['the name of the error', (key) => Object.assign(new Error('failed'), { name: key })],
];

const someDigest = sha256Hex(sampleKey('digest'));
const someKey = generateApiKey().key;

/** Texts that hold a secret besides the presented key in clear, and the secret. */
const secrets: readonly (readonly [what: string, text: string, secret: string])[] = [
  ['a digest as a part of a longer name', `apikey_${someDigest}_ttl`, someDigest],
  ['a digest behind a letter', `k${someDigest}`, someDigest],
  ['a digest in upper case', someDigest.toUpperCase(), someDigest.toUpperCase()],
  ["somebody else's key as a part of a longer name", `cache_${someKey}_v1`, someKey.slice(-40)],
  [
    'the presented key in hexadecimal',
    Buffer.from(goodKey).toString('hex'),
    Buffer.from(goodKey).toString('hex'),
  ],
];

describe.each(expressVersions)('the log of faults on $version', ({ express }) => {
  it('a source that throws -> one entry, with the code and the cause', async () => {
    const app = await logging(express, throwing(new Error('relation "api_keys" does not exist')));

    expectRefused(await app.get(present), fault);

    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toContain('relation "api_keys" does not exist');
    expect(lines()[0]).toMatch(/key_source_failed|ApiKeyError/);
  });

  it('no source configured -> one entry', async () => {
    const app = await logging(express, { source: { verify: () => true, configured: () => false } });

    expectRefused(await app.get(), { status: 503, code: 'api_key_not_configured' });

    expect(lines()).toHaveLength(1);
  });

  it('401 and 403 -> not logged', async () => {
    const app = await logging(express, { source, scopes: ['a'] });
    const secure = await logging(express, { source, requireHttps: true });

    expectRefused(await app.get(), { status: 401, code: 'missing_api_key' });
    expectRefused(await app.get({ 'X-API-Key': 'bad' }), { status: 401, code: 'invalid_api_key' });
    expectRefused(await app.get(present), { status: 403, code: 'insufficient_scope' });
    expectRefused(await secure.get(present), { status: 403, code: 'https_required' });

    expect(lines()).toEqual([]);
  });

  it.each(secrets)('a cause that holds %s -> masked', async (_what, text, secret) => {
    const app = await logging(express, throwing(new Error(`get ${text} failed`)));

    expectRefused(await app.get(present), fault);

    expect(lines().join()).toMatch(/get .*\[.*\].* failed/);
    expect(lines().join()).not.toContain(secret);
  });

  it.each(holders)('a cause that holds the presented key in %s -> masked', async (_where, make) => {
    const app = await logging(express, throwing(make(goodKey)));

    expectRefused(await app.get(present), fault);

    expect(lines()).toHaveLength(1);
    expect(lines()[0]).not.toContain(goodKey);
  });

  it.each([
    ['quotes', `it's"quoted"\`${goodKey}`],
    ['backslashes', `\\back\\\\slash\\${goodKey}`],
    ['signs that a pattern would read as its own', `$&.*+?^()[]{}|${goodKey}`],
    ['format directives', `%s%d%o%j%%${goodKey}`],
  ])('a presented key with %s -> masked', async (_what, key) => {
    for (const [, make] of holders) {
      vi.advanceTimersByTime(3_600_000);
      const app = await logging(express, throwing(make(key)));
      await app.raw([`X-API-Key: ${key}`]);
    }

    expect(lines()).toHaveLength(holders.length);
    for (const line of lines()) {
      expect(line).not.toContain(key);
      expect(line).not.toContain(goodKey);
    }
  });

  it('a key that stands where a long entry is cut -> no part of it is left', async () => {
    const causes = Array.from(
      { length: 60 },
      (_, at) => `${'.'.repeat(19_900 + at * 2)}${goodKey}`,
    );
    for (const message of causes) {
      vi.advanceTimersByTime(3_600_000);
      const app = await logging(express, throwing(message));
      await app.get(present);
    }
    expect(lines()).toHaveLength(causes.length);
    for (const line of lines()) expect(line).not.toContain(goodKey.slice(0, 8));
  });

  it('a presented key of one letter -> masked in one pass, the code in front left alone', async () => {
    const app = await logging(express, throwing(new Error('see the end')));
    await app.get({ 'X-API-Key': 'e' });
    const [line] = lines();
    expect(line).toMatch(/^key_source_failed: /);
    expect(line).toContain('s[presented key][presented key] th[presented key] [presented key]nd');
    expect(line).not.toContain('[pr[');
  });

  it('a source that rejects or answers with the key -> masked, and no digest of it either', async () => {
    const sources = [
      anySource(async () => Promise.reject(new Error(goodKey))),
      anySource((key) => [key]),
      anySource((key) => ({ user: { key } })),
      anySource((key) => ({ ok: false, code: key })),
      anySource((key) => Symbol(key)),
    ];
    for (const failing of sources) {
      vi.advanceTimersByTime(3_600_000);
      expectRefused(await (await logging(express, { source: failing })).get(present), fault);
    }

    expect(lines()).toHaveLength(sources.length);
    expect(lines().join('\n')).not.toContain(goodKey);
    expect(lines().join('\n')).not.toContain(sha256Hex(goodKey));
  });

  it('more faults within a minute -> one entry, and their count with the next one', async () => {
    const app = await logging(express, throwing(new Error('down')));

    for (let count = 0; count < 1 + 113; count++) await app.get(present);
    expect(lines()).toHaveLength(1);
    vi.advanceTimersByTime(61_000);
    await app.get(present);

    expect(lines()).toHaveLength(2);
    expect(lines()[0]).not.toMatch(/\b11[34]\b/);
    expect(lines()[1]).toMatch(/\b113\b/);
  });

  it('two codes within a minute -> an entry each', async () => {
    const failing = await logging(express, throwing(new Error('down')));
    const unset = await logging(express, {
      source: { verify: () => true, configured: () => false },
    });

    for (const app of [failing, unset, failing, unset]) await app.get(present);

    expect(lines()).toHaveLength(2);
  });

  it('two guards that fail in the same way within a minute -> one entry', async () => {
    const one = await logging(express, throwing(new Error('down')));
    const two = await logging(express, throwing(new Error('down')));

    for (const app of [one, two]) await app.get(present);

    expect(lines()).toHaveLength(1);
  });

  it('another cause, or another source, within a minute -> logged at once', async () => {
    const named = (name: string): GuardOptions => ({
      source: { name, verify: () => Promise.reject(new Error('down')) },
    });
    const apps = [
      await logging(express, throwing(new Error('down'))),
      await logging(express, throwing(new Error('down too'))),
      await logging(express, named('first')),
      await logging(express, named('second')),
    ];

    for (const app of [...apps, ...apps]) await app.get(present);

    expect(lines()).toHaveLength(4);
  });

  it('a cause that names the presented key -> the same fault for every key', async () => {
    const app = await logging(express, {
      source: (key) => Promise.reject(new Error(`no answer for ${key}`)),
    });

    for (const name of ['one', 'two', 'three']) await app.get({ 'X-API-Key': sampleKey(name) });

    expect(lines()).toHaveLength(1);
  });

  it('causes with changing ids -> 20 entries a minute, and the next one after it', async () => {
    let id = 0;
    const app = await logging(express, {
      source: () => Promise.reject(new Error(`query ${id++} failed`)),
    });

    for (let count = 0; count < 50; count++) await app.get(present);
    expect(lines()).toHaveLength(20);
    vi.advanceTimersByTime(61_000);
    await app.get(present);

    expect(lines()).toHaveLength(21);
    expect(lines()[20]).toContain('query 50 failed');
  });

  it('an answer that comes too late -> the entry names the source that was waited for', async () => {
    const app = await logging(express, {
      source: { name: 'crm', verify: () => new Promise<never>(() => {}) },
      timeoutMs: 20,
    });

    const reply = app.get(present);
    reply.catch(() => {});
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(20);
      expect(lines()).toHaveLength(1);
    });

    expectRefused(await reply, fault);
    expect(lines()[0]).toContain('"crm"');
  });

  it.each(hostileCauses)('a cause that %s -> still answered, still logged', async (_what, make) => {
    const unhandled = watchUnhandled();
    for (const fail of [throwing, rejecting]) {
      vi.advanceTimersByTime(3_600_000);
      logged.mockClear();
      const app = await logging(express, fail(make()));

      const reply = app.raw([`X-API-Key: ${goodKey}`]);
      reply.catch(() => {});
      await vi.waitFor(() => {
        expect(logged).toHaveBeenCalledTimes(1);
      });
      expectRefused(await reply, fault);
    }
    expect(await unhandled.settled()).toEqual([]);
  });

  it('a console.error that throws -> still answered', async () => {
    const unhandled = watchUnhandled();
    for (const fail of [throwing, rejecting]) {
      vi.advanceTimersByTime(3_600_000);
      logged.mockImplementationOnce(() => {
        throw new Error('EPIPE');
      });
      const app = await logging(express, fail(new Error('down')));

      const reply = app.raw([`X-API-Key: ${goodKey}`]);
      reply.catch(() => {});
      await vi.waitFor(() => {
        expect(logged).toHaveBeenCalled();
      });
      expect(await unhandled.settled()).toEqual([]);
      expect((await reply).status).toBeGreaterThanOrEqual(500);
      expect(app.handler).not.toHaveBeenCalled();
    }
  });
});
