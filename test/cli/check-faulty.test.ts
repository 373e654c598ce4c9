import type { RequestHandler } from 'express';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { check, guard, guarded, knows, serve } from '../support/checked-server.js';

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

  it('a route of another method -> found, with what to know before --method is given', async () => {
    const server = await guarded();
    const report = await check(server.url, '--method', 'POST');
    expect(report.findings[0]).toMatchObject({
      code: 'not_found',
      remedy:
        'check the path; if it is no POST route give --method, and first read in --help what that runs',
    });
    expect(server.sawKey()).toBe(false);
  });

  it('a redirect before or behind the guard -> found, not followed, and its target never sees the key', async () => {
    const target = await serve((_req, res) => void res.end());
    // A server that echoes what it was sent must not make the command repeat it.
    const redirect: RequestHandler = (req, res) =>
      res.redirect(302, `${target.url}/${req.get('X-API-Key') ?? ''}`);
    const upgrade: RequestHandler = (req, res) =>
      res.redirect(301, `https://${req.hostname}/hello`);
    const [first, behind, https] = await Promise.all([
      guarded(redirect),
      guarded(guard(), redirect),
      guarded(upgrade),
    ]);
    const reports = await Promise.all([first, behind, https].map(({ url }) => check(url)));
    for (const { codes } of reports) expect(codes).toEqual(['redirect']);
    expect(reports[0]!.findings[0]!.message).toContain(
      `redirects to http://127.0.0.1:${target.port}:`,
    );
    expect(reports[2]!.findings[0]!.message).toContain('redirects to https');
    expect([first.sawKey(), behind.sawKey(), target.sawKey()]).toEqual([false, true, false]);
  });

  it('an upgrade that nobody asked for, before or behind the guard -> found', async () => {
    const upgrade: RequestHandler = (req) =>
      void req.socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      );
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
      "call 'https://x.example/%27;touch$IFS;%27' directly, if it is yours",
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
