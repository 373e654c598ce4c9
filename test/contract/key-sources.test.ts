import { afterAll, describe, it } from 'vitest';
import {
  ApiKeyManager,
  digestApiKey,
  envKey,
  envKeyList,
  generateApiKey,
  keyList,
  MemoryKeyStore,
} from '../../src/index.js';
import { keySourceContract, type KeySourceUnderTest } from '../../src/testing.js';

const goodKey = generateApiKey().key;
const expiresAt = new Date(Date.now() - 1);

process.env.CONTRACT_KEY = digestApiKey(goodKey);
process.env.CONTRACT_KEYS = `bob:${generateApiKey().key},alice:${goodKey}`;
afterAll(() => {
  delete process.env.CONTRACT_KEY;
  delete process.env.CONTRACT_KEYS;
});

async function managed(): Promise<KeySourceUnderTest> {
  const source = new ApiKeyManager({ store: new MemoryKeyStore() });
  const { key } = await source.create({ user: 'alice' });
  const { key: expiredKey } = await source.create({ user: 'alice', expiresAt });
  const { key: revokedKey, record } = await source.create({ user: 'alice' });
  await source.revoke(record.keyId);
  return { source, goodKey: key, user: 'alice', expiredKey, revokedKey };
}

const sources: Record<string, () => KeySourceUnderTest | Promise<KeySourceUnderTest>> = {
  envKey: () => ({ source: envKey('CONTRACT_KEY', { user: 'alice' }), goodKey, user: 'alice' }),
  envKeyList: () => ({ source: envKeyList('CONTRACT_KEYS'), goodKey, user: 'alice' }),
  keyList: () => ({ source: keyList({ alice: goodKey, bob: 'another' }), goodKey, user: 'alice' }),
  ApiKeyManager: managed,
  'a function': () => ({
    source: async (key) => (key === goodKey ? 'alice' : undefined),
    goodKey,
    user: 'alice',
  }),
  'an object with a method': () => ({
    source: { verify: async (key: string) => (key === goodKey ? { user: 'alice' } : undefined) },
    goodKey,
    user: 'alice',
  }),
};

describe.each(Object.entries(sources))('%s', (_name, open) => {
  for (const { title, run } of keySourceContract(open)) it(title, run);
});
