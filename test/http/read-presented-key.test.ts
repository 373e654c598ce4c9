import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  isPresentable,
  readFromOneOf,
  readPresentedKey,
  stripHeader,
} from '../../src/http/presented-key.js';
import { keyHeaders } from '../../src/http/key-headers.js';
import { arrive, type Lines } from '../support/call-guard.js';

const read = (lines: Lines, scheme?: string, header = 'x-api-key') =>
  readPresentedKey(arrive(lines).req, header, scheme);
const refusal = (code: string, reason: string) => ({ code, reason });
const absent = refusal('missing_api_key', 'header_absent');
const blank = refusal('missing_api_key', 'header_blank');
const otherScheme = refusal('missing_api_key', 'other_scheme');
const repeated = refusal('invalid_api_key', 'repeated_header');
const tooLong = refusal('invalid_api_key', 'too_long');
const badCharacter = refusal('invalid_api_key', 'bad_character');

describe('reading a key that stands alone', () => {
  it.each<[string, Lines, unknown]>([
    ['a key', { 'X-API-Key': 'abc' }, 'abc'],
    ['512 characters', { 'X-API-Key': 'k'.repeat(512) }, 'k'.repeat(512)],
    [
      'a key beside a header whose name is as long',
      { 'X-API-Key': 'abc', 'X-API-Kez': 'abc' },
      'abc',
    ],
    ['no header', {}, absent],
    ['another header', { 'X-API-Kez': 'abc' }, absent],
    ['nothing', { 'X-API-Key': '' }, blank],
    ['blanks', { 'X-API-Key': ' \t ' }, blank],
    ['two lines', { 'X-API-Key': ['abc', 'abc'] }, repeated],
    ['513 characters', { 'X-API-Key': 'k'.repeat(513) }, tooLong],
    ['513 characters, one of them not allowed', { 'X-API-Key': `${'k'.repeat(512)} ` }, tooLong],
    ['a blank inside', { 'X-API-Key': 'a b' }, badCharacter],
    ['a comma', { 'X-API-Key': 'a,b' }, badCharacter],
    ['a character beyond ASCII', { 'X-API-Key': 'aé' }, badCharacter],
    ['a delete character', { 'X-API-Key': 'a\x7f' }, badCharacter],
  ])('%s -> as it should be', (_what, lines, expected) => {
    expect(read(lines)).toEqual(expected);
  });

  it.each<[string, boolean]>([
    ['!', true],
    ['~', true],
    ['+-', true],
    ['', false],
    [' ', false],
    [',', false],
    ['\x7f', false],
    ['k'.repeat(512), true],
    ['k'.repeat(513), false],
    [' a', false],
    ['a ', false],
  ])('%j -> presentable: %s', (key, expected) => {
    expect(isPresentable(key)).toBe(expected);
  });
});

describe('reading a key behind a scheme', () => {
  it.each<[string, unknown]>([
    ['Bearer abc', 'abc'],
    ['bEARER abc', 'abc'],
    ['Bearer   abc', 'abc'],
    ['Bearer', blank],
    ['Bearer ', blank],
    ['Bearer    ', blank],
    ['', blank],
    [' \t', blank],
    ['Bearerabc', otherScheme],
    ['Bearer\tabc', otherScheme],
    ['Basic abc', otherScheme],
    ['Bear', otherScheme],
    ['abc', otherScheme],
    [`Bearer ${'k'.repeat(512)}`, 'k'.repeat(512)],
    [`Bearer ${'k'.repeat(513)}`, tooLong],
    ['Bearer a b', badCharacter],
    ['Bearer a\tb', badCharacter],
  ])('%j -> %j', (value, expected) => {
    expect(read({ Authorization: value }, 'bearer', 'authorization')).toEqual(expected);
  });

  it('a second line that Node dropped -> repeated', () => {
    expect(read({ Authorization: ['Bearer a', 'Bearer b'] }, 'bearer', 'authorization')).toEqual(
      repeated,
    );
  });
});

