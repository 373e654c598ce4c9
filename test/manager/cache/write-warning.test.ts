import { describe, expect, it } from 'vitest';
import { MemoryKeyStore } from '../../../src/index.js';
import { openManager } from '../../support/open-manager.js';
import { collectWarnings } from '../../support/warnings.js';

const warnings = collectWarnings();

describe('what could not be written', () => {
  it.each([
    ['a code -> the warning names it', 'row_level_security', ' (row_level_security)'],
    ['a code that is no code -> the warning leaves it out', 'key rak_secret', ''],
  ])('%s', async (_title, code, named) => {
    const { keys, store, codeOf } = openManager();
    store.touch = () => Promise.reject(Object.assign(new Error('rak_secret'), { code }));
    const mark = warnings.mark();
    await codeOf((await keys.create({ user: 'alice' })).key);
    await keys.close();
    expect(await warnings.since(mark)).toEqual([
      `lastUsedAt could not be written${named}; requests are not affected, it is tried again.`,
    ]);
  });

  it.each([
    ['no answer -> it is tried again', 'ETIMEDOUT', 'it is tried again'],
    [
      'a missing right -> where to find the grant',
      '42501',
      'the role has no right: see npx require-api-key doctor',
    ],
  ])('a fault of PostgreSQL: %s, for last uses and counts alike', async (_title, code, next) => {
    const { keys, store, codeOf } = openManager({ store: new MemoryKeyStore() });
    const fail = () =>
      Promise.reject(
        new Error('PostgresKeyStore: failed', {
          cause: Object.assign(new Error('of the driver'), { code }),
        }),
      );
    store.touch = fail;
    store.usage.add = fail;
    const mark = warnings.mark();
    await codeOf((await keys.create({ user: 'alice' })).key);
    await keys.close();
    expect(await warnings.since(mark)).toEqual([
      `lastUsedAt could not be written (${code}); requests are not affected, ${next}.`,
      `uses per day could not be written (${code}); requests are not affected, ${next}.`,
    ]);
  });
});
