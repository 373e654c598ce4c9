import { describe, expect, it } from 'vitest';
import { describeDatabaseError } from '../../src/cli/database/database-error.js';
import { PostgresKeyStore } from '../../src/postgres.js';

const store = new PostgresKeyStore({ client: { query: async () => ({ rows: [] }) } });
const circumstances = {
  store,
  place: 'db.example/app',
  options: {},
  askRole: async () => 'app',
};
const describeError = async (error: unknown) =>
  (await describeDatabaseError(error, circumstances))?.message;

const failed = (message: string, properties: object = {}, cause?: unknown) =>
  Object.assign(new Error(`PostgresKeyStore: list failed: ${message}`, { cause }), properties);
const caused = (code: string) => Object.assign(new Error('of the system'), { code });

describe('what is said of an error of the database', () => {
  it.each([
    ['a code of its own', failed('whatever', { code: 'ETIMEDOUT' })],
    ['the code of its cause', failed('whatever', {}, caused('ETIMEDOUT'))],
    ['no code, from a pool', failed('timeout exceeded when trying to connect')],
    ['no code, from a connection', failed('Connection terminated due to connection timeout')],
  ])('no answer in time, by %s -> said so', async (_what, error) => {
    expect(await describeError(error)).toBe(
      'the database db.example/app cannot be used: no answer came in time',
    );
  });

  it.each([
    ['ECONNREFUSED', 'the connection was refused (nothing listens there)'],
    ['ENOTFOUND', 'no host has this name'],
    ['28P01', 'the user or the password is wrong'],
  ])('%s -> %s', async (code, why) => {
    expect(await describeError(failed('x', {}, caused(code)))).toContain(`cannot be used: ${why}`);
  });

  it('another code, none, or an error of something else -> its own words, or nothing', async () => {
    expect(await describeError(failed('permission denied', {}, caused('42501')))).toBe(
      'list failed: permission denied',
    );
    expect(await describeError(failed('odd'))).toBe('list failed: odd');
    expect(await describeError(new Error('odd'))).toBeUndefined();
    expect(await describeError(new TypeError('PostgresKeyStore: "table" must be'))).toBeUndefined();
  });
});
