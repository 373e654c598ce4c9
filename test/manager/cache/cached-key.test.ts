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
  ])('with %j -> an error that says what is wrong', (changes, message) => {
    expect(() => check(changes)).toThrow(new Error(`the record of ${message}`));
  });
});
