import type { IncomingHttpHeaders } from 'node:http';
import { certificateReasons, networkReasons } from '../network-reasons.js';
import { parseJson } from '../values/parse-json.js';

export interface Call {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The `code` of a problem document (RFC 9457), if it looks like one of this library's. */
  readonly code?: string;
  /** Its `detail`. */
  readonly detail?: string;
}

/** Problem documents are small. Other bodies may be endless streams. */
const maxBodyBytes = 64_000;

/** Sends one request, follows no redirect, and rejects if no answer comes in time. */
export async function call({ url, method, headers, timeoutMs }: Call): Promise<Answer> {
  // Not at load: since Node 22 either module takes a tenth of a second, of each command's start.
  const { request } = await (url.protocol === 'https:'
    ? import('node:https')
    : import('node:http'));
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, signal, agent: false }, (response) => {
      const { statusCode = 0, headers: received } = response;
      const chunks: Buffer[] = [];
      let length = 0;
      const finish = () => {
        const problem = problemIn(Buffer.concat(chunks).toString('utf8'));
        resolve({ status: statusCode, headers: received, ...problem });
        sent.destroy();
      };
      // Only the body of a problem document is of use.
      if (!/json/i.test(received['content-type'] ?? '')) return finish();
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maxBodyBytes) finish();
      });
      response.on('end', finish);
      response.on('error', finish);
    });
    // Without a listener Node cuts the connection, and no answer would come.
    sent.on('upgrade', ({ statusCode = 101, headers: received }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, headers: received });
    });
    sent.on('error', reject);
    sent.on('close', () => reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' })));
    sent.end();
  });
}

function problemIn(text: string): Pick<Answer, 'code' | 'detail'> {
  const document = parseJson(text);
  if (typeof document !== 'object' || document === null || !('code' in document)) return {};
  const { code, detail } = document as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string' || !/^[a-z_]{1,40}$/.test(code)) return {};
  return { code, ...(typeof detail === 'string' && { detail }) };
}

const reasons: Readonly<Record<string, string>> = { ...networkReasons, ...certificateReasons };

/** Why there was no answer. */
export function reasonOf(error: unknown, { protocol }: URL): { code: string; why: string } {
  const { name = '', code = '', message = '' } = error as Partial<NodeJS.ErrnoException>;
  if (name === 'AbortError' || name === 'TimeoutError' || code === 'ETIMEDOUT') {
    return { code: 'timed_out', why: networkReasons.ETIMEDOUT };
  }
  if (
    protocol === 'https:' &&
    (code === 'EPROTO' || /ssl|tls|packet length/i.test(code + message))
  ) {
    const known = reasons[code];
    return { code: 'tls_failed', why: known ?? 'it does not speak TLS: is it an http:// address?' };
  }
  if (code.includes('CERT') || code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE') {
    return { code: 'tls_failed', why: reasons[code] ?? `its TLS certificate is refused (${code})` };
  }
  if (code.startsWith('HPE_'))
    return { code: 'no_answer', why: 'it does not speak HTTP: is it an https:// address?' };
  return {
    code: 'no_answer',
    why: reasons[code] ?? `the call failed (${code || 'no reason given'})`,
  };
}

/** Whether the host of a URL is this machine, so that nobody can listen on the way. */
export const isLoopback = (hostname: string): boolean =>
  /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname);
