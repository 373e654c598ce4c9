import cors from 'cors';
import express, { type RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { check, guard, guarded, serve } from '../support/checked-server.js';

const origin = 'https://app.example';
const asPage = (url: string) => check(url, '--origin', origin);

/** Good preflights, and these headers on all other answers. */
const preflightOnly = (headers: Record<string, string | string[]> = {}): RequestHandler => {
  const allow = cors();
  return (req, res, next) => {
    if (req.method === 'OPTIONS') return allow(req, res, next);
    res.set(headers);
    next();
  };
};

describe('check --origin on what a web page gets to see', () => {
  it('cors() for OPTIONS alone -> an error about the good answer, a note about the refusals', async () => {
    const app = express();
    app.options('/{*path}', cors());
    app.get('/hello', guard(), (_req, res) => void res.json({}));
    const { ok, findings } = await asPage((await serve(app)).url);
    expect(ok).toBe(false);
    expect(findings.map(({ severity, code }) => [severity, code])).toEqual([
      ['error', 'answer_blocked'],
      ['note', 'refusal_hidden'],
    ]);
    expect(findings[0]!.message).toBe(
      `Web pages on ${origin} cannot read its answer (200), although the preflight is good: no origin is allowed.`,
    );
  });

  it('cors() behind the guard, with a preflight of its own -> only a note about the refusals', async () => {
    const server = await guarded(preflightOnly(), guard(), cors());
    const { ok, findings } = await asPage(server.url);
    expect({ ok, codes: findings.map(({ code }) => code) }).toEqual({
      ok: true,
      codes: ['refusal_hidden'],
    });
  });

  it.each<[string, string | string[], string]>([
    ['another origin', 'https://other.example', 'this origin is not allowed'],
    ['null', 'null', 'only the origin "null" is allowed'],
    ['two header lines', [origin, '*'], 'has several values'],
    ['two values', `${origin}, ${origin}`, 'has several values'],
    ['a final slash', `${origin}/`, 'without a final "/"'],
    ['capitals', 'https://App.example', 'in lower case'],
  ])('a good answer that allows %s -> an error', async (_what, allowed, why) => {
    const server = await guarded(
      preflightOnly({ 'Access-Control-Allow-Origin': allowed }),
      guard(),
    );
    const { codes, findings } = await asPage(server.url);
    expect(codes).toEqual(['answer_blocked']);
    expect(findings[0]!.message).toContain(why);
  });

  it('an open address without the header -> both errors', async () => {
    const { codes } = await asPage((await guarded(preflightOnly())).url);
    expect(codes).toEqual(['open_to_all', 'answer_blocked']);
  });

  it('every origin with credentials, or one origin without Vary -> notes', async () => {
    const [wildcard, unvaried, varied] = await Promise.all([
      guarded(cors({ credentials: true }), guard()),
      guarded(preflightOnly({ 'Access-Control-Allow-Origin': origin }), guard()),
      guarded(cors({ origin }), guard()),
    ]);
    const reports = await Promise.all([wildcard, unvaried, varied].map(({ url }) => asPage(url)));
    expect(reports.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(reports.map(({ findings }) => findings.map(({ code }) => code))).toEqual([
      ['wildcard_with_credentials'],
      ['vary_missing'],
      [],
    ]);
  });

  it('a 401 whose reason is in a header alone -> a note, unless the header is exposed', async () => {
    const refuse: RequestHandler = (req, res, next) => {
      if (req.get('X-API-Key') !== undefined) return next();
      res.status(401).set('WWW-Authenticate', 'ApiKey header="X-API-Key"').end();
    };
    const servers = await Promise.all([
      guarded(cors(), refuse, guard()),
      guarded(cors({ exposedHeaders: ['WWW-Authenticate'] }), refuse, guard()),
    ]);
    const reports = await Promise.all(servers.map(({ url }) => asPage(url)));
    expect(reports.map(({ findings }) => findings.map(({ code }) => code))).toEqual([
      ['header_not_exposed'],
      [],
    ]);
  });

  it('a server that fails for an origin it does not list -> said so', async () => {
    const strict = cors({
      origin: (asked, done) =>
        asked === undefined ? done(null, true) : done(new Error('Not allowed by CORS')),
    });
    const { codes, findings } = await asPage((await guarded(strict, guard())).url);
    expect(codes).toEqual(['origin_refused']);
    expect(findings[0]!.message).toContain('answers 500 to pages on https://app.example, and 401');
  });

  it('a page of the same origin -> no preflight, no findings', async () => {
    const server = await guarded(guard());
    const report = await check(server.url, '--origin', new URL(server.url).origin);
    expect(report).toMatchObject({ ok: true, findings: [] });
    expect(report.calls.map(({ call }) => call)).not.toContain('preflight of a browser');
  });
});
