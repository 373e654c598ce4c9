import { once } from 'node:events';
import { connect } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeKey, startAccount, type AccountAppOptions } from '../../support/account-app.js';
import { watchUnhandled } from '../../support/unhandled.js';
import { expectWebProblem } from '../../support/web-app.js';

const maxBytes = 65_536;

afterEach(() => void vi.useRealTimers());

/** Asks for a key as alice, with a body as it is. */
async function start(options: AccountAppOptions = {}) {
  const app = await startAccount(options);
  const post = (body: string, headers: Record<string, string> = {}) =>
    app.as('alice')('POST', 'keys', {
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    });
  return { ...app, post };
}

describe('the body of a change', () => {
  it.each([
    'application/json',
    'application/json;charset=utf-8',
    'application/json; charset=utf-8',
    'Application/JSON ; charset="UTF-8"',
  ])('as %s -> read', async (type) => {
    const { post } = await start();
    expect((await post('{"name":"x"}', { 'Content-Type': type })).status).toBe(201);
  });

  it.each<Record<string, string>>([
    { 'Content-Type': 'application/json; charset=latin1' },
    { 'Content-Type': 'application/json; charset=utf-8; x=y' },
    { 'Content-Type': 'text/application/json' },
    { 'Content-Type': 'application/jsonp' },
    { 'Content-Encoding': 'gzip' },
    { 'Content-Encoding': 'identity' },
  ])('with %j -> 415, and no key', async (headers) => {
    const { keys, post } = await start();
    const reply = await post('{"name":"x"}', headers);
    expectWebProblem(reply, 415, 'unsupported_media_type');
    expect(await keys.list()).toEqual([]);
  });

  it.each(['null', '7', '"x"', '[]', '{', '', '{"name":"x"} y', '{"name":"\xff"}'])(
    'that is %j in single bytes -> 400, and no key',
    async (text) => {
      const { keys, port } = await start();
      const bytes = Buffer.from(text, 'latin1');
      expect(await sendBytes(port, bytes, `Content-Length: ${bytes.length}`)).toMatch(
        /^HTTP\/1\.1 400 .*"malformed_request"/s,
      );
      expect(await keys.list()).toEqual([]);
    },
  );

  it.each<Record<string, string>>([{}, { 'Transfer-Encoding': 'chunked' }])(
    'as long as can be with %j -> read; one byte longer -> 413, and no key',
    async (headers) => {
      const { keys, post } = await start();
      const attempt = (length: number) => post('{"name":"x"}'.padEnd(length), headers);
      expectWebProblem(await attempt(maxBytes + 1), 413, 'content_too_large');
      expect(await keys.list()).toEqual([]);
      expect((await attempt(maxBytes)).status).toBe(201);
    },
  );

  it('that says how long it is, and too long -> 413 before any of it has come', async () => {
    const { port } = await start();
    const answer = await sendBytes(port, Buffer.alloc(0), `Content-Length: ${maxBytes + 1}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('that does not come within ten seconds -> 400, and no key', async () => {
    let begun = () => {};
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    const userOf = () => {
      setImmediate(begun);
      return 'alice';
    };
    const { keys, port } = await start({ account: { userOf } });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const settled = vi.fn();
    const answer = sendBytes(port, Buffer.from('{"name":'), 'Content-Length: 12');
    void answer.then(settled);
    await isBegun;
    await vi.advanceTimersByTimeAsync(9_999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toMatch(/^HTTP\/1\.1 400 .*"malformed_request"/s);
    expect(await keys.list()).toEqual([]);
  });

  it('that was read in time -> no timer is left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { post } = await start();
    const before = vi.getTimerCount();
    expect((await post('{"name":"x"}')).status).toBe(201);
    expectWebProblem(await post('{'), 400, 'malformed_request');
    expectWebProblem(await post(' '.repeat(maxBytes + 1)), 413, 'content_too_large');
    expect(vi.getTimerCount()).toBe(before);
  });

  it('whose client goes away in the middle -> no key, and nothing unhandled', async () => {
    const unhandled = watchUnhandled();
    const closed = vi.fn();
    const { keys, port, post } = await start({
      before: [(req, _res, next) => (req.once('close', closed), next())],
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(head('Content-Length: 12') + '{"name":');
    await new Promise((resolve) => void setTimeout(resolve, 50));
    socket.destroy();
    await vi.waitFor(() => expect(closed).toHaveBeenCalled());
    expect(await unhandled.settled()).toEqual([]);
    expect(await keys.list()).toEqual([]);
    expect((await post('{"name":"x"}')).status).toBe(201);
  });
});

describe('a body that the application has read before', () => {
  it.each([
    ['express.json', express.json()],
    ['express.text', express.text({ type: '*/*' })],
    ['express.raw', express.raw({ type: '*/*' })],
  ])('%s -> taken from there', async (_name, parser) => {
    const { as, keys, post } = await start({ before: [parser] });
    await makeKey(as('alice'), { name: 'from there' });
    expect(await keys.list()).toMatchObject([{ name: 'from there' }]);
    for (const text of ['[]', '["name"]', '{"name":7}'])
      expectWebProblem(await post(text), 400, 'malformed_request');
    expect(await keys.list()).toHaveLength(1);
  });

  it.each([
    ['express.text', express.text({ type: '*/*' })],
    ['express.raw', express.raw({ type: '*/*' })],
  ])('%s, and no JSON in it -> 400', async (_name, parser) => {
    const { post } = await start({ before: [parser] });
    for (const text of ['{', 'null', '7'])
      expectWebProblem(await post(text), 400, 'malformed_request');
  });

  it('a reader that leaves nothing -> 400, and no key', async () => {
    const { keys, post } = await start({
      before: [
        (req, _res, next) => {
          req.resume();
          req.once('end', () => setImmediate(next));
        },
      ],
    });
    expectWebProblem(await post('{"name":"x"}'), 400, 'malformed_request');
    expect(await keys.list()).toEqual([]);
  });
});

describe('where a change comes from, if the browser says no more than Origin', () => {
  const refused = 403;
  const done = 201;

  it.each<[string, string, number]>([
    ['http://portal.example', 'portal.example', done],
    ['http://portal.example', 'portal.example:80', done],
    ['https://portal.example', 'portal.example', done],
    ['https://portal.example', 'portal.example:443', done],
    ['http://portal.example:8080', 'portal.example:8080', done],
    ['http://PORTAL.example', 'portal.EXAMPLE', done],
    ['http://portal.example:8080', 'portal.example', refused],
    ['http://portal.example', 'portal.example:8080', refused],
    ['http://evil.example', 'portal.example', refused],
    ['http://portal.example.evil.example', 'portal.example', refused],
    ['ftp://portal.example', 'portal.example', refused],
    ['xhttp://portal.example', 'portal.example', refused],
    ['httpsx://portal.example', 'portal.example', refused],
    ['null', 'null', refused],
    ['', 'portal.example', refused],
    ['portal.example', 'portal.example', refused],
    ['http://portal.example', 'a b', refused],
    ['http://undefined', 'portal.example', refused],
  ])('Origin %j to Host %j -> %i', async (Origin, Host, status) => {
    const { keys, post } = await start();
    const reply = await post('{"name":"x"}', { Origin, Host });
    expect(reply.status).toBe(status);
    expect(await keys.list()).toHaveLength(status === done ? 1 : 0);
  });

  it.each<[unknown, string | undefined, number]>([
    [true, 'portal.example', done],
    [true, 'portal.example, inner', done],
    [true, ' portal.example ,inner', done],
    [true, 'inner, portal.example', refused],
    [true, '', refused],
    [true, undefined, refused],
    [1, 'portal.example', done],
    ['127.0.0.1', 'portal.example', done],
    ['10.0.0.1', 'portal.example', refused],
    [false, 'portal.example', refused],
  ])('"trust proxy" %j, X-Forwarded-Host %j -> %i', async (trusts, forwarded, status) => {
    const { post } = await start({
      before: [(req, _res, next) => (req.app.set('trust proxy', trusts), next())],
    });
    const reply = await post('{"name":"x"}', {
      Origin: 'http://portal.example',
      Host: 'inner:3000',
      ...(forwarded !== undefined && { 'X-Forwarded-Host': forwarded }),
    });
    expect(reply.status).toBe(status);
  });

  it('a request without an app, as of a plain server -> no proxy is believed', async () => {
    for (const app of [undefined, {}, { get: () => 'yes' }]) {
      const { post } = await start({
        before: [(req, _res, next) => (Object.assign(req, { app }), next())],
      });
      const headers = { Origin: 'http://portal.example', 'X-Forwarded-Host': 'portal.example' };
      const reply = await post('{"name":"x"}', { ...headers, Host: 'inner:3000' });
      expect(reply.status).toBe(refused);
    }
  });

  it('a publicUrl -> its origin, and no other, beside the own host', async () => {
    const { post } = await start({ account: { publicUrl: 'https://portal.example/some/where' } });
    const from = async (Origin: string) =>
      (await post('{"name":"x"}', { Origin, Host: 'inner:3000' })).status;
    expect(await from('https://portal.example')).toBe(done);
    expect(await from('http://inner:3000')).toBe(done);
    expect(await from('http://portal.example')).toBe(refused);
    expect(await from('https://portal.example:8443')).toBe(refused);
  });

  it('a refusal by Origin -> says what the operator must set; by Sec-Fetch-Site -> not', async () => {
    const { post } = await start();
    const headers = { Origin: 'http://portal.example', Host: 'inner:3000' };
    const reply = await post('{"name":"x"}', headers);
    expectWebProblem(reply, 403, 'cross_origin');
    expect(reply.json['detail']).toMatch(/operator must set "publicUrl".*Host header/);
    const bySite = await post('{"name":"x"}', { ...headers, 'Sec-Fetch-Site': 'cross-site' });
    expect(bySite.json['detail']).toBe('Only the page itself may send this request.');
  });
});

describe('requests that change nothing', () => {
  it.each([{ 'Sec-Fetch-Site': 'none' }, { Origin: 'http://evil.example' }])(
    'a GET with %j -> answered: the browser keeps the answer from the other site',
    async (headers) => {
      const { as } = await start();
      const reply = await as('alice')('GET', 'keys', {
        headers: headers as unknown as Record<string, string>,
      });
      expect(reply.status).toBe(200);
    },
  );
});

describe('what happens between two steps of a change', () => {
  it('the key is handed to another user before it is rotated -> 404, no key shown, and the new one revoked', async () => {
    let before = async () => {};
    const { as, keys } = await start({
      account: {
        scopesFor: async () => {
          await before();
          return ['audio:read'];
        },
      },
    });
    const { record } = await makeKey(as('alice'));
    before = async () => void (await keys.update(record.keyId, { user: 'bob' }));
    const reply = await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
    expectWebProblem(reply, 404, 'not_found');
    const [successor] = await keys.list({ user: 'bob', status: 'revoked' });
    expect(successor).toMatchObject({ replaces: record.keyId });
    const [last] = await keys.history({ keyId: successor!.keyId });
    expect(last).toMatchObject({ by: 'alice', via: 'account' });
    expect(await keys.list({ user: 'alice' })).toEqual([]);
  });

  it('userOf or scopesFor throws what is no error -> 503, and no key', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const fail = () => {
      // What callbacks of others do.
      throw 'down' as unknown as Error;
    };
    for (const account of [{ userOf: fail }, { scopesFor: fail }]) {
      const { keys, post } = await start({ account });
      expectWebProblem(await post('{"name":"x"}'), 503, 'service_unavailable');
      expect(await keys.list()).toEqual([]);
    }
  });

  it('an address that is not of the page -> left to the application', async () => {
    const { send } = await start();
    const reply = await send('GET', '/account/keys/elsewhere');
    expect(reply.status).toBe(404);
    expect(reply.text).toContain('Cannot GET /account/keys/elsewhere');
  });
});

const head = (length: string) =>
  'POST /account/keys/api/keys HTTP/1.1\r\nHost: x\r\nperson: alice\r\nConnection: close\r\n' +
  `Content-Type: application/json\r\n${length}\r\n\r\n`;

/** Sends bytes as they are, and leaves the connection open. */
async function sendBytes(port: number, bytes: Buffer, length: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(Buffer.concat([Buffer.from(head(length)), bytes]));
  let answer = '';
  socket.on('data', (data) => (answer += String(data)));
  await once(socket, 'end');
  return answer;
}
