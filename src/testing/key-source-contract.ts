import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { Request } from 'express';
import { readAnswer } from '../guard/read-answer.js';
import type { KeySource, VerifyKey, VerifyResult } from '../keys/key-source.js';
import { digestApiKey } from '../keys/digest.js';
import type { ContractCase } from './contract-case.js';

/** A source, with keys whose answers are known. */
export interface KeySourceUnderTest {
  /** The source that is tested. It may be only a function. */
  readonly source: KeySource | VerifyKey;
  /** A key that the source knows, of at least eight characters, letters among them. */
  readonly goodKey: string;
  /** The user of the key. */
  readonly user: string;
  /** A genuine key that has expired, if the source can tell. */
  readonly expiredKey?: string;
  /** A genuine key that was revoked, if the source can tell. */
  readonly revokedKey?: string;
}

const unknown = { ok: false, code: 'invalid_api_key' };

/**
 * The requirements for every key source, as cases for any test runner. `open` is called for each
 * case.
 *
 * The request that `verify` receives is an empty object with `headers`. Test a source that needs
 * more of it behind a server.
 */
export function keySourceContract(
  open: () => KeySourceUnderTest | Promise<KeySourceUnderTest>,
): ContractCase[] {
  const contract: Record<string, (test: KeySourceUnderTest) => Promise<void>> = {
    'the good key -> its user': async (test) => {
      const result = await ask(test, test.goodKey);
      assert.ok(result.ok, 'the good key is not known');
      assert.equal(result.apiKey.user, test.user);
    },

    'the good key again and at once -> the same identity each time': async (test) => {
      const results = await Promise.all(Array.from({ length: 20 }, () => ask(test, test.goodKey)));
      const keyIds = new Set(results.map((result) => result.ok && result.apiKey.keyId));
      assert.equal(keyIds.size, 1);
      assert.ok(!keyIds.has(false), 'the good key was not known each time');
    },

    'the identity -> holds neither the key nor its digest': async (test) => {
      const shown = inspect(await ask(test, test.goodKey), { depth: 9, showHidden: true });
      assert.ok(!shown.includes(test.goodKey), 'the identity holds the key');
      assert.ok(
        !shown.includes(digestApiKey(test.goodKey).slice(7)),
        'the identity holds the digest of the key',
      );
    },

    'the good key with any one character changed, cut or added -> not known': async (test) => {
      const { goodKey } = test;
      const changed = [...goodKey].map(
        (character, at) =>
          goodKey.slice(0, at) + (character === 'x' ? 'y' : 'x') + goodKey.slice(at + 1),
      );
      for (const key of [
        ...changed,
        goodKey.slice(1),
        goodKey.slice(0, -1),
        `x${goodKey}`,
        `${goodKey}x`,
      ]) {
        assert.deepEqual(await ask(test, key), unknown);
      }
    },

    'the good key in another case, doubled, or as its digest -> not known': async (test) => {
      const { goodKey } = test;
      const digest = digestApiKey(goodKey);
      const others = [
        goodKey.toUpperCase(),
        goodKey.toLowerCase(),
        goodKey + goodKey,
        digest,
        digest.slice(7),
      ];
      for (const key of others.filter((each) => each !== goodKey))
        assert.deepEqual(await ask(test, key), unknown);
    },

    'what is no key at all -> not known, and no fault': async (test) => {
      const { user } = test;
      const none = [
        '__proto__',
        'constructor',
        'undefined',
        'null',
        '*',
        '%',
        `'or'1'='1`,
        '${X}',
        'x'.repeat(512),
        user,
      ];
      for (const key of none) assert.deepEqual(await ask(test, key), unknown);
    },

    'an expired key -> expired_api_key': async (test) => {
      if (test.expiredKey === undefined) return;
      assert.equal(codeOf(await ask(test, test.expiredKey)), 'expired_api_key');
    },

    'a revoked key -> revoked_api_key': async (test) => {
      if (test.revokedKey === undefined) return;
      assert.equal(codeOf(await ask(test, test.revokedKey)), 'revoked_api_key');
    },

    'a source that holds a key -> says that it is configured': async (test) => {
      const source = objectOf(test);
      assert.notEqual(source.configured?.(), false);
      assert.notEqual(source.misconfigured?.(), true);
    },
  };
  return Object.entries(contract).map(([title, run]) => ({
    title,
    run: async () => run(await open()),
  }));
}

/** The answer as the guard would read it. */
async function ask(test: KeySourceUnderTest, presentedKey: string): Promise<VerifyResult> {
  const source = objectOf(test);
  const request = { headers: {} } as Request;
  const answer = await source.verify(presentedKey, request);
  return readAnswer(answer, presentedKey, source.name ?? 'custom');
}

const objectOf = ({ source }: KeySourceUnderTest): KeySource =>
  typeof source === 'function' ? { verify: source } : source;

const codeOf = (result: VerifyResult) => (result.ok ? 'admitted' : result.code);
