import { beforeAll, describe, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { keyStoreContract } from '../../src/testing.js';
import { createDatabase } from '../support/postgres.js';

const client = (await createDatabase()).pool();
let tables = 0;

/** A table of its own for each case, as the contract asks for an empty store. */
async function open(): Promise<PostgresKeyStore> {
  const store = new PostgresKeyStore({ client, table: `keys_${tables++}` });
  await store.migrate();
  return store;
}

describe('PostgresKeyStore', () => {
  beforeAll(async () => void (await client.query('select 1')));
  for (const { title, run } of keyStoreContract(open)) it(title, run);
});
