import { describe, expect, it } from 'vitest';
import { startWebApp } from '../support/web-app.js';

type Address = { hash: string; search?: string; pathname?: string; href?: string };
type Reading = { token?: string; found?: number; isJoined?: true };

const { readClaimLink } = (await import(
  new URL('../../src/web/browser/claim-link.js', import.meta.url).href
)) as { readClaimLink: (address: Address) => Reading };

const token = 'jB1vqTBNb8yrKXVGIY2BVYaIqAHJ3zqRAuMqHn0-9_E';
const [start, end] = [token.slice(0, 20), token.slice(20)];

describe('a claim link in the address', () => {
  it.each([
    '.',
    ',',
    '>',
    ')',
    ').',
    '"',
    "'",
    '%22',
    '%20',
    '%20Best%20regards',
    '&utm_source=x',
    '&amp;utm_source=x',
    '?utm_source=x',
    '\u200b',
    '%E2%80%8B',
    '%C2%A0',
    '\u201d',
    '%E2%80%9D',
    '%EF%BF%BD',
    '%',
    '%ff',
    '*',
    '=',
    '%3D',
    '%0D%0A',
    'abc',
    '#top',
  ])('%j behind it -> ignored', (rubbish) => {
    expect(readClaimLink({ hash: `#${token}${rubbish}` })).toEqual({ token });
  });

  it.each(['<', '%3C', '%20', '"', '#', '%23', '/', '\u200b', '%E2%80%8B'])(
    '%j before it -> ignored',
    (rubbish) => {
      expect(readClaimLink({ hash: `#${rubbish}${token}` })).toEqual({ token });
    },
  );

  it.each(['\u00ad', '%C2%AD', '\u200b', '%E2%80%8B', '\ufeff', '\u2060'])(
    '%j inside it, which nobody sees -> ignored',
    (mark) => {
      expect(readClaimLink({ hash: `#${start}${mark}${end}` })).toEqual({ token });
    },
  );

  it.each(['%20', '%0A', '%0D%0A', '=%0D%0A', '=', '%3D%0A', '%0D%0A%20', '%250A'])(
    'a line break inside it as %j, all characters there -> joined',
    (mark) => {
      for (const tail of ['', '.', '%3E', '%20Best%20regards'])
        expect(readClaimLink({ hash: `#${start}${mark}${end}${tail}` })).toEqual({
          token,
          isJoined: true,
        });
    },
  );

  it('a hyphen of another alphabet -> the one that was meant', () => {
    expect(readClaimLink({ hash: `#${token.replace('-', '\u2011')}` })).toEqual({ token });
  });

  it.each([
    ['', undefined],
    ['#.', 0],
    [`#${token.slice(0, 42)}`, 42],
    [`#${token.slice(0, 42)}.`, 42],
    [`#${start}%20Best%20regards%20from%20all%20of%20us%20here`, 20],
    [`#${start}%3E${end}`, 20],
  ])('%j, which is too little -> no token, and how much was found', (hash, found) => {
    expect(readClaimLink({ hash })).toEqual(found === undefined ? {} : { found });
  });

  it('the token behind a "?" or an encoded "#" -> found; parameters of somebody else -> none', () => {
    const read = (pathname: string, search: string) =>
      readClaimLink({ hash: '', search, pathname });
    expect(read('/claim', `?${token}`)).toEqual({ token });
    expect(read('/claim', `?${token}&utm_source=x`)).toEqual({ token });
    expect(read('/claim', `?utm_source=x%23${token}`)).toEqual({ token });
    expect(read(`/claim/%23${token}`, '')).toEqual({ token });
    expect(read(`/claim/%2523${token}`, '')).toEqual({ token });
    expect(read('/claim', `?${token.slice(0, 40)}`)).toEqual({ found: 40 });
    for (const search of ['', '?utm_source=x', `?fbclid=${token}`, '?a_name_of_more_than_20_=x'])
      expect(read('/claim', search)).toEqual({});
    expect(readClaimLink({ hash: '', href: 'https://host/claim#' })).toEqual({ found: 0 });
  });
});

it('%23 for the # below the mount -> sent on to the page; anything else there is not found', async () => {
  const { send } = await startWebApp();
  const mended = await send('GET', `/claim/%23${token}.`);
  expect(mended.status).toBe(302);
  expect(mended.headers['location']).toBe(`./#${token}`);
  expect(mended.headers['cache-control']).toBe('no-store');
  for (const path of [`/claim/%23${start}`, `/claim/${token}`, `/claim/%23//evil.example/${token}`])
    expect((await send('GET', path)).status).toBe(404);
});
