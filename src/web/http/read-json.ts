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
  // An application may have its own parser in front of everything: then the body is gone, and its result is what there is.
  const value = req.readableEnded ? req.body : parse(await readBytes(req, maxBytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WebProblem('malformed_request');
  return value as Record<string, unknown>;
}

/** Counted while it is read: a length that a client merely claims keeps no memory from being filled. */
function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = (error: WebProblem) => {
      req.off('data', keep);
      // The rest is let go by, so that the client is there to read the answer.
      req.resume();
      reject(error);
    };
    const keep = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) refuse(new WebProblem('content_too_large'));
      else chunks.push(chunk);
    };
    if (Number(req.headers['content-length']) > maxBytes) {
      refuse(new WebProblem('content_too_large'));
      return;
    }
    req.on('data', keep);
    req.once('end', () => resolve(Buffer.concat(chunks)));
    req.once('close', () => reject(new WebProblem('malformed_request')));
    req.once('error', () => reject(new WebProblem('malformed_request')));
  });
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new WebProblem('malformed_request');
  }
}
