import type { StoreCases } from './contract-case.js';
import assert from 'node:assert/strict';
import { at, makeKey } from './stored-key.js';

export const searchContract: StoreCases = {
  'a search -> the records with that text in user, name or key id, literally, in any case': async (
    store,
  ) => {
    // Fixed ids: random ones hold what is searched for now and then.
    const keys = {
      alice: makeKey({ keyId: 'key_XyZ0000001', user: 'Alice@Example.com', createdAt: at(3) }),
      named: makeKey({
        keyId: 'key_XyZ0000002',
        user: 'bob',
        name: '100 % (ÄRGER) [x]^$.*+?|{1}\\\\/-',
        createdAt: at(2),
      }),
      other: makeKey({ keyId: 'key_QrS0000003', user: 'bob', name: 'laptop', createdAt: at(1) }),
    };
    for (const key of Object.values(keys)) await store.insert(key);
    const found = async (search: string) => {
      const records = await store.list({ search, limit: 10, now: at(0) });
      return records.map(({ keyId }) => keyId);
    };
    for (const search of ['alice', 'LICE@e', 'example.COM']) {
      assert.deepEqual(await found(search), [keys.alice.keyId], search);
    }
    for (const search of ['ärger', 'ÄRGER', '% (', '[x]^$.*+?|{1}\\\\/-', '100 %']) {
      assert.deepEqual(await found(search), [keys.named.keyId], search);
    }
    assert.deepEqual(await found('qRs0000003'), [keys.other.keyId]);
    assert.deepEqual(await found('bob'), [keys.named.keyId, keys.other.keyId]);
    for (const search of [
      'b.b',
      '%',
      '_%_',
      'l*',
      '***:bob',
      '(?i)BOB',
      '\\u0062',
      'bob\\n',
      '\0',
    ]) {
      assert.deepEqual(await found(search), search === '%' ? [keys.named.keyId] : [], search);
    }
    assert.equal((await found('')).length, 3);
    const page = { search: 'bob', status: 'active', limit: 1, now: at(0) } as const;
    const [next, ...more] = await store.list({ ...page, cursor: keys.named.keyId });
    assert.deepEqual([next?.keyId, more], [keys.other.keyId, []]);
  },
};
