import { describe, expect, it } from 'vitest';
import { assertSameOrigin } from '../../../src/web/http/same-origin.js';
import { arrive, type Lines } from '../../support/call-guard.js';
import { collectWarnings } from '../../support/warnings.js';

const warnings = collectWarnings();
const address = { caller: 'claimPage', publicUrl: undefined };

/** The code of the refusal, or `undefined`. */
function judge(lines: Lines, { publicUrl, trusts }: { publicUrl?: string; trusts?: unknown } = {}) {
  const { req } = arrive(lines, 'POST');
  const settings = new Map([['trust proxy fn', trusts]]);
  Object.assign(req, { app: { get: (setting: string) => settings.get(setting) } });
  try {
    assertSameOrigin(req, { ...address, publicUrl });
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a browser that says where the request comes from', () => {
  it.each([
    ['same-origin', undefined],
    ['same-site', 'cross_origin'],
    ['cross-site', 'cross_origin'],
    ['none', 'cross_origin'],
    ['', 'cross_origin'],
  ])('Sec-Fetch-Site: %s -> %s', (site, code) => {
    expect(judge({ 'Sec-Fetch-Site': site })).toBe(code);
  });

  it('same-origin beside an origin that is rewritten -> the browser is believed', () => {
    const lines = { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://a.example', Host: 'inner' };
    expect(judge(lines)).toBeUndefined();
  });
});

describe('a browser that sends its origin alone', () => {
  it.each<[string, Lines, string | undefined]>([
    ['none, as from curl', { Host: 'a.example' }, undefined],
    ['the host', { Origin: 'http://a.example', Host: 'a.example' }, undefined],
    ['the host and port', { Origin: 'http://a.example:81', Host: 'a.example:81' }, undefined],
    [
      'the host, with the port implied',
      { Origin: 'https://a.example', Host: 'a.example:443' },
      undefined,
    ],
    ['the host in capitals', { Origin: 'http://a.example', Host: 'A.EXAMPLE' }, undefined],
    ['another port', { Origin: 'http://a.example:81', Host: 'a.example' }, 'cross_origin'],
    ['another host', { Origin: 'http://b.example', Host: 'a.example' }, 'cross_origin'],
    ['a longer host', { Origin: 'http://a.example.b', Host: 'a.example' }, 'cross_origin'],
    ['null', { Origin: 'null', Host: 'null' }, 'cross_origin'],
    ['an extension', { Origin: 'moz-extension://a.example', Host: 'a.example' }, 'cross_origin'],
    ['xhttp', { Origin: 'xhttp://a.example', Host: 'a.example' }, 'cross_origin'],
    ['no host', { Origin: 'http://a.example' }, 'cross_origin'],
    ['a host that is none', { Origin: 'http://a.example', Host: '' }, 'cross_origin'],
  ])('%s -> %3$s', (_what, lines, code) => {
    expect(judge(lines)).toBe(code);
  });

  it.each<[string, string, string | undefined]>([
    ['the same origin', 'https://a.example/keys', undefined],
    ['another scheme', 'http://a.example/keys', 'cross_origin'],
    ['another port', 'https://a.example:81/', 'cross_origin'],
    ['another host', 'https://b.example/', 'cross_origin'],
  ])('behind a proxy, publicUrl of %s -> %3$s', (_what, publicUrl, code) => {
    expect(judge({ Origin: 'https://a.example', Host: 'inner' }, { publicUrl })).toBe(code);
  });

  it.each<[string, string, unknown, string | undefined]>([
    ['the host, trusted', 'a.example', () => true, undefined],
    ['the first of two, trusted', ' a.example , inner', () => true, undefined],
    ['the second of two', 'inner, a.example', () => true, 'cross_origin'],
    ['the host, not trusted', 'a.example', () => false, 'cross_origin'],
    ['the host, with an answer that is not true', 'a.example', () => 1, 'cross_origin'],
    ['the host, without Express', 'a.example', undefined, 'cross_origin'],
  ])('X-Forwarded-Host of %s -> %4$s', (_what, forwarded, trusts, code) => {
    const lines = { Origin: 'https://a.example', Host: 'inner', 'X-Forwarded-Host': forwarded };
    expect(judge(lines, { trusts })).toBe(code);
  });

  it('a proxy that is asked for the nearest address -> trusted for that alone', () => {
    const asked: unknown[] = [];
    const trusts = (...of: unknown[]) => asked.push(of) > 0;
    judge({ Origin: 'https://a.example', Host: 'inner' }, { trusts });
    expect(asked).toEqual([[undefined, 0]]);
  });

  it('a request without an application -> judged by Host', () => {
    const { req } = arrive({ Origin: 'https://b.example', Host: 'a.example' }, 'POST');
    expect(() => assertSameOrigin(req, address)).toThrow(
      expect.objectContaining({
        code: 'cross_origin',
        message:
          'The server does not know the address of this page as its own. Its operator must set ' +
          '"publicUrl", or let the proxy pass on the Host header.',
      }),
    );
  });
});

it('refusals of two pages -> a warning for each page, once, with both addresses cut short', async () => {
  const mark = warnings.mark();
  const long = `${'a'.repeat(250)}.example`;
  for (const caller of ['pageOfOne', 'pageOfOne', 'pageOfAnother']) {
    const { req } = arrive({ Origin: `https://${'b.'.repeat(120)}example`, Host: long }, 'POST');
    expect(() => assertSameOrigin(req, { caller, publicUrl: undefined })).toThrow();
  }
  const told = (await warnings.since(mark)).filter((each) => each.startsWith('pageOf'));
  expect(told.map((each) => each.slice(0, each.indexOf(':')))).toEqual([
    'pageOfOne',
    'pageOfAnother',
  ]);
  for (const each of told) {
    expect(each).toContain(` ${`https://${'b.'.repeat(120)}`.slice(0, 200)} was refused`);
    expect(each).toContain(`"${long.slice(0, 200)}"`);
    expect(each).not.toContain(long.slice(0, 201));
    expect(each).toMatch(/set "publicUrl" to that address, or let the proxy pass on Host\./);
  }
});
