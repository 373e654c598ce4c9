import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/keys/digest.js';
import { KeyCache, type CacheEntry } from '../../../src/manager/cache/key-cache.js';

const entry = (text: string, keyId?: string) =>
  ({
    digest: digestOf(text),
    key: keyId === undefined ? undefined : { keyId },
    askedAt: { wall: 0, elapsed: 0 },
    epoch: undefined,
    wasUsed: false,
  }) as CacheEntry;

const holds = (cache: KeyCache, text: string) => cache.get(digestOf(text)) !== undefined;

describe('a cache of entries', () => {
  it('full -> one that nobody asked for has to go, whatever the digests', () => {
    for (let round = 0; round < 20; round++) {
      const cache = new KeyCache(4);
      const [spared, gone] = [['a', 'b', 'c'].map((name) => name + round), `d${round}`];
      for (const text of [...spared, gone]) cache.set(entry(text));
      for (const text of spared) expect(holds(cache, text)).toBe(true);
      cache.set(entry(`e${round}`));
      expect([...spared, gone].map((text) => holds(cache, text))).toEqual([
        true,
        true,
        true,
        false,
      ]);
      expect(holds(cache, `e${round}`)).toBe(true);
    }
  });

  it('full of what was asked for -> one goes all the same, and after that round the marks are gone', () => {
    const cache = new KeyCache(2);
    const entries = ['a', 'b', 'c'].map((text) => entry(text));
    for (const each of entries.slice(0, 2)) {
      cache.set(each);
      cache.get(each.digest);
    }
    cache.set(entries[2]!);
    expect(entries.map(({ wasUsed }) => wasUsed)).toEqual([false, false, false]);
    expect(entries.filter(({ digest }) => cache.get(digest))).toHaveLength(2);
  });

  it('a digest or a key set again -> takes the place of what was there', () => {
    const cache = new KeyCache(10);
    cache.set(entry('a', 'key_1'));
    cache.set(entry('a', 'key_2'));
    cache.deleteKey('key_1');
    expect(holds(cache, 'a')).toBe(true);
    cache.set(entry('b', 'key_2'));
    expect([holds(cache, 'a'), holds(cache, 'b')]).toEqual([false, true]);
  });

  it('a key that is deleted -> gone; one whose digest belongs to another key by now -> nothing goes', () => {
    const cache = new KeyCache(10);
    cache.set(entry('a', 'key_1'));
    cache.delete(digestOf('a'));
    cache.set(entry('a', 'key_2'));
    cache.set(entry('u'));
    cache.deleteKey('key_1');
    cache.delete(digestOf('u'));
    expect([holds(cache, 'a'), holds(cache, 'u')]).toEqual([true, false]);
    cache.deleteKey('key_2');
    expect(holds(cache, 'a')).toBe(false);
  });

  it('cleared -> empty, and no key id is left behind', () => {
    const cache = new KeyCache(10);
    cache.set(entry('a', 'key_1'));
    cache.clear();
    expect(holds(cache, 'a')).toBe(false);
    cache.set(entry('a', 'key_2'));
    cache.deleteKey('key_1');
    expect(holds(cache, 'a')).toBe(true);
  });
});
