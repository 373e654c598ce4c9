import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, type CreatedClaim } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { compiled } from '../support/compiled.js';
import { createDatabase } from '../support/postgres.js';
import { sendTo, type Send, type WebReply } from '../support/web-app.js';

const database = await createDatabase();
const client = database.pool();
const store = new PostgresKeyStore({ client });

const crashes = 9;
const linksPerCrash = 30;

beforeAll(() => store.migrate());

async function startProcess(): Promise<{ child: ChildProcess; send: Send }> {
  const child = spawn(process.execPath, [compiled('test/support/claim-process.ts')], {
    env: { PATH: process.env['PATH'], DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { child, send: sendTo(Number(line)) };
}

/**
 * Claims many links at once and kills the server when so many of them were answered; resolves to
 * the answers that came.
 */
async function crash(
  links: readonly CreatedClaim[],
  afterAnswers: number,
): Promise<Map<string, WebReply>> {
  const { child, send } = await startProcess();
  const gone = once(child, 'exit');
  const answers = new Map<string, WebReply>();
  // Some connections to the database are open, as under load.
  await Promise.all(
    links.slice(0, 5).map(({ token }) => send('POST', '/claim/describe', { body: { token } })),
  );
  const claims = links.map(async ({ token, claim }) => {
    const reply = await send('POST', '/claim/claim', { body: { token } }).catch(() => undefined);
    if (!reply) return;
    answers.set(claim.claimId, reply);
    if (answers.size === afterAnswers) child.kill('SIGKILL');
  });
  await Promise.all(claims);
  await gone;
  return answers;
}

/**
 * What a killed client had sent is still carried out, until its connection is found to be broken.
 */
async function untilQuiet(): Promise<void> {
  const others = `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    and state is distinct from 'idle'`;
  await expect.poll(async () => (await client.query(others)).rowCount, { timeout: 10_000 }).toBe(0);
}

it(`a server that is killed amid claims, ${crashes} times -> each link has exactly one key, or none and is open`, async () => {
  const keys = new ApiKeyManager({ store });
  onTestFinished(() => keys.close());
  const rounds = await Promise.all(
    Array.from({ length: crashes }, async (_, round) => ({
      links: await Promise.all(
        Array.from({ length: linksPerCrash }, () => keys.createClaim({ user: `user-${round}` })),
      ),
      afterAnswers: 1 + 2 * round,
    })),
  );

  const answers = new Map<string, WebReply>();
  for (let first = 0; first < crashes; first += 3) {
    const killed = await Promise.all(
      rounds.slice(first, first + 3).map(({ links, afterAnswers }) => crash(links, afterAnswers)),
    );
    for (const each of killed) for (const [claimId, reply] of each) answers.set(claimId, reply);
  }
  await untilQuiet();

  const links = rounds.flatMap((round) => round.links);
  const { rows } = await client.query<{
    id: string;
    claimed: boolean;
    key: string | null;
    found: number;
  }>(
    `select c.claim_id as id, c.claimed_at is not null as claimed, c.key_id as key,
       (select count(*)::int from api_keys k where k.key_id = c.key_id and k.user_name = c.user_name) as found
     from api_keys_claims c`,
  );
  const claimed = rows.filter((row) => row.claimed);
  expect(rows).toHaveLength(links.length);
  for (const { claimed: isClaimed, key, found } of rows) {
    expect([isClaimed, key !== null, found]).toEqual(
      isClaimed ? [true, true, 1] : [false, false, 0],
    );
  }
  // Every key is that of one link: neither a key without a link nor one for two.
  const all = await client.query<{ key: string }>('select key_id as key from api_keys');
  expect(all.rows.map(({ key }) => key).toSorted()).toEqual(
    claimed.map(({ key }) => key!).toSorted(),
  );
  // The crashes came in the middle: answered, claimed without an answer, and never claimed.
  expect(answers.size).toBeGreaterThan(0);
  expect(claimed.length).toBeGreaterThan(0);
  expect(claimed.length).toBeLessThan(links.length);

  for (const [claimId, { status, json }] of answers) {
    expect(status).toBe(201);
    expect(rows.find(({ id }) => id === claimId)?.key).toBe(json['keyId']);
    expect(await keys.verify(json['key'] as string)).toMatchObject({ ok: true });
  }
  const claimedIds = new Set(claimed.map(({ id }) => id));
  for (const { token, claim } of links) {
    const again = keys.claim(token);
    if (claimedIds.has(claim.claimId))
      await expect(again).rejects.toMatchObject({ code: 'claim_not_usable' });
    else expect((await again).record.user).toBe(claim.user);
  }
}, 120_000);
