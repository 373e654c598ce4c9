import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import * as source from '../../src/index.js';
import { arrive, callGuards } from '../support/call-guard.js';

type Library = typeof source;

// What `npm run build` makes, as an app loads it that mixes both kinds of module.
const module = (await import(
  new URL('../../dist/esm/index.js', import.meta.url).href
)) as unknown as Library;
const required = createRequire(import.meta.url)('../../dist/cjs/index.js') as Library;

const key = 'k'.repeat(32);
const copies = [
  ['a module and a required copy', module, required],
  ['a required copy and a module', required, module],
] as const;

it.each(copies)(
  'the guard and requireScopes of %s -> decide as those of one copy',
  async (_name, first, second) => {
    const guard = first.requireApiKey({
      source: () => ({ user: 'alice', scopes: ['read'] }),
    });
    const call = () => arrive({ 'X-API-Key': key });
    expect(await callGuards([guard, second.requireScopes('read')], call())).toBe('admitted');
    expect(await callGuards([guard, second.requireScopes('write')], call())).toBe(
      'insufficient_scope',
    );
    const optional = first.requireApiKey({ source: () => undefined, optional: true });
    expect(await callGuards([optional, second.requireScopes('read')], arrive())).toBe(
      'missing_api_key',
    );
  },
);

it.each(copies)(
  'a refusal of %s -> told by name and code, not by class',
  async (_name, first, second) => {
    const guard = first.requireApiKey({
      source: () => undefined,
      onRefused: (error, _req, _res, next) => next(error),
    });
    const error = await callGuards([guard], arrive({ 'X-API-Key': key }));
    expect(error).toMatchObject({ name: 'ApiKeyError', code: 'invalid_api_key' });
    expect(error).not.toBeInstanceOf(second.ApiKeyError);
  },
);
