import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

const socket = new Socket();

const bytesOf = (texts) => texts.map((text) => Buffer.from(text, 'latin1'));

const common = bytesOf(
  [
    ['Host', 'localhost:3000'],
    ['User-Agent', 'bench/1.0'],
    ['Accept', '*/*'],
    ['Accept-Encoding', 'gzip, deflate'],
    ['Connection', 'keep-alive'],
  ].flat(),
);

/**
 * Makes requests as Node's parser hands them over, and their responses: real objects, with strings
 * that nobody has hashed or interned before, since that is what a server sees. Each presents one of
 * the keys, at random.
 */
export function requestMaker(keys, { header = 'X-API-Key', scheme = '' } = {}) {
  const name = Buffer.from(header, 'latin1');
  const bytes = Buffer.from(keys.map((key) => scheme + key).join(''), 'latin1');
  const length = bytes.length / keys.length;
  return () => {
    const start = length * Math.floor(Math.random() * keys.length);
    const req = new IncomingMessage(socket);
    req.method = 'GET';
    req.url = '/';
    const rawHeaders = common.map((each) => each.latin1Slice());
    rawHeaders.push(name.latin1Slice(), bytes.latin1Slice(start, start + length));
    // What the parser calls: no public way fills both forms of the headers.
    // oxlint-disable-next-line no-underscore-dangle
    req._addHeaderLines(rawHeaders, rawHeaders.length);
    // Express and its handlers read the headers with or without a guard; whoever came first would
    // pay for all.
    void req.headers;
    return { req, res: new ServerResponse(req) };
  };
}
