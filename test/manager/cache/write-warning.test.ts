import { describe, expect, it } from 'vitest';
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
});
