import cors from 'cors';
import type { RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { answers, check, guard, guarded, key, keyId } from '../support/checked-server.js';
import { cli, folder } from '../support/cli.js';

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
    expect(JSON.parse(bearer.stdout)).toMatchObject({
      ok: true,
      findings: [{ code: 'preflight_blocked' }],
    });
    expect(JSON.parse(none.stdout)).toMatchObject({
      ok: true,
      findings: [{ code: 'no_key' }, { severity: 'note' }],
    });
  });

  it('a guard of two headers -> each may be named, and both are called in one check', async () => {
    const bearer = { name: 'Authorization', scheme: 'Bearer' };
    const server = await guarded(cors(), guard({ header: [bearer, 'X-API-Key'] }));
    const both = ['--header', 'X-API-Key', '--header', 'Authorization: Bearer'];
    const [one, other, all] = await Promise.all([
      check(server.url),
      check(server.url, '--header', 'Authorization', '--scheme', 'Bearer'),
      check(server.url, ...both),
    ]);
    for (const report of [one, other, all])
      expect(report).toMatchObject({ ok: true, findings: [] });
    expect(all.calls.filter(({ status }) => status === 200)).toEqual([
      { call: 'with your key (X-API-Key)', status: 200 },
      { call: 'with your key (Authorization)', status: 200 },
    ]);
  });

  it('a guard of one header, checked for two -> the other is told', async () => {
    const server = await guarded(cors(), guard());
    const both = ['--header', 'X-API-Key', '--header', 'Authorization: Bearer'];
    const report = await check(server.url, ...both);
    expect(report).toMatchObject({ ok: false, findings: [{ code: 'wrong_header' }] });
  });

  it.each([
    [['--header', 'a', '--header', 'b', '--scheme', 'Bearer'], 'write the scheme with its header'],
    [['--header', 'Authorization: Be arer'], 'a single word'],
    [['--header', 'a b'], 'the name of a header'],
  ])('%j -> misused', async (options, said) => {
    const finished = await cli(['check', 'http://127.0.0.1:9/', '--no-key', ...options]);
    expect(finished).toMatchObject({ code: 2, stdout: '' });
    expect(finished.stderr).toContain(said);
  });

  it('no method -> GET alone; --method POST -> the handler runs once, with the key; with --no-key never', async () => {
    const methods: string[] = [];
    const server = await guarded(guard(), (req, res) => {
      methods.push(req.method);
      res.end();
    });
    await check(server.url);
    expect(methods).toEqual(['GET']);
    await cli(['check', server.url, '--method', 'POST', '--no-key']);
    expect(methods).toEqual(['GET']);
    await check(server.url, '--method', 'POST');
    expect(methods).toEqual(['GET', 'POST']);
  });

  it('an empty key file, or nothing on standard input -> misused, and said so', async () => {
    const server = await guarded(cors(), guard());
    const cwd = folder({ 'empty.key': ' \n' });
    const [filed, piped, json] = await Promise.all([
      cli(['check', server.url, '--key-file', 'empty.key'], { cwd }),
      cli(['check', server.url], { cwd, input: '\n' }),
      cli(['check', server.url, '--key-file', 'empty.key', '--json'], { cwd }),
    ]);
    const advice = 'give a key, or check without one: --no-key';
    expect(filed).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: empty.key holds no key: ${advice}\n`,
    });
    expect(piped).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: standard input holds no key: ${advice}\n`,
    });
    expect(json).toEqual(filed);
  });

  it('a key that is paused, or comes from a wrong address -> told apart, with what to do', async () => {
    const servers = await Promise.all([
      guarded(answers({ ok: false, code: 'paused_api_key' })),
      guarded(answers({ ok: false, code: 'address_not_allowed' })),
    ]);
    const reports = await Promise.all(servers.map(({ url }) => check(url)));
    expect(reports.map(({ findings }) => findings[0])).toMatchObject([
      { code: 'paused', remedy: expect.stringContaining(`resume ${keyId}`) as string },
      { code: 'wrong_address', remedy: expect.stringContaining('"trust proxy"') as string },
    ]);
  });

  it('a key that is unknown, expired, revoked or lacks a scope -> told apart', async () => {
    const apiKey = { keyId, user: 'alice', scopes: [], source: 'test', metadata: {} };
    const servers = await Promise.all([
      guarded(guard({ source: () => undefined })),
      guarded(answers({ ok: false, code: 'expired_api_key' })),
      guarded(answers({ ok: false, code: 'revoked_api_key' })),
      guarded(
        answers({ ok: true, apiKey }),
        guard({ source: () => ({ ok: true, apiKey }), scopes: ['x'] }),
      ),
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

  it('the key under another header -> the right one is learned from the challenge, and the key not sent', async () => {
    const [other, bearer] = await Promise.all([
      guarded(guard({ header: 'X-Internal-Api-Key' })),
      guarded(guard({ header: 'Authorization', scheme: 'Bearer' })),
    ]);
    const reports = await Promise.all([check(other.url), check(bearer.url)]);
    expect(
      reports.map(({ findings }) => findings.map(({ code, remedy }) => [code, remedy])),
    ).toEqual([
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
    const named = await Promise.all(
      servers.map(({ url }) => check(url, '--origin', 'https://app.example')),
    );
    for (const { codes } of named) expect(codes).toEqual(['preflight_blocked']);
    const messages = named.map(({ findings }) => findings[0]!.message);
    expect(messages[0]).toContain('refused with 401');
    expect(messages[1]).toContain('this origin is not allowed');
    expect(messages[2]).toContain('the header x-api-key is not allowed');
    expect(await check(servers[0].url)).toMatchObject({
      ok: true,
      findings: [{ severity: 'note' }],
    });
  });
});
