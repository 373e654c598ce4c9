import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SourceList } from '../../src/guard/source-list.js';
import {
  ApiKeyManager,
  keyList,
  MemoryKeyStore,
  type KeySource,
  type VerifyKey,
  type VerifyResult,
} from '../../src/index.js';
import { anySource } from '../support/any-source.js';
import { arrive } from '../support/call-guard.js';

const key = 'key-of-alice-0123456789-0123456789';
const cause = new Error('down');
const unknown = { ok: false, code: 'invalid_api_key' };
const admitted = (user: string) =>
  expect.objectContaining({ ok: true, apiKey: expect.objectContaining({ user }) });
const req = arrive().req as never;
const throws = () => {
  throw cause;
};

const ask = async (...sources: (KeySource | VerifyKey)[]) =>
  new SourceList(sources, 5_000).ask(key, req);
const fault = (reason: string, source?: string) => ({
  ok: false,
  code: 'key_source_failed',
  reason,
  cause: expect.any(Error),
  ...(source !== undefined && { source }),
});

afterEach(() => void vi.useRealTimers());

describe('one source', () => {
  it.each<[string, KeySource | VerifyKey, unknown]>([
    ['that throws', throws, fault('source_threw', 'custom')],
    ['that rejects', () => Promise.reject(cause), fault('source_threw', 'custom')],
    ['that answers nonsense', anySource(() => 7), fault('source_answered_nonsense', 'custom')],
    [
      'that answers nonsense late',
      anySource(async () => 7),
      fault('source_answered_nonsense', 'custom'),
    ],
    ['with a name that throws', { name: 'table', verify: throws }, fault('source_threw', 'table')],
    ['without a name that throws', { verify: throws }, fault('source_threw', 'custom')],
    [
      'whose configured() throws',
      { verify: () => 'alice', configured: throws },
      fault('source_threw', 'custom'),
    ],
    [
      'that holds no key',
      { verify: () => 'alice', configured: () => false },
      expect.objectContaining({ code: 'api_key_not_configured', reason: 'nothing_configured' }),
    ],
    [
      'that is misconfigured',
      { name: 'table', verify: () => undefined, misconfigured: () => true },
      expect.objectContaining({
        code: 'api_key_not_configured',
        reason: 'broken_configuration',
        cause: new Error('the key source "table" is misconfigured'),
      }),
    ],
    [
      'that is misconfigured and knows the key',
      { verify: () => 'alice', misconfigured: () => true },
      admitted('alice'),
    ],
    [
      'whose misconfigured() throws',
      { name: 'table', verify: () => undefined, misconfigured: throws },
      fault('source_threw', 'table'),
    ],
    [
      'whose configured() answers with a promise',
      { verify: () => 'alice', configured: (async () => false) as never },
      fault('source_threw', 'custom'),
    ],
    [
      'whose configured() answers with a promise that is rejected',
      { verify: () => 'alice', configured: (() => Promise.reject(cause)) as never },
      fault('source_threw', 'custom'),
    ],
    [
      'whose configured() answers with a text',
      { verify: () => 'alice', configured: (() => 'yes') as never },
      fault('source_threw', 'custom'),
    ],
    [
      'whose misconfigured() answers with a promise',
      { verify: () => undefined, misconfigured: (async () => false) as never },
      fault('source_threw', 'custom'),
    ],
    ['that says neither', { verify: () => undefined }, unknown],
    [
      'that holds a key',
      { verify: () => undefined, configured: () => true, misconfigured: () => false },
      unknown,
    ],
    [
      'whose answer has a member then that is no method',
      // oxlint-disable-next-line unicorn/no-thenable -- exactly what is wanted here
      anySource(() => ({ user: 'alice', then: 1 })),
      admitted('alice'),
    ],
  ])('%s -> the verdict', async (_what, source, verdict) => {
    expect(await ask(source)).toEqual(verdict);
  });
});

it('configured() that answers with a promise -> a fault that says so', async () => {
  const source = { verify: () => 'alice', configured: (async () => false) as never };
  expect(await ask(source)).toMatchObject({
    cause: new TypeError('"configured" answered an object'),
  });
});

