import { expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createNames } from '../../src/stores/postgres/names.js';
import { sha256Hex } from '../support/sample-key.js';

const client = { query: async () => ({ rows: [] }) };

it.each([
  ['no options', undefined, '"client" must be a pg Pool'],
  ['a client in place of the options', client, 'write new PostgresKeyStore({ client })'],
  ['no client', {}, '"client" must be a pg Pool'],
  [
    'a connection string for the client',
    { client: 'postgres://me:secret@db' },
    'a string of 23 characters',
  ],
  ['a client that cannot query', { client: {} }, '"client" must be'],
  ['a client of null', { client: null }, '"client" must be'],
  ['an unknown option', { client, tabel: 'x' }, 'did you mean "table"?'],
  ['an empty table', { client, table: '' }, '"table" must be a name of 1 to 43 bytes'],
  ['a table of 44 bytes', { client, table: 'é'.repeat(22) }, '"table" must be'],
  [
    'a schema of 64 bytes',
    { client, schema: 's'.repeat(64) },
    '"schema" must be a name of 1 to 63 bytes',
  ],
  ['a NUL in the schema', { client, schema: 'a\0b' }, '"schema" must be'],
  [
    'a timeout of none',
    { client, queryTimeoutMs: 0 },
    '"queryTimeoutMs" must be an integer from 1 to 60000',
  ],
  ['a heartbeat of text', { client, heartbeatMs: '5s' }, '"heartbeatMs" must be an integer'],
])('%s -> a TypeError that names the option and no value', (_what, options, message) => {
  const make = () => new PostgresKeyStore(options as never);

  expect(make).toThrow(TypeError);
  expect(make).toThrow(message);
  expect(make).not.toThrow(/secret/);
});

it('a client that can only query -> a store that does not watch', () => {
  expect(
    new PostgresKeyStore({ client, schema: undefined, table: undefined }).watch,
  ).toBeUndefined();
});

it.each([
  ['public', 'api_keys', 'require_api_key:public.api_keys'],
  ['My "schema"', 'keys', 'require_api_key:My "schema".keys'],
  [
    's'.repeat(63),
    't'.repeat(43),
    `require_api_key:${sha256Hex(`${'s'.repeat(63)}.${'t'.repeat(43)}`).slice(0, 32)}`,
  ],
])('the channel of %s.%s -> as documented, at most 63 bytes', (schema, table, channel) => {
  const found = createNames(schema, table).channel;

  expect(found).toBe(channel);
  expect(Buffer.byteLength(found)).toBeLessThanOrEqual(63);
});

it('watch: false -> no watch: nothing listens and nothing beats; anything but a truth value is refused', () => {
  const listening = { ...client, connect: async () => {}, on: () => {}, totalCount: 0 };
  expect(new PostgresKeyStore({ client: listening }).watch).toBeTypeOf('function');
  expect(new PostgresKeyStore({ client: listening, watch: false }).watch).toBeUndefined();
  expect(() => new PostgresKeyStore({ client, watch: 'no' as never })).toThrow('"watch" must be');
});
