import { describe, expect, it } from 'vitest';
import {
  assertNoApiKey,
  findUser,
  readScopes,
  readUser,
} from '../../../src/web/account/account-user.js';
import { accountKeys } from '../../../src/web.js';
import { arrive } from '../../support/call-guard.js';
import { memoryKeys } from '../../support/web-app.js';

const { req } = arrive();
const down = new Error('the session store is down');
const fail = (error: unknown) => () => {
  throw error;
};

describe('the user of a request', () => {
  it.each([undefined, null])('userOf gives %s -> nobody is logged in', async (nobody) => {
    expect(await findUser(req, () => nobody)).toBeUndefined();
    await expect(readUser(req, () => nobody)).rejects.toMatchObject({ code: 'not_logged_in' });
  });

  it.each<[string, () => string | Promise<string>]>([
    ['a name', () => 'alice'],
    ['a promise of one', async () => 'alice'],
  ])('userOf gives %s -> that user', async (_what, userOf) => {
    expect(await findUser(req, userOf)).toBe('alice');
    expect(await readUser(req, userOf)).toBe('alice');
  });

  it.each<[string, unknown, string]>([
    [
      'an empty name',
      '',
      'a string, not blank, without control characters, or undefined; it gave an empty string',
    ],
    [
      'a number',
      7,
      'a string, not blank, without control characters, or undefined; it gave a number',
    ],
    [
      'a long name',
      'a'.repeat(257),
      'at most 256 characters long, or undefined; it gave a string of 257 characters',
    ],
  ])('userOf gives %s -> an error that says what it must give', async (_what, user, expected) => {
    await expect(findUser(req, () => user as string)).rejects.toThrow(
      `accountKeys: "userOf" must give a user's name, ${expected}`,
    );
  });

  it('userOf throws -> an error that names it, with the cause', async () => {
    const failure = await findUser(req, fail(down)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message: 'accountKeys: "userOf" failed: the session store is down',
      cause: down,
    });
  });

  it('userOf throws what is no error -> an error all the same', async () => {
    await expect(findUser(req, fail('down'))).rejects.toMatchObject({
      message: 'accountKeys: "userOf" failed',
      cause: 'down',
    });
  });
});

describe('the scopes of a user', () => {
  it('no scopesFor -> none', async () => {
    expect(await readScopes('alice', req, undefined)).toEqual([]);
  });

  it('scopesFor names one twice -> once, and it was asked with the user and the request', async () => {
    const asked: unknown[] = [];
    const scopesFor = async (...of: unknown[]) => {
      asked.push(of);
      return ['read', 'write', 'read'];
    };
    expect(await readScopes('alice', req, scopesFor)).toEqual(['read', 'write']);
    expect(asked).toEqual([['alice', req]]);
  });

  it.each<[unknown, string]>([
    ['read', 'a string of 4 characters'],
    [['a b'], 'an array of 1'],
    [undefined, 'undefined'],
  ])('scopesFor gives %j -> an error that says what it must give', async (scopes, received) => {
    await expect(readScopes('alice', req, () => scopes as string[])).rejects.toThrow(
      'accountKeys: "scopesFor" must give an array of scopes without blanks, quotes or ' +
        `backslashes; it gave ${received}`,
    );
  });

  it('scopesFor throws -> an error that names it', async () => {
    await expect(readScopes('alice', req, fail(down))).rejects.toThrow(
      'accountKeys: "scopesFor" failed: the session store is down',
    );
  });
});

it('a request that a guard has admitted -> refused; another -> not', () => {
  const admitted = Object.assign(arrive().req, { apiKey: { user: 'alice' } as never });
  expect(() => assertNoApiKey(admitted)).toThrow(
    expect.objectContaining({ code: 'key_cannot_manage_keys' }),
  );
  expect(() => assertNoApiKey(req)).not.toThrow();
});

it.each<[object, string]>([
  [{}, 'accountKeys: "keys" must be'],
  [{ keys: memoryKeys() }, 'accountKeys: "userOf" must be a function'],
  [{ maxKeys: 0 }, 'accountKeys: "maxKeys" must be an integer from 1 to 1000000; received 0'],
  [{ overlapMs: -1 }, 'accountKeys: "overlapMs" must be an integer from 0 to 31536000000'],
  [{ header: 'a b' }, 'accountKeys: "header" must be'],
])('accountKeys of %j -> an error that begins with its name', (options, message) => {
  const others =
    'keys' in options || Object.keys(options).length === 0
      ? {}
      : { keys: memoryKeys(), userOf: () => 'alice' };
  expect(() => accountKeys({ ...others, ...options } as never)).toThrow(message);
});
