import { describe, expect, it, vi } from 'vitest';
import {
  digestApiKey,
  envKeyList,
  generateApiKey,
  keyList,
  type VerifyResult,
} from '../../src/index.js';
import { collectWarnings } from '../support/warnings.js';

const good = generateApiKey().key;
const other = generateApiKey().key;

const warnings = collectWarnings();

const ask = (source: ReturnType<typeof keyList>, key: string) =>
  source.verify(key, undefined as never) as VerifyResult;

describe('keyList', () => {
  it('users with one key or several, plain or as digests -> each is known by user and place', () => {
    const source = keyList(
      { alice: good, bob: [digestApiKey(other), ` ${'b'.repeat(20)}-old-key-of-bob `] },
      { scopes: ['a'] },
    );
    expect(ask(source, good)).toMatchObject({
      ok: true,
      apiKey: { keyId: 'alice#1', user: 'alice', scopes: ['a'], source: 'list' },
    });
    expect(ask(source, other)).toMatchObject({ apiKey: { keyId: 'bob#1' } });
    expect(ask(source, `${'b'.repeat(20)}-old-key-of-bob`)).toMatchObject({
      apiKey: { keyId: 'bob#2' },
    });
    expect(ask(source, digestApiKey(other))).toEqual({ ok: false, code: 'invalid_api_key' });
  });

  it('a source made of a list -> called list', () => {
    expect(keyList({ alice: good }).name).toBe('list');
  });

  it('ten weak keys -> each is warned of by its place, and nothing else', async () => {
    const mark = warnings.mark();
    keyList(
      Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`user${at}`, `weak-a${at}`])),
    );
    const told = await warnings.since(mark);
    expect(told).toHaveLength(10);
    expect(told[9]).toBe('keyList: the key in entry 10 is shorter than 32 characters; replace it.');
  });

  it('more than ten weak keys in each of two lists -> of each ten are warned of by their places, the others counted', async () => {
    const mark = warnings.mark();
    const pairs = Array.from({ length: 12 }, (_, at) => [`user${at}`, `weak-b${at}`] as const);
    keyList(Object.fromEntries(pairs));
    vi.stubEnv('TEST_WEAK_KEYS', pairs.map((pair) => pair.join(':')).join(','));
    envKeyList('TEST_WEAK_KEYS').configured!();
    vi.unstubAllEnvs();
    const told = await warnings.since(mark);
    expect(told).toHaveLength(22);
    expect(told[10]).toBe('keyList: 2 more keys are weak; replace them.');
    expect(told[21]).toBe('TEST_WEAK_KEYS: 2 more keys are weak; replace them.');
  });

  it('an empty list -> not configured', () => {
    expect(keyList({}).configured!()).toBe(false);
    expect(keyList({ alice: good }).configured!()).toBe(true);
  });

  it('a list that is changed afterwards -> the source stays as it was', () => {
    const keys: Record<string, string> = { alice: good };
    const source = keyList(keys);
    keys.bob = other;
    delete keys.alice;
    expect(ask(source, good).ok).toBe(true);
    expect(ask(source, other).ok).toBe(false);
  });

  it.each([
    ['a variable that was not set', { alice: undefined }, /entry 1 has undefined instead of a key/],
    ['an empty key', { alice: '' }, /entry 1 has no key/],
    ['a blank key', { alice: '  ' }, /entry 1 has no key/],
    ['no keys', { alice: good, bob: [] }, /entry 2 has no key/],
    ['a null among keys', { alice: [good, null] }, /entry 1 has null instead of a key/],
    ['an empty user', { '': good }, /entry 1 has no user/],
    [
      'one key under two users',
      { alice: good, bob: [other, good] },
      /entry 2 has the key of another user/,
    ],
    ['a user called sha256', { sha256: good }, /entry 1 has a digest but no user/],
    ['a user called SHA256', { SHA256: 'a1'.repeat(32) }, /entry 1 has a digest but no user/],
    ['an unresolved reference', { alice: '${ALICE}' }, /entry 1 has an unresolved reference/],
    [
      "user and key in each other's place",
      { [good]: 'alice smith' },
      /entry 1 has a key where its user should stand/,
    ],
    ['an array', [good], /the list must be an object of users and keys; received an array of 1/],
    ['a string', good, /a string of 52 characters/],
    ['null', null, /received null/],
  ])('%s -> a TypeError at once that prints no key', (_what, keys, message) => {
    let thrown: unknown;
    try {
      keyList(keys as never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TypeError);
    expect((thrown as Error).message).toMatch(message);
    expect((thrown as Error).message).toMatch(/^keyList: /);
    expect((thrown as Error).stack).not.toContain(good);
  });

  it('a wrong option -> a TypeError that names keyList', () => {
    expect(() => keyList({ alice: good }, { scopes: 'a' } as never)).toThrow(
      /^keyList: "scopes" must be/,
    );
  });
});
