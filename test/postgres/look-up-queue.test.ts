import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BrokenRecordError } from '../../src/stores/key-store-error.js';
import type { StoredKey } from '../../src/stores/key-record.js';
import type { Executor } from '../../src/stores/postgres/database.js';
import { findByDigests } from '../../src/stores/postgres/keys/find-by-digests.js';
import { LookUpQueue, type Answer } from '../../src/stores/postgres/keys/look-up-queue.js';
import { createNames } from '../../src/stores/postgres/names.js';

const newClient = () => ({ query: async () => ({ rows: [] }) });

interface Statement {
  readonly digests: readonly string[];
  readonly limitMs: number;
  readonly answer: (answer?: Answer) => void;
  readonly fail: (error: unknown) => void;
}

/** Any digest is found, under its own name. */
const found: Answer = (digest) => ({ keyId: digest }) as StoredKey;

/** A queue whose statements are answered by hand. */
function open({ client = newClient(), limitMs = 1_000 } = {}) {
  const sent: Statement[] = [];
  const queue = new LookUpQueue(
    client,
    limitMs,
    (digests, leftMs) =>
      new Promise((resolve, reject) => {
        const answer = (given = found) => resolve(given);
        sent.push({ digests, limitMs: leftMs, answer, fail: reject });
      }),
  );
  /** What a look-up comes to: a key id, `absent`, or the error. */
  const find = (digest: string): Promise<unknown> =>
    queue.find(digest).then(
      (key) => key?.keyId ?? 'absent',
      (error: unknown) => error,
    );
  const findAll = (...digests: string[]) => Promise.all(digests.map(find));
  return { queue, sent, find, findAll, digestsSent: () => sent.map(({ digests }) => digests) };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `d${index}`);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The end of a turn of the event loop, and all that follows from it. */
const endTurn = () => vi.advanceTimersByTimeAsync(0);

