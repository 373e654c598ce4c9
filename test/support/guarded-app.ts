import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import express5 from 'express';
import type { Express, Request, RequestHandler, Response } from 'express';
import express4 from 'express4';
import supertest from 'supertest';
import { onTestFinished, vi } from 'vitest';
import type { Mock } from 'vitest';

export type CreateExpress = typeof express5;

/**
 * For `describe.each`: every promise about HTTP holds on both. Mutation tests, which run each many
 * times, set `TEST_EXPRESS` to one.
 */
export const expressVersions: readonly {
  readonly version: string;
  readonly express: CreateExpress;
}[] = [
  { version: 'Express 5', express: express5 },
  { version: 'Express 4', express: express4 as unknown as CreateExpress },
].filter(({ version }) => version === (process.env['TEST_EXPRESS'] ?? version));

export interface Reply {
  readonly status: number;
  /** Lower-case names; several lines of one name joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Everything the server sent, without the one header that the clock changes. Only from `raw`. */
  readonly bytes: string;
  /** How often the guarded handler has run until now. */
  readonly handlerRuns: number;
}

export type Method = 'get' | 'head' | 'options' | 'post';

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
}

export interface GuardedAppOptions {
  /** Stand on the route, ahead of the handler. */
  readonly guard?: RequestHandler | readonly RequestHandler[];
  /** Stand ahead of the route, for the whole app. */
  readonly before?: readonly RequestHandler[];
  /** What the handler does; without it, it answers with the identity it sees. */
  readonly answer?: (req: Request, res: Response) => void;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface GuardedApp {
  readonly app: Express;
  readonly port: number;
  readonly handler: Mock<(req: Request, res: Response) => void>;
  /** What reached the app's error handler, which hands it on to Express's own. */
  readonly errors: unknown[];
  /** The request that the handler saw last; throws where the handler has not run. */
  lastRequest(): Request;
  get(headers?: Readonly<Record<string, string>>, path?: string): Promise<Reply>;
  send(method: Method, headers?: Readonly<Record<string, string>>, path?: string): Promise<Reply>;
  /** Sends exactly these header lines, as latin1, on a socket of its own. */
  raw(lines: readonly string[], request?: RawRequest): Promise<Reply>;
}

/** Serves `/hello` behind the guard on a real HTTP server until the test is over. */
export async function guardedApp(
  express: CreateExpress,
  { guard = [], before = [], answer = answerIdentity, settings = {} }: GuardedAppOptions,
): Promise<GuardedApp> {
  const handler = vi.fn(answer);
  const errors: unknown[] = [];
  const app = express();
  for (const [name, value] of Object.entries(settings)) app.set(name, value);
  for (const middleware of before) app.use(middleware);
  const guards = typeof guard === 'function' ? [guard] : [...guard];
  app.all('/hello', ...guards, handler);
  app.use((error: unknown, _req: Request, _res: Response, next: (error: unknown) => void) => {
    errors.push(error);
    next(error);
  });

  const server = createServer(app);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const { port } = server.address() as AddressInfo;

  const send: GuardedApp['send'] = async (method, headers = {}, path = '/hello') => {
    const request = supertest(server)[method](path);
    const response = await request.redirects(0).set(headers).buffer(true);
    const text: unknown = response.text;
    return {
      status: response.status,
      headers: response.headers,
      text: typeof text === 'string' ? text : '',
      bytes: '',
      get handlerRuns() {
        return handler.mock.calls.length;
      },
    };
  };

  return {
    app,
    port,
    handler,
    errors,
    lastRequest() {
      const request = handler.mock.calls.at(-1)?.[0];
      if (request === undefined) throw new Error('the guarded handler has not run');
      return request;
    },
    get: (headers, path) => send('get', headers, path),
    send,
    async raw(lines, request) {
      const parsed = parseReply(await exchange(port, rawRequest(lines, request)));
      return {
        ...parsed,
        get handlerRuns() {
          return handler.mock.calls.length;
        },
      };
    },
  };
}

function answerIdentity(req: Request, res: Response): void {
  res.json({ apiKey: req.apiKey ?? null });
}

export function rawRequest(
  lines: readonly string[],
  { method = 'GET', path = '/hello', body = '' }: RawRequest = {},
): string {
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    ...lines,
    '',
    body,
  ].join('\r\n');
}

/** Writes the bytes (latin1) and resolves with all that comes back until the server closes. */
async function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes, 'latin1');
    });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
  });
}

function parseReply(bytes: string): Omit<Reply, 'handlerRuns'> {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.slice(0, headEnd).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    text: bytes.slice(headEnd + 4),
    bytes: bytes.replace(/^Date: .*\r\n/im, ''),
  };
}
