import { connect, type AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import express from 'express';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { generateApiKey, keyList, requireApiKey } from '../../src/index.js';
import { fuzz, fuzzTimeoutMs } from '../support/fuzz.js';

const { key } = generateApiKey();
let runs = 0;
const app = express();
app.get(
  '/key',
  requireApiKey({ source: keyList({ alice: key }) }),
  (_req, res) => void res.json(++runs),
);
app.get(
  '/bearer',
  requireApiKey({ source: keyList({ alice: key }), header: 'Authorization', scheme: 'Bearer' }),
  (_req, res) => void res.json(++runs),
);
const server = createServer(app).listen(0, '127.0.0.1');
afterAll(() => void server.close());

/** Sends bytes as they are; resolves to all that came back. */
function send(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () =>
      socket.write(bytes),
    );
    let answer = '';
    socket.setTimeout(5_000, () => reject(new Error('no answer')));
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

const request = (path: string, lines: Buffer) =>
  Buffer.concat([
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`),
    lines,
    Buffer.from('\r\n\r\n'),
  ]);

// Whatever bytes, pieces of the real key among them, so that it comes near.
const pieces = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      key,
      key.slice(0, 20),
      key.slice(20),
      'Bearer ',
      ' ',
      ',',
      '\t',
      '',
      '"',
      '\0',
      '\r\n ',
      '\r\nX-API-Key: ',
    )
    .map((text) => Buffer.from(text, 'latin1')),
);
const values = fc.array(pieces, { maxLength: 6 }).map((parts) => Buffer.concat(parts));
const names = fc.constantFrom(
  'X-API-Key',
  'x-api-key',
  'X-Api-Key ',
  'Authorization',
  'X-API-Key\t',
  'X_API_KEY',
);

describe('any bytes in the header', () => {
  it.each(['/key', '/bearer'])(
    'GET %s -> 400 by Node, 401 by the guard, or 200 for nothing but the key itself',
    async (path) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(names, values), { maxLength: 3 }), async (headers) => {
          const before = runs;
          const lines = Buffer.concat(
            headers.map(([name, value]) =>
              Buffer.concat([Buffer.from(`${name}: `), value, Buffer.from('\r\n')]),
            ),
          );
          const answer = await send(request(path, lines));
          const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? [];
          // Several requests can hide in the bytes; none of their answers may hold the key.
          expect(answer).not.toContain(key);
          if (status === '200') {
            const text = lines.toString('latin1');
            expect(text).toContain(key);
            expect(
              path === '/bearer'
                ? /authorization:\s*bearer +/i.test(text)
                : /x-api-key:/i.test(text),
            ).toBe(true);
          } else {
            expect(runs).toBe(before);
            expect(['400', '401', '404', '431', undefined]).toContain(status);
          }
        }),
        fuzz(300, 7),
      );
    },
    fuzzTimeoutMs,
  );
});
