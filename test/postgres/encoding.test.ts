import { beforeAll, describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { startDesk } from '../support/desk-app.js';
import { createDatabase } from '../support/postgres.js';
import { recordOf, storedKey } from '../support/stored-key.js';

const database = await createDatabase({ encoding: 'LATIN1' });
const store = new PostgresKeyStore({ client: database.pool() });
const keys = new ApiKeyManager({ store });
const now = new Date();

beforeAll(() => store.migrate());

describe('a database in LATIN1, and a text that it cannot hold', () => {
  it('a user -> refused in the words of the server, and no reason is added', async () => {
    const failure = await keys.create({ user: 'Ada €' }).catch((error: unknown) => error);

    expect(String(failure)).toMatch(/has no equivalent in encoding "LATIN1"$/);
  });

  it.each([{ search: '€' }, { user: 'Ada €' }])('a list by %o -> empty', async (filter) => {
    expect(await store.list({ ...filter, limit: 5, now })).toEqual([]);
  });

  it('an id -> unknown', async () => {
    expect(await store.get('key_€')).toBeUndefined();
    await expect(store.list({ cursor: 'key_€', limit: 5, now })).rejects.toMatchObject({
      code: 'unknown_key_id',
    });
    await expect(keys.revoke('key_€')).rejects.toMatchObject({ code: 'unknown_key_id' });
    await expect(keys.rotate('key_€')).rejects.toMatchObject({ code: 'unknown_key_id' });
    await expect(keys.revokeClaim('claim_€')).rejects.toMatchObject({ code: 'unknown_claim_id' });
    await expect(keys.listClaims({ cursor: 'claim_€' })).rejects.toMatchObject({
      code: 'unknown_claim_id',
    });
  });

  it('a search at the desk -> 200 and no keys', async () => {
    const { ask } = await startDesk({ keys });
    const reply = await ask('GET', `keys?search=${encodeURIComponent('€')}`);

    expect(reply).toMatchObject({ status: 200, json: { keys: [], next: null } });
  });

  it('a letter that it holds, but not in the other case -> found', async () => {
    const key = storedKey({ user: 'Nÿs' });
    await store.insert(key);

    expect(await store.list({ search: 'nÿS', limit: 5, now })).toEqual([recordOf(key)]);
  });
});
