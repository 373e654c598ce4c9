import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { claimPage, keyDesk } from '../../src/web.js';
import { memoryKeys, startWebApp } from '../support/web-app.js';

describe('addresses that are shown to readers', () => {
  it.each([
    'hello',
    '//evil.example/x',
    '/\\evil.example',
    'ftp://x/y',
    'https://:pw@x/',
    'javascript:alert(1)',
    '',
  ])('%j -> a TypeError that names the option', (address) => {
    const keys = memoryKeys();
    expect(() => claimPage({ keys, exampleUrl: address })).toThrow(/"exampleUrl" must be/);
    expect(() => keyDesk({ keys, claimUrl: address })).toThrow(/"claimUrl" must be/);
  });
});

describe('bodies', () => {
  it('a body of thousands of chunks of one byte -> read as one, into one small buffer', async () => {
    const { keys, port } = await startWebApp();
    const { token } = await keys.createClaim({ user: 'alice' });
    const socket = connect(port, '127.0.0.1');
    const text = JSON.stringify({ token });
    socket.write(
      'POST /claim/claim HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    for (const byte of text.padEnd(2_000)) socket.write(`1\r\n${byte}\r\n`);
    socket.write('0\r\n\r\n');
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    );
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('Origin: null without a host -> refused as a request from elsewhere', async () => {
    const { keys, port } = await startWebApp();
    const { token } = await keys.createClaim({ user: 'alice' });
    const socket = connect(port, '127.0.0.1');
    const body = JSON.stringify({ token });
    socket.write(
      `POST /claim/claim HTTP/1.0\r\nOrigin: null\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    );
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(await keys.list()).toEqual([]);
  });

  it.each([
    ['half a surrogate pair in the metadata', { metadata: { x: '\ud800' } }],
    ['half a surrogate pair in the user', { user: 'a\ud800' }],
    ['a day that there is not', { expiresAt: '2999-02-31T00:00:00.000Z' }],
    ['an expiry that is no instant', { expiresAt: '1' }],
    ['an expiry before the common era', { expiresAt: '-271821-04-20T00:00:00.000Z' }],
  ])('%s -> 400, and no key', async (_what, fields) => {
    const { keys, send } = await startWebApp();
    const operator = await keys.create({ user: 'bob', scopes: ['keys:manage'] });
    const reply = await send('POST', '/keys/api/keys', {
      headers: { 'X-API-Key': operator.key },
      body: { user: 'alice', ...fields },
    });
    expect(reply.status).toBe(400);
    expect(await keys.list({ user: 'alice' })).toEqual([]);
  });
});
