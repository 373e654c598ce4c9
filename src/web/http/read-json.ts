import type { IncomingMessage } from 'node:http';
import { WebProblem } from './problem.js';

/**
 * Reads a small JSON object.
 *
 * @throws {WebProblem} `unsupported_media_type`, `content_too_large` or `malformed_request`
 */
export async function readJson(
  req: IncomingMessage & { body?: unknown },
  maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
  const { 'content-type': type, 'content-encoding': encoding } = req.headers;
  if (!/^application\/json *(; *charset="?utf-8"?)?$/i.test(type ?? '') || encoding !== undefined) {
    req.resume();
    throw new WebProblem('unsupported_media_type');
  }
  // The application may have parsed the body already. Then only its result is left.
  const value = req.readableEnded ? parsed(req.body) : parse(await readBytes(req, maxBytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WebProblem('malformed_request');
  return value as Record<string, unknown>;
}

/** How long reading a body may take, in milliseconds. The bodies here are small. */
const bodyLimitMs = 10_000;

/**
 * Counts while it reads, because a client can claim any length. Copies into one buffer, because a
 * chunk of one byte may keep a large block of memory alive.
 */
function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let kept = Buffer.alloc(Math.min(maxBytes, 4_096));
    let size = 0;
    const timer = setTimeout(() => refuse(new WebProblem('malformed_request')), bodyLimitMs);
    const refuse = (error: WebProblem) => {
      clearTimeout(timer);
      req.off('data', keep);
      // Discards the rest, so that the client is there to read the answer.
      req.resume();
      reject(error);
    };
    const keep = (chunk: Buffer) => {
      if (size + chunk.length > maxBytes) {
        refuse(new WebProblem('content_too_large'));
        return;
      }
      while (size + chunk.length > kept.length) kept = Buffer.concat([kept], kept.length * 2);
      size += chunk.copy(kept, size);
    };
    if (Number(req.headers['content-length']) > maxBytes) {
      refuse(new WebProblem('content_too_large'));
      return;
    }
    req.on('data', keep);
    req.once('end', () => {
      clearTimeout(timer);
      resolve(kept.subarray(0, size));
    });
    req.once('close', () => refuse(new WebProblem('malformed_request')));
    req.once('error', () => refuse(new WebProblem('malformed_request')));
  });
}

/**
 * The result of another parser: an object, or the raw body with `express.raw` and `express.text`.
 */
function parsed(body: unknown): unknown {
  if (typeof body === 'string') return parse(Buffer.from(body));
  return Buffer.isBuffer(body) ? parse(body) : body;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new WebProblem('malformed_request');
  }
}
