import { IncomingMessage, ServerResponse, type OutgoingHttpHeader } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { appendVary, keepPrivate, setHeaders } from '../../src/http/response-headers.js';

function response(headers: Readonly<Record<string, OutgoingHttpHeader>> = {}, isSent = false) {
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (isSent) res.flushHeaders();
  return res;
}

describe('appendVary', () => {
  it.each<[OutgoingHttpHeader | undefined, OutgoingHttpHeader]>([
    [undefined, 'X-API-Key'],
    ['X-API-Key', 'X-API-Key'],
    ['Origin', 'Origin, X-API-Key'],
    ['Origin , Accept', 'Origin , Accept, X-API-Key'],
    [['Origin', 'Accept'], 'Origin, Accept, X-API-Key'],
    [
      ['Origin', 'X-API-Key'],
      ['Origin', 'X-API-Key'],
    ],
    ['Origin,x-api-key', 'Origin,x-api-key'],
    ['Origin , X-Api-KEY , Accept', 'Origin , X-Api-KEY , Accept'],
    ['*', '*'],
    ['Origin, *', 'Origin, *'],
    ['X-API-Keys', 'X-API-Keys, X-API-Key'],
  ])('to %j -> %j', (existing, expected) => {
    const res = response(existing === undefined ? {} : { Vary: existing });
    appendVary(res, 'X-API-Key');
    expect(res.getHeader('Vary')).toEqual(expected);
  });

  it('headers sent already -> left alone', () => {
    expect(() => appendVary(response({}, true), 'X-API-Key')).not.toThrow();
  });
});

describe('setHeaders', () => {
  it('other headers -> replaced; Vary -> added to', () => {
    const res = response({ 'Cache-Control': 'public', Vary: 'Origin' });
    setHeaders(res, { 'Cache-Control': 'no-store', Vary: 'X-API-Key', 'Retry-After': '5' });
    expect(res.getHeaders()).toEqual({
      'cache-control': 'no-store',
      vary: 'Origin, X-API-Key',
      'retry-after': '5',
    });
  });

  it('what stands there already -> not set again', () => {
    const res = response({ 'Cache-Control': 'no-store', Vary: 'X-API-Key' });
    const set = vi.spyOn(res, 'setHeader');
    setHeaders(res, { 'Cache-Control': 'no-store', Vary: 'X-API-Key' });
    expect(set).not.toHaveBeenCalled();
  });

  it('headers sent already -> left alone', () => {
    expect(() => setHeaders(response({}, true), { 'Retry-After': '5' })).not.toThrow();
  });
});

describe('keepPrivate', () => {
  it.each([
    [undefined, 'private'],
    ['public, max-age=60', 'private'],
    ['max-age=60', 'private'],
    ['no-store', 'no-store'],
    ['No-Store', 'No-Store'],
    ['max-age=60, private', 'max-age=60, private'],
  ])('Cache-Control %j -> %j', (existing, expected) => {
    const res = response(existing === undefined ? {} : { 'Cache-Control': existing });
    keepPrivate(res);
    expect(res.getHeader('Cache-Control')).toBe(expected);
  });

  it('headers sent already -> left alone', () => {
    expect(() => keepPrivate(response({}, true))).not.toThrow();
  });
});
