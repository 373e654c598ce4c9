import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import express from 'express';
import { ApiKeyManager, MemoryKeyStore, requireApiKey } from 'require-api-key';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectWarnings } from '../support/warnings.js';

const run = promisify(execFile);
const warnings = collectWarnings();

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A proxy that notes the client's address, as every proxy does that is set up for it. */
const proxyTo = (port: number) =>
  createServer((req, res) => {
    const before = req.headers['x-forwarded-for'];
    const client = req.socket.remoteAddress!;
    const forwarded = before === undefined ? client : `${String(before)}, ${client}`;
    const headers = { ...req.headers, 'x-forwarded-for': forwarded };
    const passed = request({ host: '127.0.0.1', port, path: req.url, headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    req.pipe(passed);
  });

/** An app, a proxy in front of it, and a key that may be used from these addresses. */
async function start(allowedAddresses: string[], trustProxy?: unknown) {
  const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
  const { key } = await keys.create({ user: 'alice', allowedAddresses });
  const app = express();
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
  app.get('/hello', requireApiKey({ source: keys }), (_req, res) => res.send('hello'));
  const port = await listen(createServer(app));
  const proxy = await listen(proxyTo(port));
  /** From 127.0.0.1 unless another of this machine's addresses is named. */
  const curl = async (at: number, from = '127.0.0.1') => {
    const { stdout } = await run('curl', [
      '--silent',
      '--interface',
      from,
      '--header',
      `X-API-Key: ${key}`,
      '--write-out',
      '\n%{http_code}',
      `http://127.0.0.1:${at}/hello`,
    ]);
    const lines = stdout.trim().split('\n');
    const status = Number(lines.pop());
    const body = lines.join('\n');
    return { status, code: /"code":"(\w+)"/.exec(body)?.[1] };
  };
  return {
    direct: (from?: string) => curl(port, from),
    proxied: (from?: string) => curl(proxy, from),
  };
}

describe('a key limited to 127.0.0.1/32, with curl', () => {
  it('without a proxy -> works from there, and from no other address', async () => {
    const { direct } = await start(['127.0.0.1/32']);
    expect(await direct()).toEqual({ status: 200, code: undefined });
    expect(await direct('127.0.0.2')).toEqual({ status: 403, code: 'address_not_allowed' });
  });

  it('behind one proxy, "trust proxy" set to 1 -> judged by the client, not by the proxy', async () => {
    const { proxied } = await start(['127.0.0.1/32'], 1);
    expect((await proxied()).status).toBe(200);
    expect(await proxied('127.0.0.2')).toEqual({ status: 403, code: 'address_not_allowed' });
  });

  it('behind one proxy, "trust proxy" set to its address -> the same', async () => {
    const { proxied } = await start(['127.0.0.2/32'], '127.0.0.1');
    expect((await proxied('127.0.0.2')).status).toBe(200);
    expect(await proxied('127.0.0.3')).toEqual({ status: 403, code: 'address_not_allowed' });
  });

  it('behind a proxy, "trust proxy" true -> 503, and the log says what to set', async () => {
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => errors.mockRestore());
    const { proxied } = await start(['127.0.0.1/32'], true);
    expect(await proxied()).toEqual({ status: 503, code: 'key_source_failed' });
    const log = JSON.stringify(errors.mock.calls.flat().map(String));
    expect(log).toContain("app.set('trust proxy', 1)");
    expect(log).not.toMatch(/key_[0-9A-Za-z]{20}/);
  });

  it('behind a proxy, "trust proxy" unset -> every client has its address, and a warning says what to set', async () => {
    const mark = warnings.mark();
    const { proxied } = await start(['127.0.0.2/32']);
    expect(await proxied('127.0.0.2')).toEqual({ status: 403, code: 'address_not_allowed' });
    expect(await warnings.since(mark)).toEqual([
      expect.stringContaining("app.set('trust proxy', 1)"),
    ]);
  });
});
