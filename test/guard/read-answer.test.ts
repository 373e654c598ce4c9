import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../src/guard/read-answer.js';

const key = 'Key-Of-Alice-0123456789';
const digest = createHash('sha256').update(key).digest('hex');
const read = (answer: unknown) => readAnswer(answer as never, key, 'table');
const identity = { keyId: 'alice', user: 'alice', scopes: [], source: 'table', metadata: {} };
const at = new Date(Date.UTC(2020, 0, 1));
const ahead = new Date(Date.now() + 3_600_000);

describe('an answer that admits', () => {
  it.each<[unknown, object]>([
    [true, { ...identity, keyId: 'default', user: 'default' }],
    ['alice', identity],
    [{ user: 'alice' }, identity],
    [{ ok: true, apiKey: { user: 'alice' } }, identity],
    [
      {
        user: 'alice',
        keyId: null,
        name: null,
        scopes: null,
        createdAt: null,
        metadata: null,
        revokedAt: null,
      },
      identity,
    ],
    [
      {
        user: 'alice',
        keyId: 'k',
        name: 'n',
        scopes: ['s'],
        createdAt: at,
        expiresAt: ahead,
        metadata: { a: 1 },
      },
      {
        ...identity,
        keyId: 'k',
        name: 'n',
        scopes: ['s'],
        createdAt: at,
        expiresAt: ahead,
        metadata: { a: 1 },
      },
    ],
  ])('%j -> that identity and no more', (answer, apiKey) => {
    expect(read(answer)).toEqual({ ok: true, apiKey });
  });
});

describe('an answer that refuses', () => {
  it.each([
    undefined,
    null,
    false,
    { ok: false, code: 'invalid_api_key', keyId: 'k', user: 'alice' },
  ])('%j -> unknown, and nobody is named', (answer) => {
    expect(read(answer)).toEqual({ ok: false, code: 'invalid_api_key' });
  });

  it.each(['expired_api_key', 'revoked_api_key', 'paused_api_key', 'address_not_allowed'])(
    'a source answers %s -> refused with that code, and with the key id and user that it names',
    (code) => {
      expect(read({ ok: false, code })).toEqual({ ok: false, code });
      expect(read({ ok: false, code, keyId: 'k' })).toEqual({ ok: false, code, keyId: 'k' });
      expect(read({ ok: false, code, user: 'alice' })).toEqual({ ok: false, code, user: 'alice' });
    },
  );

  it.each([key, `key ${key}`, digest, 7, '', 'a\nb'])(
    'a source refuses and names the key id or user %j -> the name is left out',
    (name) => {
      for (const who of [{ keyId: name }, { user: name }])
        expect(read({ ok: false, code: 'revoked_api_key', ...who })).toEqual({
          ok: false,
          code: 'revoked_api_key',
        });
    },
  );

  it('an identity that is revoked or expired -> that, with whom it names', () => {
    const who = { keyId: 'k', user: 'alice' };
    expect(read({ ...who, revokedAt: ahead })).toEqual({
      ok: false,
      code: 'revoked_api_key',
      ...who,
    });
    expect(read({ ...who, expiresAt: at })).toEqual({ ok: false, code: 'expired_api_key', ...who });
  });
});

describe('an answer that is none', () => {
  it.each<[unknown, string]>([
    [7, 'a number'],
    [() => 'alice', 'a function'],
    [{ ok: 1 }, 'a result with an unknown "ok" or "code"'],
    [{ ok: null, user: 'alice' }, 'a result with an unknown "ok" or "code"'],
    [{ ok: null, code: 'revoked_api_key' }, 'a result with an unknown "ok" or "code"'],
    [{ ok: false, code: 'gone' }, 'a result with an unknown "ok" or "code"'],
    [{ ok: true }, 'a result without an identity'],
    [{ ok: true, apiKey: null }, 'a result without an identity'],
    [{ ok: true, apiKey: 'alice' }, 'a result without an identity'],
    [
      { user: '' },
      'an identity whose "user" is not a string, not blank, without control characters',
    ],
    [
      { user: 'alice', keyId: 7 },
      'an identity whose "keyId" is not a string, not blank, without control characters',
    ],
    [
      { user: 'alice', name: '' },
      'an identity whose "name" is not a string, not blank, without control characters',
    ],
    [{ user: 'alice', scopes: 'a' }, 'an identity whose "scopes" are not an array of scopes'],
    [{ user: 'alice', createdAt: 7 }, 'an identity whose "createdAt" is not a valid Date'],
    [{ user: 'alice', expiresAt: 'never' }, 'an identity whose "expiresAt" is not a valid Date'],
    [
      { user: 'alice', revokedAt: new Date(Number.NaN) },
      'an identity whose "revokedAt" is not a valid Date',
    ],
    [{ user: 'alice', metadata: 'text' }, 'an identity whose "metadata" is not an object'],
    [{ user: 'alice', metadata: [] }, 'an identity whose "metadata" is not an object'],
    [key, 'an identity that holds the presented key or its digest'],
    [{ user: 'alice', keyId: key }, 'an identity that holds the presented key or its digest'],
    [{ user: 'alice', name: digest }, 'an identity that holds the presented key or its digest'],
    [{ user: 'alice', scopes: [key] }, 'an identity that holds the presented key or its digest'],
    [
      { user: 'alice', metadata: { key } },
      'an identity that holds the presented key or its digest',
    ],
    [{ user: `row(${key})` }, 'an identity that holds the presented key or its digest'],
    [
      { user: 'alice', metadata: { row: `sha256:${digest.toUpperCase()}` } },
      'an identity that holds the presented key or its digest',
    ],
  ])('%j -> a TypeError that says why', (answer, why) => {
    expect(() => read(answer)).toThrow(new TypeError(`the key source answered ${why}`));
  });

  it.each([
    ['a part of the key', { user: key.slice(1) }],
    [
      'the key in another case',
      { user: key.toLowerCase() === key ? key.toUpperCase() : key.toLowerCase() },
    ],
    ['another text as long as a digest', { user: 'a'.repeat(64) }],
    ['a value that is no text', { user: 'alice', metadata: { n: 7, none: null } }],
  ])('an identity with %s -> taken', (_what, answer) => {
    expect(read(answer)).toMatchObject({ ok: true });
  });

  it.each([
    ['has no JSON', { toJSON: () => undefined }],
    ['cannot be written as JSON', { count: 1n }],
  ])('an identity with metadata that %s -> taken', (_what, metadata) => {
    expect(read({ user: 'alice', metadata })).toMatchObject({ ok: true });
    expect(() => read({ user: key, metadata })).toThrow(/holds the presented key/);
  });

  it('a key of eight characters within a word -> taken; alone -> a fault; of nine within a word -> a fault', () => {
    const readAs = (presented: string, user: string) => () => readAnswer(user, presented, 'own');
    expect(readAs('aaaabbbb', 'xaaaabbbb')).not.toThrow();
    expect(readAs('aaaabbbb', 'aaaabbbb')).toThrow(TypeError);
    expect(readAs('aaaabbbbc', 'xaaaabbbbc')).toThrow(TypeError);
  });
});
