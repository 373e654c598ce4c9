import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/keys/digest.js';
import {
  isOwnAnswer,
  isOwnSource,
  ownAnswer,
  SharedDigest,
  unknownKey,
} from '../../src/keys/own-source.js';
import { sampleKey } from '../support/sample-key.js';
import { ApiKeyManager, envKey, envKeyList, keyList, MemoryKeyStore } from '../../src/index.js';

const key = sampleKey('alice');

describe('the sources that take a digest', () => {
  it.each([
    ['envKey', envKey('UNSET_KEY')],
    ['envKeyList', envKeyList('UNSET_KEYS')],
    ['keyList', keyList({ alice: key })],
    ['a manager', new ApiKeyManager({ store: new MemoryKeyStore() })],
  ])('%s -> one of them', (_name, source) => {
    expect(isOwnSource(source)).toBe(true);
  });

  it('a source of an application -> not one of them', () => {
    expect(isOwnSource({ verify: () => undefined })).toBe(false);
  });
});

describe('a digest that is shared', () => {
  it('the key that it was made for -> its digest', () => {
    const shared = new SharedDigest(key);
    expect(SharedDigest.of(key, shared)).toBe(digestOf(key));
    expect(SharedDigest.of(key, shared)).toBe(digestOf(key));
  });

  it('another key, as after a method that changes it -> the digest of that key', () => {
    const shared = new SharedDigest(key);
    SharedDigest.of(key, shared);
    expect(SharedDigest.of('another', shared)).toBe(digestOf('another'));
  });

  it('none, or something else in its place -> the digest of the key', () => {
    expect(SharedDigest.of(key, undefined)).toBe(digestOf(key));
    expect(SharedDigest.of(key, {} as SharedDigest)).toBe(digestOf(key));
  });
});

describe('an answer of the library', () => {
  it('a result -> the same object, frozen and marked', () => {
    const result = { ok: false, code: 'expired_api_key' } as const;
    expect(ownAnswer(result)).toBe(result);
    expect(Object.isFrozen(result)).toBe(true);
    expect(isOwnAnswer(result)).toBe(true);
    expect(isOwnAnswer(unknownKey)).toBe(true);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  it.each<[string, unknown]>([
    ['a copy', { ...unknownKey }],
    ['an object that inherits from one', Object.create(unknownKey)],
    ['undefined', undefined],
    ['null', null],
    ['a string', 'alice'],
    ['a promise of one', Promise.resolve(unknownKey)],
  ])('%s -> not marked', (_what, answer) => {
    expect(isOwnAnswer(answer)).toBe(false);
  });
});