describe('more lines than Node keeps', () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`X-${at}`, '1']));
  const readOf = (count: number, maxHeadersCount?: unknown) => {
    const { req } = arrive({ 'X-API-Key': 'abc', ...many(count - 1) });
    Object.assign(req.socket, { server: { maxHeadersCount } });
    return readPresentedKey(req, 'x-api-key', undefined);
  };

  it.each<[string, number, unknown, unknown]>([
    ['fewer than the default limit', 999, null, 'abc'],
    ['as many as the default limit', 1_000, null, repeated],
    ['fewer than a limit of its own', 59, 60, 'abc'],
    ['as many as a limit of its own', 60, 60, repeated],
    ['more than the default limit, and none set', 1_200, 0, 'abc'],
    ['fewer than a low limit', 19, 20, 'abc'],
    ['as many as a low limit', 20, 20, repeated],
  ])('%s -> as it should be', (_what, count, limit, expected) => {
    expect(readOf(count, limit)).toEqual(expected);
  });

  it('no server behind the socket -> the default limit', () => {
    const { req } = arrive({ 'X-API-Key': 'abc', ...many(998) });
    expect(readPresentedKey(req, 'x-api-key', undefined)).toBe('abc');
    req.rawHeaders.push('X-Last', '1');
    expect(readPresentedKey(req, 'x-api-key', undefined)).toEqual(repeated);
  });
});

describe('a request that something else made', () => {
  it('no raw header lines -> what its headers say', () => {
    const req = { headers: { 'x-api-key': 'abc' } } as never;
    expect(readPresentedKey(req, 'x-api-key', undefined)).toBe('abc');
    stripHeader(req, 'x-api-key');
    expect(req).toEqual({ headers: {} });
    expect(readPresentedKey(req, 'x-api-key', undefined)).toBe('abc');
  });

  it.each<[string, unknown, unknown]>([
    ['one line', { 'X-API-Key': ['good'] }, 'good'],
    ['two lines, of which the adapter kept the last', { 'X-API-Key': ['bad', 'good'] }, repeated],
    ['the same line twice', { 'x-api-key': ['good', 'good'] }, repeated],
    ['two spellings of the name', { 'X-API-Key': ['bad'], 'x-api-key': ['good'] }, repeated],
    ['other headers alone', { Host: ['a', 'b'] }, 'good'],
    ['a line that is no list', { 'X-API-Key': 'good' }, 'good'],
    ['lines that are no lists', { 'X-API-Key': 'bad', 'x-api-key': 'good' }, repeated],
    ['no line of the header', { 'X-API-Key': [] }, 'good'],
    ['text for lists', 'X-API-Key', 'good'],
    ['no lists of lines', null, 'good'],
  ])('the event of a function platform with %s -> as it should be', (_what, lists, expected) => {
    const req = Object.assign(new IncomingMessage(new Socket()), {
      headers: { 'x-api-key': 'good' },
      apiGateway: { event: { headers: { 'X-API-Key': 'good' }, multiValueHeaders: lists } },
    });
    expect(readPresentedKey(req, 'x-api-key', undefined)).toEqual(expected);
  });

  it.each([
    ['no socket', undefined],
    ['a socket of null', null],
    ['a socket without a server', {}],
  ])(
    'a request of an adapter with %s -> read all the same, up to the default limit',
    (_what, socket) => {
      const readOf = (lines: number) =>
        readPresentedKey(
          {
            headers: { 'x-api-key': 'good' },
            rawHeaders: ['X-API-Key', 'good', ...Array.from({ length: 2 * lines - 2 }, () => 'x')],
            socket,
          } as never,
          'x-api-key',
          undefined,
        );
      expect(readOf(999)).toBe('good');
      expect(readOf(1_000)).toEqual(repeated);
    },
  );

  it('lines that were joined, and no raw list -> refused', () => {
    const req = Object.assign(new IncomingMessage(new Socket()), {
      headers: { 'x-api-key': 'bad, good' },
    });
    expect(readPresentedKey(req, 'x-api-key', undefined)).toMatchObject({
      code: 'invalid_api_key',
    });
  });

  it('a header that is a list -> repeated', () => {
    expect(
      readPresentedKey({ headers: { 'x-api-key': ['a', 'b'] } } as never, 'x-api-key', undefined),
    ).toEqual(repeated);
  });
});

