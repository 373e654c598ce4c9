import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const load = (script: string, type: 'module' | 'commonjs') =>
  execFileSync(process.execPath, [`--input-type=${type}`, '--eval', script], {
    encoding: 'utf8',
  }).trim();

it('require-api-key/web, imported and required -> the pages, with their files, and no express loaded', () => {
  const serve = `
    const { ApiKeyManager, MemoryKeyStore } = library;
    const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
    const sent = [];
    const res = { setHeader() {}, end: (text) => sent.push(text) };
    for (const page of [web.claimPage({ keys }), web.keyDesk({ keys })]) page({ method: 'GET', url: '/', headers: {} }, res);
    setImmediate(() => console.log(Object.keys(web).sort().join(), sent.length, sent.every((text) => text.includes('<!doctype'))));`;
  const expected = 'accountKeys,claimPage,keyDesk 2 true';
  expect(
    load(
      `import * as library from 'require-api-key'; import * as web from 'require-api-key/web'; ${serve}`,
      'module',
    ),
  ).toBe(expected);
  const required = `const library = require('require-api-key'); const web = require('require-api-key/web');`;
  expect(load(required + serve, 'commonjs')).toBe(expected);
  expect(
    load(
      `${required} console.log(Object.keys(require.cache).some((file) => /express/.test(file)))`,
      'commonjs',
    ),
  ).toBe('false');
});
