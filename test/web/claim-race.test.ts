import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { compiled } from '../support/compiled.js';
import { createDatabase } from '../support/postgres.js';
import { sendTo, type Send, type WebReply } from '../support/web-app.js';

const database = await createDatabase();

async function startProcess(): Promise<Send> {
  const child = spawn(process.execPath, [compiled('test/support/claim-process.ts')], {
    env: { PATH: process.env['PATH'], DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return sendTo(Number(line));
}

it('fifty claims of one link at once on three processes -> one key, and 49 times the same answer', async () => {
  const store = new PostgresKeyStore({ client: database.pool() });
  await store.migrate();
  const keys = new ApiKeyManager({ store });
  const { token, claim } = await keys.createClaim({ user: 'alice', scopes: ['audio:write'] });
  const processes = await Promise.all([startProcess(), startProcess(), startProcess()]);
  // Each has a connection before the race begins.
  for (const send of processes) await send('POST', '/claim/describe', { body: { token } });

  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      processes[index % 3]!('POST', '/claim/claim', { body: { token } }),
    ),
  );

  const bytesOf = ({ status, lines, text }: WebReply) => [status, ...lines, text].join('\n');
  const winner = replies.find(({ status }) => status === 201);
  const refused = replies.filter(({ status }) => status === 404);
  expect([replies.length - refused.length, refused.length]).toEqual([1, 49]);
  expect(new Set(refused.map(bytesOf)).size).toBe(1);
  const records = await keys.list();
  expect(records.map(({ keyId }) => keyId)).toEqual([winner!.json['keyId']]);
  expect(await keys.listClaims()).toMatchObject([
    { claimId: claim.claimId, keyId: winner!.json['keyId'] },
  ]);
  expect(await keys.verify(winner!.json['key'] as string)).toMatchObject({ ok: true });
  await keys.close();
});
