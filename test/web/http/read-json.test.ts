import { afterEach, describe, expect, it, vi } from 'vitest';
import { readJson } from '../../../src/web/http/read-json.js';
import { arrive, type Lines } from '../../support/call-guard.js';

const json = { 'Content-Type': 'application/json' };
const maxBytes = 10_000;

/** A request whose body comes in these chunks, or has been parsed by the application. */
function send(chunks: readonly (string | Buffer)[], lines: Lines = json) {
  const { req } = arrive(lines, 'POST');
  for (const chunk of chunks) req.push(chunk);
  req.push(null);
  return req;
}

const refusal = (code: string) => expect.objectContaining({ code }) as unknown;

afterEach(() => void vi.useRealTimers());

describe('the type of a body', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    'application/json ; charset="UTF-8"',
  ])('%s -> read', async (type) => {
    expect(await readJson(send(['{}'], { 'Content-Type': type }), maxBytes)).toEqual({});
  });

  it.each<[string, Lines]>([
    ['none', {}],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['a text that mentions it', { 'Content-Type': 'text/plain; application/json' }],
    ['a longer name', { 'Content-Type': 'application/jsonx' }],
    ['another character set', { 'Content-Type': 'application/json; charset=latin1' }],
    ['more behind it', { 'Content-Type': 'application/json; charset=utf-8; a=b' }],
    ['a compressed one', { ...json, 'Content-Encoding': 'gzip' }],
  ])('%s -> unsupported_media_type, and the body is let run out', async (_what, lines) => {
    const req = send(['{}'], lines);
    await expect(readJson(req, maxBytes)).rejects.toEqual(refusal('unsupported_media_type'));
    expect(req.readableFlowing).toBe(true);
  });
});

describe('a body', () => {
  it.each<[string, readonly (string | Buffer)[], unknown]>([
    ['in one chunk', ['{"a":1}'], { a: 1 }],
    [
      'in two, with a character cut in half',
      [Buffer.from('{"a":"é"}').subarray(0, 7), Buffer.from('{"a":"é"}').subarray(7)],
      { a: 'é' },
    ],
    ['longer than the first buffer', [`{"a":"${'b'.repeat(9_000)}"}`], { a: 'b'.repeat(9_000) }],
    [
      'of just as much as allowed',
      [`{"a":"${'b'.repeat(maxBytes - 8)}"}`],
      { a: 'b'.repeat(maxBytes - 8) },
    ],
  ])('%s -> read', async (_what, chunks, value) => {
    expect(await readJson(send(chunks), maxBytes)).toEqual(value);
  });

  it.each<[string, readonly (string | Buffer)[]]>([
    ['nothing', []],
    ['half of an object', ['{"a":']],
    ['an array', ['[]']],
    ['null', ['null']],
    ['a string', ['"a"']],
    ['bytes that are not UTF-8', [Buffer.from([0x22, 0xff, 0x22])]],
    ['a byte order mark and no more', ['\ufeff']],
  ])('%s -> malformed_request', async (_what, chunks) => {
    await expect(readJson(send(chunks), maxBytes)).rejects.toEqual(refusal('malformed_request'));
  });

  it.each<[string, readonly string[], Lines]>([
    ['one byte too many', ['b'.repeat(maxBytes + 1)], json],
    ['one byte too many in its last chunk', ['b'.repeat(maxBytes), 'b'], json],
    ['a length that says so', [], { ...json, 'Content-Length': String(maxBytes + 1) }],
  ])('%s -> content_too_large, and the rest is discarded', async (_what, chunks, lines) => {
    const req = send(chunks, lines);
    await expect(readJson(req, maxBytes)).rejects.toEqual(refusal('content_too_large'));
    expect(req.readableFlowing).toBe(true);
    expect(req.listenerCount('data')).toBe(0);
  });

  it('a length of just as much as allowed -> read', async () => {
    const req = send(['{}'], { ...json, 'Content-Length': String(maxBytes) });
    expect(await readJson(req, maxBytes)).toEqual({});
  });
});

describe('a body that the application has parsed', () => {
  it.each<[string, unknown, unknown]>([
    ['an object', { a: 1 }, { a: 1 }],
    ['a text', '{"a":1}', { a: 1 }],
    ['bytes', Buffer.from('{"a":1}'), { a: 1 }],
  ])('%s -> taken', async (_what, body, value) => {
    const req = send([]);
    for await (const chunk of req) void chunk;
    expect(await readJson(Object.assign(req, { body }), maxBytes)).toEqual(value);
  });

  it.each([undefined, null, [], 7, 'a', Buffer.from('[]')])(
    '%j -> malformed_request',
    async (body) => {
      const req = send([]);
      for await (const chunk of req) void chunk;
      await expect(readJson(Object.assign(req, { body }), maxBytes)).rejects.toEqual(
        refusal('malformed_request'),
      );
    },
  );
});

describe('a body that does not end', () => {
  const begin = () => {
    const { req } = arrive(json, 'POST');
    req.push('{');
    return req;
  };

  it('ten seconds -> malformed_request, and not before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let outcome: unknown;
    void readJson(begin(), maxBytes).catch((error: unknown) => (outcome = error));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome).toEqual(refusal('malformed_request'));
  });

  it.each<[string, (req: ReturnType<typeof begin>) => void]>([
    ['the client goes', (req) => req.emit('close')],
    ['the connection fails', (req) => req.emit('error', new Error('reset'))],
  ])('%s -> malformed_request at once, and no timer is left', async (_what, happen) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const req = begin();
    const read = readJson(req, maxBytes);
    const refused = expect(read).rejects.toEqual(refusal('malformed_request'));
    happen(req);
    await refused;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('one that ends -> no timer is left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { req } = arrive(json, 'POST');
    const read = readJson(req, maxBytes);
    req.push('{}');
    req.push(null);
    expect(await read).toEqual({});
    expect(vi.getTimerCount()).toBe(0);
  });
});
