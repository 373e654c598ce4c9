import { describe, expect, it } from 'vitest';
import { toCachedKey } from '../../../src/manager/cache/cached-key.js';
import type { StoredKey } from '../../../src/stores/key-record.js';

const at = new Date(Date.UTC(2030, 0, 1));
const stored: StoredKey = {
  keyId: 'key_1',
  digest: 'sha256:a',
  user: 'alice',
  scopes: ['a'],
  metadata: { team: 'audio' },
  createdAt: at,
};
const check = (changes: object = {}) =>
  toCachedKey({ ...stored, ...changes }, 'sha256:a', 'managed');

describe('a record that a store answered', () => {
  it('whole -> its identity and what a verdict needs', () => {
    expect(check()).toMatchObject({
      expiresAt: undefined,
      revokedAt: undefined,
      isReplaced: false,
      lastUse: { ends: undefined },
      admitted: {
        ok: true,
        apiKey: { keyId: 'key_1', user: 'alice', metadata: { team: 'audio' } },
      },
    });
    expect(check({ name: 'laptop' }).admitted).toMatchObject({ apiKey: { name: 'laptop' } });
    expect(check({ metadata: null }).admitted).toMatchObject({ apiKey: { metadata: {} } });
  });

  it.each<[object, object]>([
    [{ replaces: 'key_0' }, { lastUse: { ends: undefined } }],
    [{ overlapMs: 0 }, { lastUse: { ends: undefined } }],
    [{ replaces: 'key_0', overlapMs: 0 }, { lastUse: { ends: 'key_0' } }],
    [{ replacedBy: 'key_2' }, { isReplaced: true }],
    [
      { expiresAt: at, revokedAt: at },
      { expiresAt: at, revokedAt: at },
    ],
  ])('with %j -> %j', (changes, expected) => {
    expect(check(changes)).toMatchObject(expected);
  });

  it('paused until a time -> that time, whatever the store does with its own date', () => {
    const pausedUntil = new Date(at);
    const found = check({ pausedAt: at, pausedUntil });
    pausedUntil.setTime(0);
    expect(found).toMatchObject({ pausedAt: at, pausedUntil: at });
    expect(check({ pausedAt: at })).toMatchObject({ pausedAt: at, pausedUntil: undefined });
  });

  it('held to addresses -> those and no others; an empty list -> any', () => {
    const { addresses } = check({ allowedAddresses: ['10.0.0.0/8'] });
    expect([addresses?.has('10.1.2.3'), addresses?.has('11.1.2.3')]).toEqual([true, false]);
    expect(check({ allowedAddresses: [] }).addresses).toBeUndefined();
    expect(check({ allowedAddresses: null }).addresses).toBeUndefined();
  });

  it.each<[object, string]>([
    [{ digest: 'sha256:b' }, 'key_1 is broken: its digest is not the one it was found by'],
    [{ keyId: '' }, ' is broken: it has no key id'],
    [{ keyId: 7 }, 'a key without an id is broken: it has no key id'],
    [{ user: '' }, 'key_1 is broken: it has no user, or one with control characters'],
    [{ user: 'a\nb' }, 'key_1 is broken: it has no user, or one with control characters'],
    [{ name: 7 }, 'key_1 is broken: its name is not text'],
    [{ metadata: [] }, 'key_1 is broken: its metadata is not an object'],
    [{ metadata: 'x' }, 'key_1 is broken: its metadata is not an object'],
    [{ expiresAt: 'never' }, 'key_1 is broken: its expiry is not a time'],
    [{ createdAt: 'once' }, 'key_1 is broken: its creation is not a time'],
    [{ revokedAt: true }, 'key_1 is broken: its revocation is not a time'],
    [{ pausedAt: true }, 'key_1 is broken: its pause is not a time'],
    [{ pausedUntil: 'never' }, 'key_1 is broken: the end of its pause is not a time'],
    [
      { allowedAddresses: '10.0.0.0/8' },
      'key_1 is broken: its allowed addresses are not a list of addresses',
    ],
    [
      { allowedAddresses: ['10.0.0.0/8', 'example.com'] },
      'key_1 is broken: its allowed addresses are not a list of addresses',
    ],
    [{ scopes: ['a b'] }, 'key_1 is broken: its scopes are not an array of scopes'],
  ])('with %j -> an error that says what is wrong', (changes, message) => {
    expect(() => check(changes)).toThrow(new Error(`the record of ${message}`));
  });
});
