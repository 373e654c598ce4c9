import { afterAll, expect, it, vi } from 'vitest';
import { AddressList } from '../../src/lib/addresses.js';
import { collectWarnings } from '../support/warnings.js';

const warnings = collectWarnings();
const list = AddressList.from(['203.0.113.0/24'])!;
afterAll(() => void vi.resetModules());

/** Anew, as what was warned of once is not warned of again. */
async function judge(req: object) {
  vi.resetModules();
  const { isAllowedFrom } = await import('../../src/manager/address-judge.js');
  const mark = warnings.mark();
  const verdicts = [1, 2].map(() => isAllowedFrom(list, { ip: '203.0.113.7', ...req } as never));
  return { verdicts, told: await warnings.since(mark) };
}

const trusting = (trust: unknown) => ({
  app: { get: (name: string) => (name === 'trust proxy' ? trust : 'x') },
});
const headers = { 'x-forwarded-for': '198.51.100.7' };

it('X-Forwarded-For to an app that trusts no proxy -> judged by the connection, and one warning', async () => {
  const { verdicts, told } = await judge({ ...trusting(false), headers });
  expect(verdicts).toEqual([true, true]);
  expect(told).toEqual([
    'A key that only works from certain addresses came with X-Forwarded-For, but "trust proxy" ' +
      "is not set. If a proxy is in front, its address is taken for the client's. Set " +
      '"trust proxy" to the number of proxies, app.set(\'trust proxy\', 1), or to their addresses',
  ]);
});

it('an app that trusts every address -> an error that says what to set', async () => {
  await expect(judge(trusting(true))).rejects.toThrow(
    '"trust proxy" is true, so clients can choose their address, but this key only works from ' +
      'certain addresses: set "trust proxy" to the number of proxies, ' +
      "app.set('trust proxy', 1), or to their addresses",
  );
});

it.each([undefined, 7, ['203.0.113.7'], '203.0.114.7'])(
  'a request whose address is %j -> does not come from an allowed one',
  async (ip) => {
    expect((await judge({ ...trusting(1), ip })).verdicts).toEqual([false, false]);
  },
);

it.each([
  ['no such header', { ...trusting(false), headers: {} }],
  ['no headers at all', trusting(false)],
  ['an app that trusts one proxy', { ...trusting(1), headers }],
  ['an app that says nothing', { ...trusting(undefined), headers }],
  ['an app without settings', { app: {}, headers }],
  ['no app', { headers }],
])('%s -> judged by the address, without a warning', async (_what, req) => {
  expect(await judge(req)).toEqual({ verdicts: [true, true], told: [] });
});
