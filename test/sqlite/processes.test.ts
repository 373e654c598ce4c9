import { setTimeout as delay } from 'node:timers/promises';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, type KeyRecord } from '../../src/index.js';
import type { ClaimOutcome } from '../../src/stores/claim-store.js';
import { compiled } from '../support/compiled.js';
import {
  startStoreProcess,
  startStoreProcesses,
  type Outcome,
  type StoreProcess,
} from '../support/start-store-process.js';
import { byHand, createPath, look, openStore } from '../support/sqlite.js';
import { storedKey, successor } from '../support/stored-key.js';

async function isAdmitted(other: StoreProcess, key: string): Promise<boolean> {
  const [outcome] = await other.call<{ ok: boolean }>('keys', 'verify', [key]);
  return outcome!.value!.ok;
}

/** How long the other process goes on admitting the key. */
async function refusedAfter(other: StoreProcess, key: string, change: () => unknown) {
  expect(await isAdmitted(other, key)).toBe(true);
  await change();
  const changedAt = performance.now();
  while (await isAdmitted(other, key)) await delay(5);
  return performance.now() - changedAt;
}

const good = (outcomes: readonly Outcome[]) => outcomes.filter(({ code }) => code === undefined);

// Starting a process takes seconds where the machine is busy.
describe('processes on one file', { timeout: 90_000 }, () => {
  it('a key revoked in one process, or by hand -> refused in another within a second', async () => {
    const path = createPath();
    const store = await openStore(path);
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const other = await startStoreProcess({ file: path });
    const [first, second, third] = await Promise.all(
      ['a', 'b', 'c'].map((user) => keys.create({ user })),
    );
    const revokedAfter = await refusedAfter(other, first!.key, () =>
      keys.revoke(first!.record.keyId),
    );
    const byHandAfter = await refusedAfter(other, second!.key, () =>
      byHand(path, `update api_keys set revoked_at = datetime('now') where user_name = 'b'`),
    );
    const deletedAfter = await refusedAfter(other, third!.key, () =>
      byHand(path, `delete from api_keys where user_name = 'c'`),
    );
    expect(Math.max(revokedAfter, byHandAfter, deletedAfter)).toBeLessThan(1_000);
  });

  it('processes that rest, and a key revoked in another or by hand -> their very next request is refused', async () => {
    const path = createPath();
    const keys = new ApiKeyManager({ store: await openStore(path) });
    onTestFinished(() => keys.close());
    const others = await startStoreProcesses({ file: path }, 2);
    const [first, second] = await Promise.all(['a', 'b'].map((user) => keys.create({ user })));
    for (const each of others)
      for (const { key } of [first!, second!]) expect(await isAdmitted(each, key)).toBe(true);
    // They look no more four seconds and a poll after that.
    await delay(6_000);
    await keys.revoke(first!.record.keyId);
    expect(await isAdmitted(others[0]!, first!.key)).toBe(false);
    byHand(path, `update api_keys set revoked_at = datetime('now') where user_name = 'b'`);
    expect(await isAdmitted(others[1]!, second!.key)).toBe(false);
  });

  it('a file that is not there, migrated by several processes at once -> each succeeds, one does it', async () => {
    const path = createPath();
    const processes = await startStoreProcesses({ file: path }, 4);
    const outcomes = await Promise.all(
      processes.map((each) =>
        each.call('store', 'migrate', ...Array.from({ length: 3 }, () => [])),
      ),
    );
    expect(outcomes.flat().map(({ code }) => code)).toEqual(Array.from({ length: 12 }));
    expect(look(path, 'select version from api_keys_migrations')).toMatchObject([{ version: 1 }]);
    expect((await (await openStore(path)).inspect()).state).toBe('ready');
  });

  it('rotations and claims of one key by several processes at once -> exactly one wins', async () => {
    const path = createPath();
    const store = await openStore(path);
    const processes = await startStoreProcesses({ file: path }, 3);
    const overlap = { overlapMs: 1_000, startsAt: 'now' };
    for (let turn = 0; turn < 5; turn++) {
      const key = storedKey({ keyId: `key_${turn}` });
      await store.insert(key);
      const claimId = `claim_${turn}`;
      const { digest: tokenDigest } = storedKey();
      const times = { createdAt: new Date(), expiresAt: new Date(Date.now() + 60_000) };
      await store.claims.insert({
        claimId,
        tokenDigest,
        user: 'alice',
        scopes: [],
        metadata: {},
        ...times,
      });
      const rotations = await Promise.all(
        processes.map((each) =>
          each.call(
            'store',
            'rotate',
            ...Array.from({ length: 10 }, () => [key.keyId, successor(), overlap]),
          ),
        ),
      );
      expect(good(rotations.flat())).toHaveLength(1);
      const losers = rotations.flat().filter(({ code }) => code !== undefined);
      expect(new Set(losers.map(({ code }) => code))).toEqual(new Set(['already_rotated']));
      const takes = await Promise.all(
        processes.map((each) =>
          each.call<ClaimOutcome>(
            'claims',
            'take',
            ...Array.from({ length: 10 }, () => [tokenDigest, successor()]),
          ),
        ),
      );
      const outcomes = takes.flat().map(({ value, code }) => value?.outcome ?? code);
      expect(outcomes.filter((each) => each === 'claimed')).toHaveLength(1);
      expect(outcomes.filter((each) => each === 'used')).toHaveLength(29);
    }
  });

  it('fifty keys at once in each of three processes, of a user who may have seven -> seven', async () => {
    const path = createPath();
    const store = await openStore(path);
    const processes = await startStoreProcesses({ file: path }, 3);
    const limit = { maxKeysPerUser: 7, now: new Date() };
    const outcomes = await Promise.all(
      processes.map((each) =>
        each.call<KeyRecord>(
          'store',
          'insert',
          ...Array.from({ length: 50 }, () => [storedKey(), { limit }]),
        ),
      ),
    );
    expect(good(outcomes.flat())).toHaveLength(7);
    const codes = new Set(outcomes.flat().flatMap(({ code }) => code ?? []));
    expect(codes).toEqual(new Set(['too_many_keys']));
    expect(await store.list({ limit: 100, now: new Date() })).toHaveLength(7);
    expect(await store.events.list({ limit: 100 })).toHaveLength(7);
  });

  it('a process killed in a loop of revocations, again and again -> none that was answered is lost', async () => {
    const path = createPath();
    await openStore(path);
    byHand(
      path,
      `with recursive n (i) as (select 0 union all select i + 1 from n where i < 399)
        insert into api_keys (key_id, user_name, digest)
        select printf('key_%04d', i), 'alice', 'sha256:' || lower(hex(randomblob(32))) from n`,
    );
    const program = compiled('test/support/sqlite-revoking-process.ts');
    const answered: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const child = fork(program, [path, String(turn * 100)], { execArgv: [] });
      onTestFinished(() => void child.kill('SIGKILL'));
      let count = 0;
      child.on('message', (keyId: string) => {
        answered.push(keyId);
        if (++count > 20 + turn * 7) child.kill('SIGKILL');
      });
      await once(child, 'exit');
    }
    expect(answered.length).toBeGreaterThan(80);
    const revoked = look(path, 'select key_id from api_keys where revoked_at is not null');
    expect(revoked.map((row) => row['key_id'])).toEqual(expect.arrayContaining(answered));
    const events = look(path, `select key_id from api_keys_events where what = 'revoked'`);
    expect(events).toHaveLength(revoked.length);
    expect(look(path, 'pragma integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
    expect(look(path, 'select * from api_keys_context')).toEqual([]);
  });
});