describe('several sources', () => {
  const failing: VerifyKey = () => Promise.reject(cause);
  const knowing: VerifyKey = () => 'alice';
  const expired: KeySource = {
    name: 'old',
    verify: () => ({ ok: false, code: 'expired_api_key' }),
  };

  it.each<[string, (KeySource | VerifyKey)[], unknown]>([
    ['one fails at once, the next knows', [throws, knowing], admitted('alice')],
    ['one fails late, the next knows', [failing, knowing], admitted('alice')],
    [
      'one fails at once, the next does not know',
      [throws, () => undefined],
      fault('source_threw', 'custom'),
    ],
    [
      'one fails late, the next does not know',
      [failing, () => undefined],
      fault('source_threw', 'custom'),
    ],
    [
      'two fail',
      [
        { name: 'first', verify: throws },
        { name: 'second', verify: failing },
      ],
      fault('source_threw', 'first'),
    ],
    [
      'two fail, the first of them late',
      [
        { name: 'first', verify: failing },
        { name: 'second', verify: throws },
      ],
      fault('source_threw', 'first'),
    ],
    [
      'one says expired, the next knows',
      [expired, knowing],
      { ok: false, code: 'expired_api_key', source: 'old' },
    ],
    [
      'one says late that it is revoked, the next knows',
      [async () => ({ ok: false, code: 'revoked_api_key' }), knowing],
      { ok: false, code: 'revoked_api_key', source: 'custom' },
    ],
    [
      'none holds a key',
      [
        { name: 'a', verify: knowing, configured: () => false },
        { name: 'b', verify: knowing, configured: () => false },
      ],
      expect.objectContaining({ cause: new Error('no key source holds a key: a, b') }),
    ],
    [
      'the last alone holds a key',
      [{ verify: knowing, configured: () => false }, { verify: () => undefined }],
      unknown,
    ],
    [
      'the first alone holds a key',
      [{ verify: () => undefined }, { verify: knowing, configured: () => false }],
      unknown,
    ],
  ])('%s -> the verdict', async (_what, sources, verdict) => {
    expect(await ask(...sources)).toEqual(verdict);
  });

  it('all answer at once -> so does the list; one by a promise -> a promise', () => {
    expect(new SourceList([() => undefined, knowing], 1).ask(key, req)).not.toBeInstanceOf(Promise);
    expect(new SourceList([async () => undefined, knowing], 1).ask(key, req)).toBeInstanceOf(
      Promise,
    );
  });
});