describe('a header that is taken out', () => {
  it('every form in which Node hands it over -> without it, the others untouched; read again, it is found', () => {
    const { req } = arrive({ Host: 'a', 'X-API-Key': 'abc', 'X-Other': 'x-api-key' });
    req.headersDistinct = { host: ['a'], 'x-api-key': ['abc'] };
    stripHeader(req, 'x-api-key');
    expect(req.headers).toEqual({ host: 'a', 'x-other': 'x-api-key' });
    expect(req.headersDistinct).toEqual({ host: ['a'] });
    expect(req.rawHeaders).toEqual(['Host', 'a', 'X-Other', 'x-api-key']);
    expect(readPresentedKey(req, 'x-api-key', undefined)).toBe('abc');
    expect(readPresentedKey(req, 'x-other-key', undefined)).toEqual(absent);
  });

  it('two lines -> both are gone, and stay a repetition', () => {
    const { req } = arrive({ 'X-API-Key': ['abc', 'def'], Host: 'a' });
    stripHeader(req, 'x-api-key');
    expect(req.rawHeaders).toEqual(['Host', 'a']);
    expect(readPresentedKey(req, 'x-api-key', undefined)).toEqual(repeated);
  });

  it('two headers, one after the other -> each is found again', () => {
    const { req } = arrive({ 'X-First': 'abc', 'X-Second': 'def' });
    stripHeader(req, 'x-first');
    stripHeader(req, 'x-second');
    stripHeader(req, 'x-first');
    expect(req.rawHeaders).toEqual([]);
    expect(readPresentedKey(req, 'x-first', undefined)).toBe('abc');
    expect(readPresentedKey(req, 'x-second', undefined)).toBe('def');
  });

  it('a header that did not come -> nothing changes', () => {
    const { req } = arrive({ Host: 'a' });
    stripHeader(req, 'x-api-key');
    expect(req.rawHeaders).toEqual(['Host', 'a']);
    expect(readPresentedKey(req, 'x-api-key', undefined)).toEqual(absent);
  });
});

describe('reading a key from one of several headers', () => {
  const headers = keyHeaders('a test', ['X-API-Key', { name: 'Authorization', scheme: 'Bearer' }]);

  it.each<[string, Lines, unknown]>([
    ['a key in the first', { 'X-API-Key': 'abc' }, 'abc'],
    ['a key in the second', { Authorization: 'Bearer abc' }, 'abc'],
    ['a key beside another scheme', { 'X-API-Key': 'abc', Authorization: 'Basic abc' }, 'abc'],
    ['a key beside a blank', { 'X-API-Key': ' ', Authorization: 'Bearer abc' }, 'abc'],
    ['two keys', { 'X-API-Key': 'abc', Authorization: 'Bearer abc' }, repeated],
    ['a key beside a bad one', { 'X-API-Key': 'abc', Authorization: 'Bearer a b' }, repeated],
    ['a bad one alone', { Authorization: 'Bearer a b' }, badCharacter],
    ['none', {}, absent],
    ['a blank in the second', { Authorization: 'Bearer ' }, blank],
    ['another scheme in the second', { Authorization: 'Basic abc' }, otherScheme],
    ['a blank, and another scheme', { 'X-API-Key': '', Authorization: 'Basic abc' }, blank],
  ])('%s -> as it should be', (_what, lines, expected) => {
    expect(readFromOneOf(arrive(lines).req, headers)).toEqual(expected);
  });
});
