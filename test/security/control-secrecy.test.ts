import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, digestApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { SqliteKeyStore } from '../../src/sqlite.js';
import { makeKey, startAccount, type MadeKey } from '../support/account-app.js';
import { cli, folder } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';
import { startWebApp } from '../support/web-app.js';

const database = await createDatabase();
const dayMs = 86_400_000;
const channels = ['admitted', 'refused', 'fault', 'changed', 'reuse', 'claim'];

/**
 * What of a key, or of a claim link's token, must not be seen: its secret, its digest, and parts of
 * both.
 */
function secretsOf(key: string): string[] {
  const digest = digestApiKey(key).slice('sha256:'.length);
  const secret = key.startsWith('key_') ? key.slice(14, 46) : key;
  return [
    ...[secret, secret.slice(6, 26), digest, digest.slice(0, 32)],
    ...[Buffer.from(key).toString('base64').slice(20, 56), encodeURIComponent(secret)],
    Buffer.from(digest, 'hex').toString('base64').slice(0, 40),
  ];
}

/** The parts of a text beside which a secret stands. */
const placesOf = (shown: ReadonlyMap<string, string>, secrets: readonly string[]) =>
  Array.from(shown).flatMap(([place, text]) =>
    secrets.some((secret) => text.includes(secret)) ? [place] : [],
  );

