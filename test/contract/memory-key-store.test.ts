import { describe, it } from 'vitest';
import { MemoryKeyStore } from '../../src/index.js';
import { keyStoreContract } from '../../src/testing.js';

describe('MemoryKeyStore', () => {
  for (const { title, run } of keyStoreContract(() => new MemoryKeyStore())) it(title, run);
});
