import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express5, { type RequestHandler } from 'express';
import { expect, onTestFinished } from 'vitest';
import {
  apiKeyOf,
  ApiKeyManager,
  MemoryKeyStore,
  requireApiKey,
  type ClaimMessage,
} from '../../src/index.js';
import { claimPage, keyDesk, type ClaimPageOptions, type KeyDeskOptions } from '../../src/web.js';
import type { CreateExpress } from './guarded-app.js';

export interface WebAppOptions {
  readonly express?: CreateExpress;
  readonly keys?: ApiKeyManager;
  readonly claim?: Omit<ClaimPageOptions, 'keys'>;
  readonly desk?: Omit<KeyDeskOptions, 'keys'>;
  /** What stands in front of the pages. */
  readonly before?: readonly RequestHandler[];
}

/** An app with both pages and one guarded route, as an application would mount them. */
export function createWebApp({
  express = express5,
  keys = memoryKeys(),
  claim,
  desk,
  before = [],
}: WebAppOptions) {
  const app = express();
  for (const middleware of before) app.use(middleware);
  if (keys.keepsClaims) app.use('/claim', claimPage({ keys, ...claim }));
  app.use('/keys', keyDesk({ keys, ...desk }));
  app.get('/hello', requireApiKey({ source: keys }), (req, res) => {
    res.json({ message: `Hello, ${apiKeyOf(req).user}!` });
  });
  return { app, keys };
}

export const memoryKeys = () => new ApiKeyManager({ store: new MemoryKeyStore() });

/** A manager whose store keeps keys and no claim links. */
export function keysWithoutClaims(): ApiKeyManager {
  const store = new MemoryKeyStore();
  Object.defineProperty(store, 'claims', { value: undefined });
  return new ApiKeyManager({ store });
}

export interface WebReply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The header lines without the one that the clock changes, as they were sent. */
  readonly lines: readonly string[];
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is; anything else as JSON, with its content type. */
  readonly body?: unknown;
}

export type Send = (method: string, path: string, options?: SendOptions) => Promise<WebReply>;

/**
 * Sends requests to a server on this machine, with any headers at all: `fetch` would not let some
 * of them be set.
 */
export const sendTo =
  (port: number): Send =>
  (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const isJson = body !== undefined && typeof body !== 'string';
      const sent = request(
        { port, host: '127.0.0.1', method, path, headers: { ...(isJson && jsonType), ...headers } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(replyOf(response, Buffer.concat(chunks).toString())));
        },
      );
      sent.on('error', reject);
      sent.end(isJson ? JSON.stringify(body) : body);
    });

const jsonType = { 'Content-Type': 'application/json' };

function replyOf({ statusCode = 0, headers, rawHeaders }: IncomingMessage, text: string): WebReply {
  const lines = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && name !== 'Date' ? [`${name}: ${rawHeaders[index + 1]}`] : [],
  );
  const isJson = /json/.test(headers['content-type'] ?? '') && text !== '';
  return {
    status: statusCode,
    headers,
    lines,
    text,
    json: isJson ? (JSON.parse(text) as WebReply['json']) : {},
  };
}

/** Serves the app on a free port until the test is over. */
export async function startWebApp(options: WebAppOptions = {}) {
  const { app, keys } = createWebApp(options);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await keys.close();
  });
  const { port } = server.address() as AddressInfo;
  return { keys, port, url: `http://127.0.0.1:${port}`, send: sendTo(port) };
}

/** Collects what the `claim` channel says until the test is over. */
export function listenToClaims(): ClaimMessage[] {
  const events: ClaimMessage[] = [];
  const keep = (message: unknown) => void events.push(message as ClaimMessage);
  subscribe('require-api-key:claim', keep);
  onTestFinished(() => void unsubscribe('require-api-key:claim', keep));
  return events;
}

/** Checks what every answer of the pages carries. */
export function expectSecured({ headers }: WebReply): void {
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(headers['x-robots-tag']).toContain('noindex');
  const policy = headers['content-security-policy'];
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|http|data:/);
}

export function expectWebProblem(reply: WebReply, status: number, code: string): void {
  expect({ status: reply.status, code: reply.json['code'] }).toEqual({ status, code });
  expect(reply.headers['content-type']).toBe('application/problem+json');
  expect(Object.keys(reply.json)).toEqual(['type', 'title', 'status', 'detail', 'code', 'error']);
  expect(reply.json).toMatchObject({
    type: `urn:require-api-key:${code}`,
    status,
    error: reply.json['title'],
  });
  expectSecured(reply);
}
