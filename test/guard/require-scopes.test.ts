import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { requireApiKey, requireScopes, type ApiKeyError } from '../../src/index.js';
import { arrive, callGuards } from '../support/call-guard.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const present = { 'X-API-Key': 'k'.repeat(32) };
const source = () => ({ user: 'alice', scopes: ['read'] });

/** What the guard passed to `onRefused` after the scopes were asked for. */
async function refusedBy(scopes: ReturnType<typeof requireScopes>): Promise<ApiKeyError> {
  const guard = requireApiKey({ source, onRefused: (error, _req, _res, next) => next(error) });
  return (await callGuards([guard, scopes], arrive(present))) as ApiKeyError;
}

describe('the arguments of requireScopes', () => {
  it.each<[string, () => unknown, string]>([
    ['none', () => requireScopes(), 'requireScopes: name at least one scope'],
    ['none of any', () => requireScopes.any(), 'requireScopes.any: name at least one scope'],
    [
      'undefined, as out of a misspelled name',
      () => requireScopes(undefined as never),
      'requireScopes: each argument must be',
    ],
    [
      'a function and a scope',
      () => requireScopes((() => ['read']) as never, 'write'),
      'requireScopes: each argument must be',
    ],
  ])('%s -> a TypeError that says what is wrong', (_what, make, message) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});

describe('a function that returns something else than scopes', () => {
  it.each<[string, unknown, string]>([
    ['a scope with a blank', ['read write'], 'an array of 1, not all of them scopes'],
    ['an empty array', [], 'an array of 0'],
    ['a string', 'read', 'a string of 4 characters'],
    ['nothing', undefined, 'undefined'],
    ['a promise', Promise.resolve(['read']), 'an object'],
  ])('%s -> the cause of the fault names it', async (_what, scopes, what) => {
    const made = [requireScopes(() => scopes as never), requireScopes.any(() => scopes as never)];
    for (const [index, name] of ['requireScopes', 'requireScopes.any'].entries()) {
      const { code, cause } = await refusedBy(made[index]!);
      expect(code).toBe('key_source_failed');
      expect((cause as Error).message).toBe(`${name}: the function returned ${what}`);
    }
  });

  it('the channel of faults -> told that requireScopes failed, and how', async () => {
    const told: unknown[] = [];
    const listener = (message: unknown) => void told.push(message);
    subscribe('require-api-key:fault', listener);
    onTestFinished(() => void unsubscribe('require-api-key:fault', listener));
    await refusedBy(requireScopes(() => 'read' as never));
    expect(told).toEqual([
      expect.objectContaining({ reason: 'source_threw', source: 'requireScopes' }),
    ]);
  });
});

describe('no guard before the route', () => {
  it('nothing on the request -> an error that says what to mount', async () => {
    const call = arrive();
    Object.assign(call.req, { [Symbol('somebody')]: {}, [Symbol()]: {} });
    expect(await callGuards([requireScopes('read')], call)).toMatchObject({
      name: 'TypeError',
      message: 'requireScopes: no guard stands before this route; mount requireApiKey() first',
    });
  });

  it.each([Symbol('require-api-key.guard'), Symbol.for('require-api-key.guard@2')])(
    'a guard that keeps itself under %s, another contract -> an error that says so',
    async (symbol) => {
      const call = arrive();
      Object.assign(call.req, { [symbol]: {}, apiKey: { user: 'alice', scopes: ['read'] } });
      expect(await callGuards([requireScopes('read')], call)).toMatchObject({
        name: 'TypeError',
        message:
          'requireScopes: the guard before this route comes from another version of ' +
          'require-api-key; install one version ("npm ls require-api-key" lists them)',
      });
    },
  );

  it('the guard of this version -> under a name that every copy of it finds', async () => {
    const call = arrive(present);
    expect(await callGuards([requireApiKey({ source })], call)).toBe('admitted');
    expect(Object.getOwnPropertySymbols(call.req)).toContain(Symbol.for('require-api-key.guard@1'));
  });
});
