import { describe, expect, it } from 'vitest';
import { claimPage, keyDesk } from '../../src/web.js';
import { expressVersions } from '../support/guarded-app.js';
import { collectWarnings } from '../support/warnings.js';
import { expectWebProblem, memoryKeys, startWebApp } from '../support/web-app.js';

const warnings = collectWarnings();

it('a proxy that rewrites Host, on plain HTTP -> 403 that says why, and one warning; with publicUrl -> the key', async () => {
  const mark = warnings.mark();
  const headers = { Origin: 'http://portal.example', Host: 'internal:3000' };
  const { keys, send } = await startWebApp();
  const { token } = await keys.createClaim({ user: 'alice' });
  for (let turn = 0; turn < 3; turn++) {
    const refused = await send('POST', '/claim/describe', { headers, body: { token } });
    expectWebProblem(refused, 403, 'cross_origin');
    expect(refused.json['detail']).toMatch(/"publicUrl"/);
  }
  const told = await warnings.since(mark);
  expect(told).toEqual([
    expect.stringMatching(
      /^claimPage: .*http:\/\/portal\.example .*"internal:3000".*set "publicUrl"/,
    ),
  ]);
  const mended = await startWebApp({
    keys,
    claim: { publicUrl: 'http://portal.example/some/where' },
  });
  const sendFrom = (origin: string, action: string) =>
    mended.send('POST', `/claim/${action}`, {
      headers: { ...headers, Origin: origin },
      body: { token },
    });
  for (const origin of [
    'https://portal.example',
    'http://portal.example:8080',
    'http://evil.example',
    'null',
  ])
    expectWebProblem(await sendFrom(origin, 'claim'), 403, 'cross_origin');
  expect((await sendFrom('http://portal.example', 'claim')).status).toBe(201);
});

describe.each(expressVersions)('behind a proxy on $version', ({ express }) => {
  it.each([
    [true, 'portal.example', 200],
    [true, 'portal.example, inner', 200],
    [true, 'portal.example:80', 200],
    [true, 'evil.example', 403],
    [false, 'portal.example', 403],
  ])('"trust proxy" %s and X-Forwarded-Host %s -> %i', async (trusts, forwarded, status) => {
    const { keys, send } = await startWebApp({
      express,
      before: [(req, _res, next) => (req.app.set('trust proxy', trusts), next())],
    });
    const { token } = await keys.createClaim({ user: 'alice' });
    const reply = await send('POST', '/claim/describe', {
      headers: {
        Origin: 'http://portal.example',
        Host: 'internal:3000',
        'X-Forwarded-Host': forwarded,
      },
      body: { token },
    });
    expect(reply.status).toBe(status);
  });
});

it.each(['/claim', 'portal.example', 'ftp://portal.example', 'http://a:b@portal.example', 7])(
  'a publicUrl of %j -> a TypeError that names it',
  (publicUrl) => {
    const options = { keys: memoryKeys(), publicUrl } as never;
    expect(() => claimPage(options)).toThrow(/^claimPage: "publicUrl"/);
    expect(() => keyDesk(options)).toThrow(/^keyDesk: "publicUrl"/);
  },
);
