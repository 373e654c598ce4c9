import { beforeAll, describe, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { keyStoreContract } from '../../src/testing.js';
import { clearTables, createDatabase } from '../support/postgres.js';

const client = (await createDatabase()).pool();

/** The contract asks for an empty store. */
async function open(): Promise<PostgresKeyStore> {
  await clearTables(client);
  return new PostgresKeyStore({ client });
}

describe('PostgresKeyStore', () => {
  beforeAll(() => new PostgresKeyStore({ client }).migrate());
  for (const { title, run } of keyStoreContract(open)) it(title, run);
});