describe('the time that sources may take', () => {
  it('an answer in time -> taken, and no timer is left', async () => {
    vi.useFakeTimers();
    expect(await ask(async () => 'alice')).toEqual(admitted('alice'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('none in time -> a fault with the limit and the source that was waited for, and no other source is asked afterwards', async () => {
    vi.useFakeTimers();
    const second = vi.fn(() => 'alice');
    let answer = (_value: undefined) => {};
    const slow = () => new Promise<undefined>((resolve) => (answer = resolve));
    const verdict = new SourceList([slow, second], 30).ask(key, req);
    await vi.advanceTimersByTimeAsync(30);
    expect(await verdict).toEqual({
      ...fault('source_timed_out', 'custom'),
      cause: new Error('the key sources did not answer within 30 ms; waiting for "custom"'),
    });
    answer(undefined);
    await vi.advanceTimersByTimeAsync(1);
    expect(second).not.toHaveBeenCalled();
  });
});

it('two slow sources, the second too slow -> the fault names the second, on the channel too', async () => {
  vi.useFakeTimers();
  const seen: unknown[] = [];
  const keep = (message: unknown) => void seen.push((message as { source?: string }).source);
  subscribe('require-api-key:fault', keep);
  onTestFinished(() => void unsubscribe('require-api-key:fault', keep));
  const first: KeySource = { name: 'first', verify: async () => undefined };
  const second: KeySource = { name: 'second', verify: () => new Promise<never>(() => {}) };

  const verdict = new SourceList([first, second], 30).ask(key, req);
  await vi.advanceTimersByTimeAsync(30);

  expect(await verdict).toMatchObject({ reason: 'source_timed_out', source: 'second' });
  expect(seen).toEqual(['second']);
});

describe("the library's own sources", () => {
  it('a stricter verify or configured that somebody puts on one, before or after -> counts', async () => {
    for (const stricter of [{ verify: () => undefined }, { configured: () => false }]) {
      const before = Object.assign(keyList({ alice: key }), stricter);
      expect(await ask(before, () => undefined)).toEqual(unknown);
      const after = keyList({ alice: key });
      const list = new SourceList([after, () => undefined], 1);
      expect(await list.ask(key, req)).toEqual(admitted('alice'));
      Object.assign(after, stricter);
      expect(await list.ask(key, req)).toEqual(unknown);
    }
  });

  it('a stricter subclass of a manager, or a stricter verify put on it -> counts', async () => {
    class Stricter extends ApiKeyManager {
      override async verify(presentedKey: string): Promise<VerifyResult> {
        const result = await super.verify(presentedKey);
        return result.ok ? { ok: false, code: 'revoked_api_key' } : result;
      }
    }
    const options = { store: new MemoryKeyStore(), legacyKeys: true };
    const stricter = new Stricter(options);
    const keys = new ApiKeyManager(options);
    onTestFinished(async () => void (await Promise.all([stricter.close(), keys.close()])));
    await keys.import({ user: 'alice', key });
    const list = new SourceList([keys], 5_000);
    expect(await list.ask(key, req)).toEqual(admitted('alice'));
    expect(await ask(stricter)).toMatchObject({ code: 'revoked_api_key' });
    Object.assign(keys, { verify: async () => undefined });
    expect(await list.ask(key, req)).toEqual(unknown);
  });

  it('a subclass that changes the key and hands the rest on -> the changed key is looked up', async () => {
    class Trimming extends ApiKeyManager {
      override verify(presentedKey: string, ...rest: unknown[]): never {
        return super.verify(presentedKey.replace(/^prefix-/, ''), ...(rest as [])) as never;
      }
    }
    const keys = new Trimming({ store: new MemoryKeyStore(), legacyKeys: true });
    onTestFinished(() => keys.close());
    await keys.import({ user: 'alice', key });
    const list = new SourceList([keys], 5_000);
    expect(await list.ask(`prefix-${key}`, req)).toEqual(admitted('alice'));
  });

  it('an altered copy of an own answer -> read and checked like any other', async () => {
    const keys = keyList({ alice: key });
    const source: KeySource = {
      verify: (presentedKey) => ({
        ...(keys.verify(presentedKey, req) as { ok: true; apiKey: never }),
        apiKey: { user: key } as never,
      }),
    };
    expect(await ask(source)).toEqual(fault('source_answered_nonsense', 'custom'));
  });

  it('a source of somebody else -> given the key and the request, and no digest', async () => {
    const verify = vi.fn(() => 'alice');
    await ask(keyList({ bob: 'another-key-0123456789-0123456789-01' }), verify);
    expect(verify.mock.calls).toEqual([[key, req]]);
  });

  it('one that is asked again -> the same frozen identity, not a copy', async () => {
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), legacyKeys: true });
    onTestFinished(() => keys.close());
    await keys.import({ user: 'alice', key });
    for (const source of [keyList({ alice: key }), keys])
      expect(await ask(source)).toBe(await ask(source));
  });

  it('a manager whose store fails -> a fault by its name', async () => {
    const store = Object.assign(new MemoryKeyStore(), {
      findByDigest: () => Promise.reject(cause),
    });
    const keys = new ApiKeyManager({ store, legacyKeys: true });
    onTestFinished(() => keys.close());
    expect(await ask(keys)).toEqual(fault('source_threw', 'managed'));
  });

  it('a manager whose clock throws -> a fault by its name, never an exception', async () => {
    let now = Date.now;
    const keys = new ApiKeyManager({
      store: new MemoryKeyStore(),
      legacyKeys: true,
      now: () => now(),
    });
    onTestFinished(() => keys.close());
    await keys.import({ user: 'alice', key });
    expect(await ask(keys)).toEqual(admitted('alice'));
    now = throws;
    expect(await ask(keys)).toEqual(fault('source_threw', 'managed'));
  });
});

describe('the fault channel', () => {
  function listen() {
    const seen: object[] = [];
    const keep = ({ request: _request, ...fields }: Record<string, unknown>) =>
      void seen.push(fields);
    subscribe('require-api-key:fault', keep as never);
    onTestFinished(() => void unsubscribe('require-api-key:fault', keep as never));
    return seen;
  }

  it('a fault of a source -> told with its name, also where another source knows the key', async () => {
    const seen = listen();
    await ask({ name: 'table', verify: throws }, () => 'alice');
    expect(seen).toStrictEqual([
      { code: 'key_source_failed', reason: 'source_threw', source: 'table' },
    ]);
  });

  it('a fault of no one source -> told without a name', async () => {
    const seen = listen();
    await ask({ verify: () => 'alice', configured: () => false });
    expect(seen).toStrictEqual([{ code: 'api_key_not_configured', reason: 'nothing_configured' }]);
  });
});
