import { describe, it } from 'vitest';
import { keyStoreContract } from '../../src/testing.js';
import { openStore } from '../support/sqlite.js';

describe('SqliteKeyStore', () => {
  for (const { title, run } of keyStoreContract(() => openStore())) it(title, run);
});