it('keys made, used, paused, rotated, handed over, copied and revoked in every way -> shown once to whom they were made for, and no digest anywhere else', async () => {
  const cwd = folder();
  const env = { DATABASE_URL: 'file:keys.db' };
  const shown = new Map<string, string>();
  const keysMade: string[] = [];
  const show = (place: string, value: unknown) =>
    void shown.set(
      `${shown.size} ${place}`,
      typeof value === 'string' ? value : inspect(value, { depth: 9, showHidden: true }),
    );

  const listeners = channels.map((name) => {
    const listener = (message: unknown) => {
      const { request: _request, ...own } = message as { request?: unknown };
      show(`the channel ${name}`, own);
    };
    subscribe(`require-api-key:${name}`, listener);
    return { name, listener };
  });
  onTestFinished(() => {
    for (const { name, listener } of listeners) unsubscribe(`require-api-key:${name}`, listener);
  });
  for (const method of ['error', 'warn', 'log'] as const) {
    const spy = vi.spyOn(console, method).mockImplementation((...said: unknown[]) => {
      show(`console.${method}`, said.map(String).join(' '));
    });
    onTestFinished(() => spy.mockRestore());
  }

  const store = await SqliteKeyStore.open(join(cwd, 'keys.db'));
  await store.migrate();
  const keys = new ApiKeyManager({ store, legacyKeys: true, lastUsedIntervalMs: 1 });
  const operator = await keys.create({ user: 'boss', scopes: ['keys:manage'] });
  keysMade.push(operator.key);
  const { as, send, hello } = await startAccount({ keys, before: [], account: {} });

  // The account page: a key made, used, rotated, revoked, and refusals that could quote it.
  const alice = as('alice');
  const first = await makeKey(alice, { name: 'laptop' });
  keysMade.push(first.key);
  await hello(first.key);
  const rotated = await alice('POST', `keys/${first.record.keyId}/rotate`, { body: {} });
  keysMade.push((rotated.json as { key: string }).key);
  for (const [method, path, body] of [
    ['GET', 'session', undefined],
    ['GET', 'keys', undefined],
    ['GET', 'usage', undefined],
    ['GET', `keys?cursor=${first.key}`, undefined],
    ['GET', `usage?days=${first.key}`, undefined],
    ['POST', 'keys', { name: first.key, scopes: [first.key] }],
    ['POST', 'keys', { name: 'x', [first.key]: 1 }],
    ['POST', 'keys', { name: 'x', expiresAt: first.key }],
    ['POST', `keys/${first.key}/rotate`, {}],
    ['POST', `keys/${first.record.keyId}/revoke`, {}],
  ] as const)
    show(`account: ${method} ${path.slice(0, 6)}`, (await alice(method, path, { body })).text);
  show('account page', (await send('GET', '/account/keys', { headers: { person: 'alice' } })).text);

  // The desk, by the operator's own key.
  const desk = await startWebApp({ keys });
  const headers = { 'X-API-Key': operator.key };
  const askDesk = (method: string, path: string, body?: object) =>
    desk.send(method, `/keys/api/${path}`, { headers, body });
  const issued = (await askDesk('POST', 'keys', { user: 'erin' })).json as unknown as MadeKey;
  keysMade.push(issued.key);
  for (const [method, path, body] of [
    ['GET', 'session', undefined],
    ['GET', 'keys', undefined],
    ['GET', `keys/${first.record.keyId}/history`, undefined],
    ['GET', 'usage', undefined],
    ['GET', 'claims', undefined],
    ['POST', `keys/${issued.record.keyId}/pause`, { reason: 'away' }],
    ['POST', `keys/${issued.record.keyId}/resume`, {}],
    ['POST', `keys/${issued.key}/pause`, {}],
    ['POST', 'keys', { user: 'x', expiresAt: issued.key }],
    ['POST', `keys/${issued.record.keyId}/revoke`, {}],
  ] as const)
    show(`desk: ${method} ${path.slice(0, 6)}`, (await askDesk(method, path, body)).text);
  const legacy = 'legacy-0123456789-abcdefghij-klmnopqrst-uvwxyz';
  keysMade.push(legacy);
  show('import', await keys.import({ user: 'bob', key: legacy, by: 'boss', reason: 'moved' }));
  const held = await keys.create({
    user: 'bob',
    expiresAt: new Date(Date.now() + dayMs),
    allowedAddresses: ['203.0.113.0/24'],
  });
  keysMade.push(held.key);
  show('the record of a new key', held.record);
  expect(await hello(held.key)).toBe(403);
  show('pause', await keys.pause(operator.record.keyId, { reason: 'away' }));
  expect(await hello(operator.key)).toBe(403);
  show('resume', await keys.resume(operator.record.keyId));
  const link = await keys.createClaim({ user: 'carol' });
  const claimed = await keys.claim(link.token);
  keysMade.push(claimed.key, link.token);
  show('the record of a claimed key', claimed.record);
  const open = await keys.createClaim({ user: 'carol' });
  keysMade.push(open.token);
  for (const wrong of [
    () => keys.get(held.key),
    () => keys.pause(held.key),
    () => keys.rotate(held.key, { overlapMs: held.key as never }),
    () => keys.update(held.record.keyId, { allowedAddresses: [held.key] }),
    () => keys.usage({ from: held.key }),
    () => keys.history({ cursor: held.key }),
    () => keys.takeNotices({ beforeMs: held.key as never }),
    () => keys.claim(link.token),
    () => keys.peekClaim(link.token),
    () => keys.create({ user: held.key.slice(0, -1), name: 'x', reason: 7 as never }),
  ])
    show('what a wrong call answers', await wrong().catch((error: unknown) => error));

  for (const [place, ask] of Object.entries({
    list: () => keys.list(),
    history: () => keys.history(),
    notices: () => keys.takeNotices({ beforeMs: [14 * dayMs] }),
    claims: () => keys.listClaims(),
    manager: async () => keys,
  }))
    show(place, await ask());
  await new Promise((resolve) => void setTimeout(resolve, 100));
  const usage = await keys.usage();
  expect(usage.length).toBeGreaterThan(0);
  show('usage', usage);

  // The command line, on the same file, and on its copy in PostgreSQL.
  await new PostgresKeyStore({ client: database.pool() }).migrate();
  for (const args of [
    ['list', '--json'],
    ['list'],
    ['show', held.record.keyId],
    ['history', '--json'],
    ['usage', '--json'],
    ['claims', '--json'],
    ['notices', '--before', '14d', '--json'],
    ['doctor', '--json'],
    ['show', held.key],
    ['history', held.key],
    ['usage', held.key],
    ['pause', held.key],
    ['copy', '--from', 'file:keys.db', '--to', database.url, '--json'],
    ['copy', '--from', 'file:keys.db', '--to', database.url],
    ['revoke', '--user', 'bob'],
  ]) {
    const { code, stdout, stderr } = await cli(args, {
      cwd,
      env: { ...env, API_KEYS: `dave:${held.key}`, INTERNAL_API_KEY: first.key },
    });
    show(`cli ${args[0]}`, `${stdout}\n${stderr}`);
    // A diagnosis with findings, and a key in place of its id, end otherwise.
    if (args[0] !== 'doctor' && !args.includes(held.key))
      expect([args, code, stderr]).toEqual([args, 0, stderr]);
  }
  const copied = new ApiKeyManager({ store: new PostgresKeyStore({ client: database.pool() }) });
  show('the copy', [await copied.list(), await copied.history()]);
  await copied.close();
  await keys.close();
  await store.close();

  // What must be there is found, so that what must not be would be.
  expect(placesOf(shown, [held.record.keyId]).length).toBeGreaterThan(8);
  for (const key of keysMade)
    expect([key.slice(0, 8), placesOf(shown, secretsOf(key))]).toEqual([key.slice(0, 8), []]);

  // The file holds digests, and never a key or a token.
  const files = readdirSync(cwd).map((name) => readFileSync(join(cwd, name), 'latin1'));
  expect(files.some((text) => text.includes(digestApiKey(first.key)))).toBe(true);
  for (const key of keysMade) {
    const secret = key.startsWith('key_') ? key.slice(14, 46) : key;
    expect(files.some((text) => text.includes(secret))).toBe(false);
  }
}, 120_000);