describe('look-ups that share statements', () => {
  it('one alone -> sent at once, with all the time there is; settled, no timer is left', async () => {
    const { sent, find } = open();
    const one = find('a');
    expect(sent).toMatchObject([{ digests: ['a'], limitMs: 1_000 }]);
    expect(vi.getTimerCount()).toBe(1);
    sent[0]!.answer();
    expect(await one).toBe('a');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('more while one is under way -> one statement for all of them at the end of the turn', async () => {
    const { find, findAll, sent, digestsSent } = open();
    const first = find('a');
    const others = findAll('b', 'c', 'd');
    expect(digestsSent()).toEqual([['a']]);
    await endTurn();
    expect(digestsSent()).toEqual([['a'], ['b', 'c', 'd']]);
    sent[1]!.answer((digest) => (digest === 'c' ? undefined : found(digest)));
    expect(await others).toEqual(['b', 'absent', 'd']);
    sent[0]!.answer();
    expect(await first).toBe('a');
  });

  it('two under way -> later ones wait for the first to end; those of many turns go together', async () => {
    const { find, sent, digestsSent } = open();
    const settled = [find('a'), find('b')];
    await endTurn();
    for (const digest of ['c', 'd']) {
      settled.push(find(digest));
      await endTurn();
    }
    expect(digestsSent()).toEqual([['a'], ['b']]);
    sent[0]!.answer();
    await endTurn();
    expect(digestsSent()).toEqual([['a'], ['b'], ['c', 'd']]);
    for (const { answer } of sent) answer();
    expect(await Promise.all(settled)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('1,200 more -> 500 a statement, in the order in which they came', async () => {
    const { find, findAll, sent } = open();
    const first = find('a');
    const digests = numbered(1_200);
    const others = findAll(...digests);
    await endTurn();
    expect(sent.map((each) => each.digests.length)).toEqual([1, 500]);
    sent[0]!.answer();
    await endTurn();
    expect(sent.map((each) => each.digests.length)).toEqual([1, 500, 500]);
    sent[2]!.answer();
    await endTurn();
    expect(sent.slice(1).flatMap((each) => each.digests)).toEqual(digests);
    for (const { answer } of sent) answer();
    expect(await others).toEqual(digests);
    expect(await first).toBe('a');
    expect(sent).toHaveLength(4);
  });

  it('answered together, asked again in the same turn -> one statement again', async () => {
    const { find, findAll, sent, digestsSent } = open();
    const first = find('a');
    const others = findAll('b', 'c', 'd');
    await endTurn();
    sent[0]!.answer();
    await first;
    sent[1]!.answer();
    await others;
    const again = findAll('b', 'c', 'd');
    expect(sent).toHaveLength(2);
    await endTurn();
    expect(digestsSent().slice(2)).toEqual([['b', 'c', 'd']]);
    sent[2]!.answer();
    expect(await again).toEqual(['b', 'c', 'd']);
  });

  it('the same digest again while its statement is under way -> asked anew', async () => {
    const { find, sent, digestsSent } = open();
    const early = find('a');
    const late = find('a');
    await endTurn();
    expect(digestsSent()).toEqual([['a'], ['a']]);
    sent[1]!.answer(() => undefined);
    expect(await late).toBe('absent');
    sent[0]!.answer();
    expect(await early).toBe('a');
  });

  it('two queues over one client -> two statements in all; another client has its own', async () => {
    const client = newClient();
    const [one, two, apart] = [open({ client }), open({ client }), open()];
    const settled = [one.find('a'), one.find('b')];
    await endTurn();
    settled.push(two.find('c'), two.find('d'));
    await endTurn();
    expect([one.digestsSent(), two.digestsSent()]).toEqual([[['a'], ['b']], []]);
    const elsewhere = apart.find('e');
    expect(apart.digestsSent()).toEqual([['e']]);
    one.sent[0]!.answer();
    await endTurn();
    expect(two.digestsSent()).toEqual([['c', 'd']]);
    for (const { answer } of [...one.sent, ...two.sent, ...apart.sent]) answer();
    expect(await Promise.all([...settled, elsewhere])).toEqual(['a', 'b', 'c', 'd', 'e']);
    await endTurn();
    // The lanes are free again: nothing was counted twice.
    const again = two.find('f');
    expect(two.digestsSent().at(-1)).toEqual(['f']);
    two.sent.at(-1)!.answer();
    expect(await again).toBe('f');
  });

  it('three queues, and one place becomes free -> one of those that wait takes it', async () => {
    const client = newClient();
    const [one, two, three] = [open({ client }), open({ client }), open({ client })];
    const settled = [one.find('a'), one.find('b')];
    await endTurn();
    settled.push(two.find('c'), three.find('d'));
    await endTurn();
    one.sent[1]!.answer();
    await endTurn();
    expect([two.sent.length, three.sent.length]).toEqual([1, 0]);
    one.sent[0]!.answer();
    await endTurn();
    expect([two.sent.length, three.sent.length]).toEqual([1, 1]);
    for (const { answer } of [...two.sent, ...three.sent]) answer();
    expect(await Promise.all(settled)).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('look-ups that fail', () => {
  it('a statement that fails -> all in it fail with that very error, and the next is sent', async () => {
    const { find, findAll, sent } = open();
    const first = find('a');
    const others = findAll('b', 'c');
    await endTurn();
    const error = new Error('connection lost');
    sent[1]!.fail(error);
    expect(await others).toEqual([error, error]);
    sent[0]!.answer();
    expect(await first).toBe('a');
    await endTurn();
    const next = find('d');
    expect(sent.at(-1)!.digests).toEqual(['d']);
    sent.at(-1)!.answer();
    expect(await next).toBe('d');
    await endTurn();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('an answer that throws for one digest -> that one fails, the others do not', async () => {
    const { find, findAll, sent } = open();
    const first = find('a');
    const others = findAll('b', 'c', 'd');
    await endTurn();
    const error = new BrokenRecordError('a record cannot be read');
    sent[1]!.answer((digest) => {
      if (digest === 'c') throw error;
      return found(digest);
    });
    expect(await others).toEqual(['b', error, 'd']);
    sent[0]!.answer();
    expect(await first).toBe('a');
    await endTurn();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a record that makes a statement of five fail -> halves, until it alone is left', async () => {
    const client = newClient();
    const sent: (readonly string[])[] = [];
    const broken = new BrokenRecordError('a record cannot be read');
    const queue = new LookUpQueue(client, 1_000, async (digests) => {
      sent.push(digests);
      if (digests.includes('d3')) throw broken;
      return found;
    });
    const first = queue.find('a');
    const others = Promise.allSettled(numbered(5).map((digest) => queue.find(digest)));
    await endTurn();
    expect((await first)?.keyId).toBe('a');
    expect((await others).map((each) => (each.status === 'rejected' ? each.reason : 'ok'))).toEqual(
      ['ok', 'ok', 'ok', broken, 'ok'],
    );
    expect(sent.slice(1)).toEqual([
      ['d0', 'd1', 'd2', 'd3', 'd4'],
      ['d0', 'd1', 'd2'],
      ['d3', 'd4'],
      ['d3'],
      ['d4'],
    ]);
    // The places of the halves are given back at the end of the turn.
    await vi.advanceTimersByTimeAsync(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('any other failure of many -> not sent again', async () => {
    const { find, findAll, sent } = open();
    void find('a');
    const others = findAll('b', 'c');
    await endTurn();
    sent[1]!.fail(new Error('statement timeout'));
    await others;
    expect(sent).toHaveLength(2);
  });
});

describe('look-ups that run out of time', () => {
  const tooLate = {
    message: 'PostgresKeyStore: findByDigest failed: no answer within 1000 ms',
    cause: { code: 'ETIMEDOUT' },
  };

  it('no answer -> a fault at the limit, counted from the call, for those that were not sent too', async () => {
    const { find, sent, digestsSent } = open();
    const settled = vi.fn();
    const all = [find('a'), find('b')];
    await endTurn();
    all.push(find('c'));
    await endTurn();
    for (const each of all) void each.then(settled);
    await vi.advanceTimersByTimeAsync(999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const errors = await Promise.all(all);
    for (const error of errors) expect(error).toMatchObject(tooLate);
    expect(new Set(errors).size).toBe(1);
    // A place that becomes free is not for those that nobody waits for.
    sent[0]!.answer();
    sent[1]!.fail(new Error('connection lost'));
    await endTurn();
    expect(digestsSent()).toEqual([['a'], ['b']]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a later one -> has its own time, and what is left of it is what its statement gets', async () => {
    const { find, sent } = open();
    const one = find('a');
    const two = find('b');
    await endTurn();
    await vi.advanceTimersByTimeAsync(600);
    const three = find('c');
    await endTurn();
    await vi.advanceTimersByTimeAsync(300);
    sent[0]!.answer();
    expect(await one).toBe('a');
    await endTurn();
    expect(sent[2]).toMatchObject({ digests: ['c'], limitMs: 700 });
    await vi.advanceTimersByTimeAsync(100);
    expect(await two).toMatchObject(tooLate);
    const settled = vi.fn();
    void three.then(settled);
    await vi.advanceTimersByTimeAsync(599);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await three).toMatchObject(tooLate);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('one that was answered in time -> the time of a later one goes on', async () => {
    const { find, sent } = open();
    const one = find('a');
    await vi.advanceTimersByTimeAsync(600);
    const two = find('b');
    await endTurn();
    sent[0]!.answer();
    expect(await one).toBe('a');
    const settled = vi.fn();
    void two.then(settled);
    await vi.advanceTimersByTimeAsync(999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await two).toMatchObject(tooLate);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a broken record in a statement, found when the rest has given up -> nothing is sent again', async () => {
    const { find, findAll, sent } = open();
    void find('a');
    const others = findAll('b', 'c');
    await endTurn();
    await vi.advanceTimersByTimeAsync(1_000);
    for (const error of await others) expect(error).toMatchObject(tooLate);
    sent[1]!.fail(new BrokenRecordError('a record cannot be read'));
    await endTurn();
    expect(sent).toHaveLength(2);
  });

  it('a limit of less than a millisecond left -> a limit of one, not of none', async () => {
    const { find, findAll, sent } = open({ limitMs: 1 });
    const first = find('a');
    const others = findAll('b', 'c');
    await endTurn();
    expect(sent[1]!.limitMs).toBe(1);
    for (const { answer } of sent) answer();
    expect([await first, ...(await others)]).toEqual(['a', 'b', 'c']);
  });
});

describe('one statement for many digests', () => {
  const names = createNames('public', 'api_keys');
  const row = (digest: string, changes = {}) => ({
    digest,
    key_id: `key_${digest}`,
    user_name: 'alice',
    scopes: '[]',
    metadata: '{}',
    created_at: '0',
    is_hidden: null,
    ...changes,
  });
  const hidden = { digest: null, is_hidden: 'true' };

  function answering(...answers: (unknown[] | Error)[]) {
    const query = vi.fn(async (_action: string, _statement: { text: string }) => {
      const answer = answers.shift();
      if (!Array.isArray(answer)) throw answer;
      return answer;
    });
    return { query, executor: { names, query } as unknown as Executor };
  }

  it('some found -> their records, and the others are absent', async () => {
    const { executor, query } = answering([row('a'), row('c')]);
    const answer = await findByDigests(executor, ['a', 'b', 'c']);
    expect(['a', 'b', 'c'].map((digest) => answer(digest)?.keyId)).toEqual([
      'key_a',
      undefined,
      'key_c',
    ]);
    expect(query).toHaveBeenCalledTimes(1);
    const [action, statement] = query.mock.calls[0]!;
    expect([action, statement]).toMatchObject(['findByDigest', { values: ['{"a","b","c"}'] }]);
    expect(statement.text).toMatch(/k\.digest = any\(\$1.*union all select null, /s);
  });

  it('row-level security, and all found -> believed without another question', async () => {
    const { executor, query } = answering([row('a'), hidden]);
    expect((await findByDigests(executor, ['a']))('a')?.keyId).toBe('key_a');
    expect(query).toHaveBeenCalledTimes(1);
  });

  it('row-level security that hides rows -> what was not found is a fault, what was is right', async () => {
    const { executor } = answering([row('a'), hidden], [{ is_hidden: 'true' }]);
    const answer = await findByDigests(executor, ['a', 'b']);
    expect(answer('a')?.keyId).toBe('key_a');
    expect(() => answer('b')).toThrow(/row-level security may hide rows/);
  });

  it('row-level security that hides none -> absent', async () => {
    const { executor, query } = answering([hidden], []);
    expect((await findByDigests(executor, ['b']))('b')).toBeUndefined();
    expect(query).toHaveBeenCalledTimes(2);
  });

  it('nobody can tell whether rows are hidden -> a fault, not absent', async () => {
    const lost = new Error('connection lost');
    const { executor } = answering([row('a'), hidden], lost);
    const answer = await findByDigests(executor, ['a', 'b']);
    expect(answer('a')?.keyId).toBe('key_a');
    expect(() => answer('b')).toThrow(lost);
  });

  it('a record that cannot be read -> broken, without a word of it; the others are right', async () => {
    const { executor } = answering([row('a', { scopes: '{secret' }), row('b')]);
    const answer = await findByDigests(executor, ['a', 'b']);
    expect(() => answer('a')).toThrow(
      new BrokenRecordError('PostgresKeyStore: findByDigest failed: a record cannot be read'),
    );
    expect(answer('b')?.keyId).toBe('key_b');
  });

  it.each([
    ['22P02', true],
    ['21000', true],
    ['P0001', true],
    ['XX001', true],
    ['XX002', true],
    ['XX000', false],
    ['08006', false],
    ['57014', false],
  ])('a statement that fails with %s -> may be one record: %s', async (code, isBroken) => {
    const cause = Object.assign(new Error('no'), { code });
    const failure = new Error('PostgresKeyStore: findByDigest failed: no', { cause });
    const { executor } = answering(failure);
    const error = await findByDigests(executor, ['a']).catch((each: unknown) => each);
    expect(error instanceof BrokenRecordError).toBe(isBroken);
    expect(error).toMatchObject({ message: failure.message, cause });
    if (!isBroken) expect(error).toBe(failure);
  });
});
