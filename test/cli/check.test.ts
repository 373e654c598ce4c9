import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import cors from 'cors';
import express, { type RequestHandler } from 'express';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  generateApiKey,
  requireApiKey,
  type RequireApiKeyOptions,
  type VerifyResult,
} from '../../src/index.js';
import { cli, folder } from '../support/cli.js';

const { key, keyId } = generateApiKey();
const canSign = spawnSync('openssl', ['version']).status === 0;

interface LiveServer {
  readonly url: string;
  readonly port: number;
  /** Whether the user's own key reached it. */
  sawKey(): boolean;
}

async function serve(
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
const guarded = (...before: RequestHandler[]) => {
  const app = express();
  app.set('trust proxy', true);
  for (const handler of before) app.use(handler);
  app.get('/hello', (_req, res) => void res.json({ hello: 'world' }));
  return serve(app);
};

const knows = async (presented: string) => (presented === key ? 'alice' : undefined);
const guard = (options: RequireApiKeyOptions = {}) =>
  requireApiKey({ source: knows, ...options }) as RequestHandler;
const answers = (answer: VerifyResult) =>
  guard({ source: (presented) => (presented === key ? answer : undefined) });

async function check(url: string, ...args: string[]) {
  const { code, stdout, stderr } = await cli(['check', url, '--json', ...args], { input: `${key}\n` });
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

describe('check on a server that is guarded', () => {
  it('a good key, CORS in front -> exit 0, and every call is told of', async () => {
    const server = await guarded(cors(), guard());
    const [report, words] = await Promise.all([
      check(server.url, '--origin', 'https://app.example'),
      cli(['check', server.url], { input: key }),
    ]);
    expect(report).toMatchObject({ ok: true, findings: [] });
    expect(report.calls).toEqual([
      { call: 'without a key', status: 401, code: 'missing_api_key' },
      { call: 'with a wrong key', status: 401, code: 'invalid_api_key' },
      { call: 'with your key', status: 200 },
      { call: 'preflight of a browser', status: 204 },
    ]);
    expect(words.stdout).toMatch(/with your key +200\n.*\nThe key works here.\n$/);
    expect(server.sawKey()).toBe(true);
  });

  it('another header and scheme, a key file, no key -> called as told', async () => {
    const server = await guarded(guard({ header: 'Authorization', scheme: 'Bearer' }));
    const args = ['check', server.url, '--header', 'authorization', '--scheme', 'bearer', '--json'];
    const cwd = folder({ 'alice.key': `${key}\n` });
    const [bearer, none] = await Promise.all([
      cli([...args, '--key-file', 'alice.key'], { cwd }),
      cli([...args, '--no-key']),
    ]);
    expect(JSON.parse(bearer.stdout)).toMatchObject({ ok: true, findings: [{ code: 'preflight_blocked' }] });
    expect(JSON.parse(none.stdout)).toMatchObject({
      ok: true,
      findings: [{ code: 'no_key' }, { severity: 'note' }],
    });
  });

  it('a key that is unknown, expired, revoked or lacks a scope -> told apart', async () => {
    const apiKey = { keyId, user: 'alice', scopes: [], source: 'test', metadata: {} };
    const servers = await Promise.all([
      guarded(guard({ source: () => undefined })),
      guarded(answers({ ok: false, code: 'expired_api_key' })),
      guarded(answers({ ok: false, code: 'revoked_api_key' })),
      guarded(answers({ ok: true, apiKey }), guard({ source: () => ({ ok: true, apiKey }), scopes: ['x'] })),
    ]);
    const reports = await Promise.all(servers.map(({ url }) => check(url)));
    expect(reports.map(({ codes }) => codes)).toEqual([
      ['unknown_key'],
      ['expired'],
      ['revoked'],
      ['scope_missing'],
    ]);
    expect(reports[0]!.findings[0]!.message).toBe(`${keyId} is not known to the server.`);
  });

  it('the key under another header -> the right one is learnt from the challenge, and the key not sent', async () => {
    const [other, bearer] = await Promise.all([
      guarded(guard({ header: 'X-Internal-Api-Key' })),
      guarded(guard({ header: 'Authorization', scheme: 'Bearer' })),
    ]);
    const reports = await Promise.all([check(other.url), check(bearer.url)]);
    expect(reports.map(({ findings }) => findings.map(({ code, remedy }) => [code, remedy]))).toEqual([
      [['wrong_header', 'check again with --header X-Internal-Api-Key']],
      [['wrong_header', 'check again with --header Authorization --scheme Bearer']],
    ]);
    expect([other.sawKey(), bearer.sawKey()]).toEqual([false, false]);
  });

  it('something on the way that takes the header away -> found', async () => {
    const strip: RequestHandler = (req, _res, next) => {
      delete req.headers['x-api-key'];
      next();
    };
    expect((await check((await guarded(strip, guard())).url)).codes).toEqual(['header_lost']);
  });

  it('a preflight that is refused, or allows another origin or header -> found where an origin is named', async () => {
    const servers = await Promise.all([
      guarded(guard()),
      guarded(cors({ origin: 'https://other.example' }), guard()),
      guarded(cors({ allowedHeaders: ['X-Other'] }), guard()),
    ]);
    const named = await Promise.all(servers.map(({ url }) => check(url, '--origin', 'https://app.example')));
    for (const { codes } of named) expect(codes).toEqual(['preflight_blocked']);
    const messages = named.map(({ findings }) => findings[0]!.message);
    expect(messages[0]).toContain('refused with 401');
    expect(messages[1]).toContain('this origin is not allowed');
    expect(messages[2]).toContain('the header x-api-key is not allowed');
    expect(await check(servers[0].url)).toMatchObject({ ok: true, findings: [{ severity: 'note' }] });
  });
});

describe('check on a server that is not as it should be', () => {
  it('open, or open to any key -> found, and the key not sent; optional -> a warning', async () => {
    const servers = await Promise.all([
      guarded(),
      guarded(guard({ source: () => true })),
      guarded(guard({ optional: true })),
    ]);
    const reports = await Promise.all(servers.map(({ url }) => check(url)));
    expect(reports.map(({ codes }) => codes)).toEqual([
      ['open_to_all'],
      ['any_key_accepted'],
      ['optional_key'],
    ]);
    expect(servers.map((server) => server.sawKey())).toEqual([false, false, true]);
  });

  it('not configured, a failing source, HTTPS alone, too many requests, another fault -> found', async () => {
    const answer =
      (status: number): RequestHandler =>
      (_req, res) =>
        void res.set('Retry-After', '7').sendStatus(status);
    const failing = () => {
      throw new Error('down');
    };
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const servers = await Promise.all([
      guarded(guard({ source: { verify: knows, configured: () => false } })),
      guarded(guard({ source: failing })),
      guarded(guard({ requireHttps: true })),
      guarded(answer(429)),
      guarded(answer(500)),
      serve((_req, res) => void res.writeHead(404).end()),
    ]);
    const reports = await Promise.all(servers.map(({ url }) => check(url)));
    expect(reports.map(({ codes }) => codes[0])).toEqual([
      'not_configured',
      'source_failed',
      'https_required',
      'rate_limited',
      'server_failed',
      'not_found',
    ]);
    expect(reports[3]!.findings[0]!.remedy).toBe('try again in 7 seconds');
    expect(servers.some((server) => server.sawKey())).toBe(false);
  });

  it('a redirect before or behind the guard -> found, not followed, and its target never sees the key', async () => {
    const target = await serve((_req, res) => void res.end());
    // A server that echoes what it was sent must not make the command repeat it.
    const redirect: RequestHandler = (req, res) =>
      res.redirect(302, `${target.url}/${req.get('X-API-Key') ?? ''}`);
    const upgrade: RequestHandler = (req, res) => res.redirect(301, `https://${req.hostname}/hello`);
    const [first, behind, https] = await Promise.all([
      guarded(redirect),
      guarded(guard(), redirect),
      guarded(upgrade),
    ]);
    const reports = await Promise.all([first, behind, https].map(({ url }) => check(url)));
    for (const { codes } of reports) expect(codes).toEqual(['redirect']);
    expect(reports[0]!.findings[0]!.message).toContain(`sends on to http://127.0.0.1:${target.port}:`);
    expect(reports[2]!.findings[0]!.message).toContain('sends on to https');
    expect([first.sawKey(), behind.sawKey(), target.sawKey()]).toEqual([false, true, false]);
  });

  it('an upgrade that nobody asked for, before or behind the guard -> found', async () => {
    const upgrade: RequestHandler = (req) =>
      void req.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    const [first, behind] = await Promise.all([guarded(upgrade), guarded(guard(), upgrade)]);
    const reports = await Promise.all([first, behind].map(({ url }) => check(url)));
    for (const { codes } of reports) expect(codes).toEqual(['unexpected_answer']);
    expect(reports.map(({ calls }) => calls.at(-2)?.status)).toEqual([undefined, 101]);
    expect(first.sawKey()).toBe(false);
  });

  it('a challenge or a redirect with what a shell would run -> never in a line to paste', async () => {
    const refuse =
      (status: number, headers: Record<string, string>): RequestHandler =>
      (_req, res) =>
        void res.status(status).set(headers).end();
    const servers = await Promise.all([
      guarded(refuse(401, { 'WWW-Authenticate': 'ApiKey header="`touch$x`"' })),
      guarded(refuse(401, { 'WWW-Authenticate': 'Bearer header="$(touch x)"' })),
      guarded(refuse(401, { 'WWW-Authenticate': '`touch`' })),
      guarded(refuse(401, { 'WWW-Authenticate': 'ApiKey header="--dangerously-send-over-http"' })),
      guarded(refuse(302, { Location: "https://x.example/';touch$IFS;'" })),
      guarded(refuse(302, { Location: 'javascript:touch(1)' })),
    ]);
    const reports = await Promise.all(servers.map(({ url }) => check(url)));
    for (const { findings } of reports.slice(0, 4)) {
      expect(JSON.stringify(findings)).not.toMatch(/check again|touch|dangerously/);
    }
    expect(reports[4]!.findings[0]!.remedy).toBe(
      "call 'https://x.example/%27;touch$IFS;%27' itself, if it is yours",
    );
    expect(reports[5]!.codes).toEqual(['redirect']);
    expect(JSON.stringify(reports[5]!.findings)).not.toContain('touch');
  });

  it('plain HTTP to another machine -> a warning, and the key sent only where that is asked for', async () => {
    const server = await guarded(guard());
    const url = `http://0.0.0.0:${server.port}/hello`;
    const report = await check(url);
    expect(report.codes).toEqual(['plain_http']);
    expect(server.sawKey()).toBe(false);
    const asked = await check(url, '--dangerously-send-over-http');
    expect(asked.codes).toEqual(['plain_http']);
    expect(asked.calls).toContainEqual({ call: 'with your key', status: 200 });
  });
});

describe('check on what does not answer', () => {
  it('nothing listens, no such host, no answer in time, no TLS, no HTTP -> found', async () => {
    const [slow, plain] = await Promise.all([serve(() => {}), guarded(guard())]);
    const reports = await Promise.all([
      check('http://127.0.0.1:1/'),
      check('http://no-such-host.invalid/'),
      check(slow.url, '--timeout', '1s'),
      check(`https://127.0.0.1:${plain.port}/hello`),
    ]);
    expect(reports.map(({ codes }) => codes.at(-1))).toEqual([
      'no_answer',
      'no_answer',
      'timed_out',
      'tls_failed',
    ]);
    expect(reports[0].findings[0]!.message).toBe(
      'http://127.0.0.1:1 cannot be called: nothing listens there: the connection was refused.',
    );
    expect(reports[3].findings[0]!.message).toContain('it does not speak TLS');
  });

  it.skipIf(!canSign)('a certificate that is signed by itself -> found, and the key not sent', async () => {
    const cwd = folder();
    const options =
      'req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 1 -keyout server.pem -out server.crt';
    execFileSync('openssl', options.split(' '), { cwd, stdio: 'ignore' });
    const read = (name: string) => readFileSync(join(cwd, name));
    const listener: RequestListener = (_req, res) => void res.writeHead(401).end();
    const server = await serve(
      listener,
      createHttpsServer({ key: read('server.pem'), cert: read('server.crt') }, listener),
    );
    const report = await check(`https://localhost:${server.port}/`);
    expect(report.codes).toEqual(['tls_failed']);
    expect(report.findings[0]!.message).toContain('signed by itself');
    expect(server.sawKey()).toBe(false);
  });

  it.each([
    [['check', 'ftp://127.0.0.1/']],
    [['check', 'http://user:password@127.0.0.1/']],
    [['check', 'http://127.0.0.1/', 'another-key-of-mine-0123456789']],
    [['check', 'http://127.0.0.1/', '--header', 'Cookie']],
    [['check', 'http://127.0.0.1/', '--origin', 'app.example']],
  ])('%j -> misused, nothing is called', async (args) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .+\n$/);
    expect(stderr).not.toContain('another-key');
  });

  it('a key that no header can carry -> found, and not sent', async () => {
    const server = await guarded(guard());
    const { code, stdout } = await cli(['check', server.url], { input: 'two words' });
    expect(code).toBe(1);
    expect(stdout).toContain('No header can carry your key');
    expect(stdout).not.toContain('two words');
  });
});
