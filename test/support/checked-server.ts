import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import express, { type RequestHandler } from 'express';
import { expect, onTestFinished } from 'vitest';
import {
  generateApiKey,
  requireApiKey,
  type RequireApiKeyOptions,
  type VerifyResult,
} from '../../src/index.js';
import { cli } from './cli.js';

/** The user's own key. */
export const { key, keyId } = generateApiKey();
export interface LiveServer {
  readonly url: string;
  readonly port: number;
  /** Whether the user's own key reached it. */
  sawKey(): boolean;
}

/** Serves on a free port until the test is over. */
export async function serve(
  listener: RequestListener,
  server: Server = createHttpServer(listener),
): Promise<LiveServer> {
  let isSeen = false;
  server.on('request', ({ headers }: { headers: object }) => {
    isSeen ||= JSON.stringify(headers).includes(key);
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hello`, port, sawKey: () => isSeen };
}

/** An app with `/hello` behind these handlers. */
export const guarded = (...before: RequestHandler[]) => {
  const app = express();
  app.set('trust proxy', true);
  for (const handler of before) app.use(handler);
  app.get('/hello', (_req, res) => void res.json({ hello: 'world' }));
  return serve(app);
};

export const knows = async (presented: string) => (presented === key ? 'alice' : undefined);
export const guard = (options: RequireApiKeyOptions = {}) =>
  requireApiKey({ source: knows, ...options }) as RequestHandler;
/** A guard that says this of the user's key. */
export const answers = (answer: VerifyResult) =>
  guard({ source: (presented) => (presented === key ? answer : undefined) });

/** What the command says of a server; never the key. */
export async function check(url: string, ...args: string[]) {
  const { code, stdout, stderr } = await cli(['check', url, '--json', ...args], {
    input: `${key}\n`,
  });
  expect(stdout + stderr).not.toContain(key);
  const report = JSON.parse(stdout) as {
    ok: boolean;
    calls: { call: string; status: number; code?: string }[];
    findings: { severity: string; code: string; message: string; remedy?: string }[];
  };
  expect({ code, stderr }).toEqual({ code: report.ok ? 0 : 1, stderr: '' });
  return {
    ...report,
    codes: report.findings.filter((each) => each.severity !== 'note').map((each) => each.code),
  };
}
