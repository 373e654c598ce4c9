import { describe, expect, it, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore, type KeyStore } from '../../src/index.js';
import type { Attribution } from '../../src/manager/change-options.js';
import type { CreateClaimOptions, ListClaimsOptions } from '../../src/manager/claim-options.js';
import type {
  PauseKeyOptions,
  RevokeAllOptions,
  RevokeKeyOptions,
  RotateKeyOptions,
  UpdateKeyOptions,
  CreateKeyOptions,
} from '../../src/manager/key-options.js';
import type {
  HistoryOptions,
  ListKeysOptions,
  UsageOptions,
} from '../../src/manager/query-options.js';
import { makeKey, startAccount, type AccountAppOptions } from '../support/account-app.js';
import { startDesk } from '../support/desk-app.js';
import {
  codesOf,
  expectDescribed,
  lookUp,
  nameAt,
  operationsOf,
  readOpenApi,
  type DocumentName,
  type Schema,
} from '../support/openapi.js';
import type { SendOptions, WebReply } from '../support/web-app.js';

const dayMs = 86_400_000;

type Ask = (method: string, path: string, options?: SendOptions) => Promise<WebReply>;

/** Every answer that a document describes: `GET /api/keys 400 malformed_request`. */
function describedAnswers(name: DocumentName): string[] {
  const document = readOpenApi(name);
  return operationsOf(document).flatMap(({ name: what, path, method, operation }) =>
    Object.keys(operation.responses).flatMap((status) => {
      const codes = codesOf(document, path, method, status);
      return codes.length === 0
        ? [`${what} ${status}`]
        : codes.map((code) => `${what} ${status} ${code}`);
    }),
  );
}

/** The fields of a body: exactly the options of the manager, which takes who from the key. */
type Fields<Options> = Record<Exclude<keyof Options, 'by'>, true>;

const create: Fields<CreateKeyOptions> = {
  user: true,
  name: true,
  scopes: true,
  expiresAt: true,
  metadata: true,
  allowedAddresses: true,
  reason: true,
};

// An option that is added to the library does not compile here until it is named, and is described
// before it passes.
const bodies = {
  createKey: create,
  updateKey: create satisfies Fields<UpdateKeyOptions>,
  rotateKey: { overlapMs: true, startsAt: true, reason: true } satisfies Fields<RotateKeyOptions>,
  revokeKey: { family: true, reason: true } satisfies Fields<RevokeKeyOptions>,
  pauseKey: { until: true, reason: true } satisfies Fields<PauseKeyOptions>,
  resumeKey: { reason: true } satisfies Fields<Attribution>,
  revokeAll: { reason: true } satisfies Fields<Omit<RevokeAllOptions, 'user'>>,
  createClaim: { ...create, claimTtlMs: true } satisfies Fields<CreateClaimOptions>,
  revokeClaim: { reason: true } satisfies Fields<Attribution>,
};

const queryNames = Object.keys({
  user: true,
  search: true,
  status: true,
  unusedForMs: true,
  expiringWithinMs: true,
  limit: true,
  cursor: true,
  keyId: true,
  since: true,
  from: true,
  to: true,
  days: true,
} satisfies Record<
  keyof (HistoryOptions & ListClaimsOptions & ListKeysOptions & UsageOptions) | 'days',
  true
>);

/** Holds the parameters of each `GET` to what it takes: any other name is refused. */
async function expectParameters(name: DocumentName, ask: Ask, id: string): Promise<void> {
  const document = readOpenApi(name);
  for (const { path, method, operation } of operationsOf(document)) {
    if (method !== 'get' || operation.operationId === 'describeSession') continue;
    const at = path.replace('/api/', '').replace('{keyId}', id);
    const taken: string[] = [];
    // An empty parameter counts as absent, if its name is known.
    for (const each of queryNames)
      if ((await ask('GET', `${at}?${each}=`)).status === 200) taken.push(each);
    const described = (operation.parameters ?? []).map((_each, index) =>
      nameAt(document, 'paths', path, 'get', 'parameters', `${index}`),
    );
    expect(described.toSorted(), path).toEqual(taken.toSorted());
  }
}

const fieldsOf = (name: DocumentName, path: string) => {
  const { found } = lookUp(
    readOpenApi(name),
    ...['paths', path, 'post', 'requestBody', 'content', 'application/json', 'schema'],
  );
  return Object.keys((found as Schema).properties ?? {}).toSorted();
};

/** The operations of a document with an id in each path, so that they can be called. */
const callsOf = (name: DocumentName) =>
  operationsOf(readOpenApi(name)).map(({ name: what, path }) => ({
    method: what.split(' ')[0]!,
    isChange: what.startsWith('POST'),
    path: path.replace('/api/', '').replace(/\{\w+\}/, 'nothing'),
  }));

/** A store that can be made to fail, and may lack some of what it can do. */
function storeThat({ lacks = [] as readonly (keyof KeyStore)[] } = {}) {
  const state = { fails: false };
  const wrap = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(_target, name) {
        if ((lacks as readonly (string | symbol)[]).includes(name)) return undefined;
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value === 'function')
          return (...given: unknown[]): unknown =>
            state.fails
              ? Promise.reject(new Error('the store is down'))
              : (value as (...each: unknown[]) => unknown).apply(target, given);
        return typeof value === 'object' && value !== null ? wrap(value) : value;
      },
    });
  return { state, store: wrap(new MemoryKeyStore()) };
}

/** A store that forgets the addresses of keys and claim links. */
function storeWithoutAddresses(): KeyStore {
  const store = new MemoryKeyStore();
  const { claims } = store;
  const insert = store.insert.bind(store);
  const insertClaim = claims.insert.bind(claims);
  store.insert = ({ allowedAddresses: _addresses, ...key }, options) => insert(key, options);
  claims.insert = ({ allowedAddresses: _addresses, ...claim }, context) =>
    insertClaim(claim, context);
  return store;
}

const otherSite = { Origin: 'https://elsewhere.example' };
const notJson = { headers: { 'Content-Type': 'text/plain' }, body: 'x' };
const tooLarge = { body: { reason: 'x'.repeat(70_000) } };
const unknownField = { body: { nonsense: 1 } };

/** Watches an API and keeps what it answered, as its document names it. */
function watch(name: DocumentName, seen: Set<string>, ask: Ask): Ask {
  return async (method, path, options = {}) => {
    const reply = await ask(method, path, options);
    const call = { method, path: `/api/${path}`, body: options.body };
    const what = expectDescribed(name, call, reply);
    if (what !== undefined) seen.add(what);
    return reply;
  };
}

/** Asks each operation of an API for what it refuses, whatever it does. */
async function askAmiss(name: DocumentName, ask: Ask): Promise<void> {
  for (const { method, path, isChange } of callsOf(name)) {
    if (!isChange) await ask(method, `${path}?nonsense=1`);
    else
      for (const options of [notJson, tooLarge, unknownField, { headers: otherSite, body: {} }])
        await ask(method, path, options);
  }
}

const askAll = async (name: DocumentName, ask: Ask, headers: Record<string, string> = {}) => {
  for (const { method, path, isChange } of callsOf(name))
    await ask(method, path, isChange ? { headers, body: {} } : { headers });
};

const idOf = (reply: WebReply, part = 'record', id = 'keyId') =>
  (reply.json[part] as Readonly<Record<string, string>>)[id]!;

describe('openapi/key-desk.json', () => {
  const name = 'key-desk';
  const seen = new Set<string>();
  const start = async (store: KeyStore = new MemoryKeyStore(), more: object = {}) => {
    const keys = new ApiKeyManager({ store, ...more });
    const desk = await startDesk({ keys, desk: {} });
    return { ...desk, store, ask: watch(name, seen, desk.ask) };
  };
  const fields = {
    user: 'alice',
    name: 'laptop',
    scopes: ['audio:read'],
    expiresAt: new Date(Date.now() + 90 * dayMs).toISOString(),
    metadata: { team: [1, null] },
    allowedAddresses: ['127.0.0.1/32'],
    reason: 'asked for',
  } satisfies Record<Exclude<keyof CreateKeyOptions, 'by'>, unknown>;

  async function askForKeys(): Promise<void> {
    const { keys, ask, store } = await start();
    const keyId = idOf(await ask('POST', 'keys', { body: fields }));
    const at = `keys/${keyId}`;
    const until = new Date(Date.now() + dayMs).toISOString();
    await ask('POST', `${at}/update`, { body: { name: null, expiresAt: null, scopes: [] } });
    await ask('POST', `${at}/update`, { body: { ...fields, user: 'carol', metadata: {} } });
    await ask('POST', `${at}/pause`, { body: { until, reason: 'lost' } });
    await ask('GET', 'keys?status=paused');
    await ask('POST', `${at}/resume`, { body: { reason: 'found' } });
    const rotation = { overlapMs: dayMs, startsAt: 'first-use', reason: 'routine' };
    const successor = idOf(await ask('POST', `${at}/rotate`, { body: rotation }));
    await ask('POST', `${at}/rotate`, { body: {} });
    await ask('POST', `${at}/update`, { body: { expiresAt: null } });
    await keys.create({ user: 'alice' });
    await ask('GET', 'keys?search=A&user=carol&limit=1');
    await ask('GET', `keys?unusedForMs=0&expiringWithinMs=${100 * dayMs}&cursor=${successor}`);
    await ask('POST', `${at}/revoke`, { body: { family: true, reason: 'done' } });
    for (const verb of ['pause', 'resume', 'rotate'])
      await ask('POST', `${at}/${verb}`, { body: {} });
    const day = '2026-01-15';
    await store.usage!.add([{ day, keyId, user: 'carol', admitted: 2, refused: 1 }]);
    const usage = await ask('GET', 'usage?user=carol&from=2026-01-01&to=2026-01-31');
    expect(usage.json['usage']).toHaveLength(1);
    await ask('GET', `usage?keyId=${keyId}`);
    const history = await ask('GET', `${at}/history?limit=3`);
    expect(history.json['next']).toMatch(/^event_/);
    await ask('GET', `${at}/history?cursor=${String(history.json['next'])}`);
    await ask('GET', 'session');
    await ask('HEAD', 'keys');
  }

  async function askForClaims(): Promise<void> {
    const { keys, ask } = await start();
    const claimId = idOf(
      await ask('POST', 'claims', { body: { ...fields, claimTtlMs: 60_000 } }),
      'claim',
      'claimId',
    );
    const used = await ask('POST', 'claims', { body: { user: 'alice' } });
    await keys.claim(used.json['token'] as string);
    await ask('GET', 'claims?status=open&limit=1');
    await ask('POST', `claims/${claimId}/revoke`, { body: {} });
    await ask('POST', `claims/${idOf(used, 'claim', 'claimId')}/revoke`, { body: {} });
    await ask('GET', `claims?cursor=${claimId}`);
    await ask('GET', 'claims?cursor=claim_0000000000');
    await ask('POST', 'claims', { body: { user: 'alice' } });
    const left = await ask('POST', 'users/alice/revoke', { body: { reason: 'left' } });
    expect([left.json['keys'], left.json['claims']].map((each) => (each as []).length)).toEqual([
      1, 1,
    ]);
  }

  async function askBeyondLimits(): Promise<void> {
    const { keys, ask } = await start(undefined, {
      maxKeysPerUser: 1,
      maxLifetimeMs: dayMs,
      defaultLifetimeMs: dayMs,
    });
    const keyId = idOf(await ask('POST', 'keys', { body: { user: 'alice' } }));
    const { record } = await keys.create({ user: 'carol' });
    const late = { user: 'erin', expiresAt: fields.expiresAt };
    await ask('POST', 'keys', { body: late });
    await ask('POST', 'claims', { body: late });
    await ask('POST', `keys/${keyId}/update`, { body: late });
    await ask('POST', 'keys', { body: { user: 'alice' } });
    await ask('POST', `keys/${record.keyId}/update`, { body: { user: 'alice' } });

    const forgetful = await start(storeWithoutAddresses());
    await forgetful.ask('POST', 'keys', { body: fields });
    await forgetful.ask('POST', 'claims', { body: fields });
  }

  async function askForNothing(): Promise<void> {
    const { ask } = await start();
    await askAmiss(name, ask);
    await askAll(name, ask);
    await ask('GET', 'keys?cursor=key_0000000000');
    const { store } = storeThat({ lacks: ['claims', 'events', 'pause', 'revokeUser', 'usage'] });
    const { ask: askLess } = await start(store);
    await askAll(name, askLess);
  }

  async function askWithWrongKeys(): Promise<void> {
    const { keys, ask } = await start();
    const made = async (options: object = {}) =>
      keys.create({ user: 'bob', scopes: ['keys:manage'], ...options });
    const [expired, revoked, paused, elsewhere, reader] = await Promise.all([
      made({ expiresAt: new Date(1) }),
      made(),
      made(),
      made({ allowedAddresses: ['203.0.113.7'] }),
      made({ scopes: [] }),
    ]);
    await keys.revoke(revoked.record.keyId);
    await keys.pause(paused.record.keyId);
    for (const key of [
      '',
      'wrong',
      ...[expired, revoked, paused, elsewhere, reader].map((each) => each.key),
    ])
      await askAll(name, ask, { 'X-API-Key': key });
    const secure = await startDesk({ desk: { requireHttps: true } });
    await askAll(name, watch(name, seen, secure.ask));
  }

  async function askABrokenStore(): Promise<void> {
    const { state, store } = storeThat();
    const { ask, keys } = await start(store);
    const unknown = await keys.create({ user: 'bob', scopes: ['keys:manage'] });
    for (const { method, path, isChange } of callsOf(name)) {
      // A change that fails drops what is cached, the operator's key too.
      state.fails = false;
      await ask('GET', 'session');
      state.fails = true;
      const body = { ...(/^(keys|claims)$/.test(path) && { user: 'alice' }) };
      await ask(method, path, { ...(isChange && { body }) });
    }
    await askAll(name, ask, { 'X-API-Key': unknown.key });
  }

  it('the fields of each body and the parameters of each query -> exactly those that are taken', async () => {
    const changes = operationsOf(readOpenApi(name)).filter(({ method }) => method === 'post');
    expect(
      Object.fromEntries(
        changes.map(({ path, operation }) => [operation.operationId, fieldsOf(name, path)]),
      ),
    ).toEqual(
      Object.fromEntries(
        Object.entries(bodies).map(([each, options]) => [each, Object.keys(options).toSorted()]),
      ),
    );
    const { ask, operator } = await start();
    await expectParameters(name, ask, operator.record.keyId);
  });

  it('every answer that it describes -> given by a real desk, as described', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    for (const step of [askForKeys, askForClaims, askBeyondLimits, askForNothing]) await step();
    await askWithWrongKeys();
    await askABrokenStore();
    expect(describedAnswers(name).filter((answer) => !seen.has(answer))).toEqual([]);
  });
});

describe('openapi/account-keys.json', () => {
  const name = 'account-keys';
  const seen = new Set<string>();
  const start = async (options: AccountAppOptions = {}) => {
    const app = await startAccount(options);
    const as = (person: string) => watch(name, seen, app.as(person));
    return { ...app, as, ask: as('alice') };
  };

  async function askForKeys(): Promise<void> {
    const store = new MemoryKeyStore();
    const { ask, as, hello } = await start({
      keys: new ApiKeyManager({ store, maxLifetimeMs: 365 * dayMs, defaultLifetimeMs: dayMs }),
      account: { maxKeys: 2 },
    });
    const expiresAt = new Date(Date.now() + 90 * dayMs).toISOString();
    const { key, record } = await makeKey(ask, { scopes: ['audio:read'], expiresAt });
    expect(await hello(key)).toBe(200);
    const at = `keys/${record.keyId}`;
    await ask('POST', `${at}/rotate`, { body: {} });
    await ask('POST', `${at}/rotate`, { body: {} });
    await ask('POST', 'keys', {
      body: { name: 'for ever', expiresAt: '2999-01-01T00:00:00.000Z' },
    });
    await ask('POST', 'keys', { body: { name: 'admin', scopes: ['admin'] } });
    const other = await makeKey(ask);
    await ask('POST', 'keys', { body: { name: 'one too many' } });
    await ask('POST', `keys/${other.record.keyId}/revoke`, { body: {} });
    await ask('POST', `keys/${other.record.keyId}/rotate`, { body: {} });
    await ask('GET', 'keys');
    await as('bob')('GET', `keys?cursor=${record.keyId}`);
    const day = new Date().toISOString().slice(0, 10);
    const { keyId } = record;
    await store.usage.add([{ day, keyId, user: 'alice', admitted: 2, refused: 1 }]);
    expect((await ask('GET', 'usage?days=7')).json['usage']).toHaveLength(1);
    await ask('GET', 'session');
  }

  async function askForNothing(): Promise<void> {
    const { ask } = await start();
    await askAmiss(name, ask);
    await askAll(name, ask);
    const { store } = storeThat({ lacks: ['usage'] });
    const less = await start({ keys: new ApiKeyManager({ store }) });
    await less.ask('GET', 'usage');
  }

  async function askWithoutALogin(): Promise<void> {
    await askAll(name, (await start({ account: { userOf: () => undefined } })).ask);
    const behindGuard = await start({
      before: [(req, _res, next) => next(void Object.assign(req, { apiKey: {} }))],
    });
    await askAll(name, behindGuard.ask);
  }

  async function askWhatFails(): Promise<void> {
    const fails = () => {
      throw new Error('the session is down');
    };
    await askAll(name, (await start({ account: { userOf: fails } })).ask);
  }

  it('the fields of each body and the parameters of each query -> exactly those that are taken', async () => {
    const { ask } = await start();
    expect(fieldsOf(name, '/api/keys')).toEqual(['expiresAt', 'name', 'scopes']);
    for (const verb of ['rotate', 'revoke'])
      expect(fieldsOf(name, `/api/keys/{keyId}/${verb}`)).toEqual([]);
    const { record } = await makeKey(ask);
    // What a description allows is made; any other field of a key is refused.
    for (const each of Object.keys(create)) {
      const isTaken = fieldsOf(name, '/api/keys').includes(each);
      const value = each === 'expiresAt' ? '2999-01-01T00:00:00.000Z' : ['audio:read'];
      const body = { name: 'x', ...(each !== 'name' && { [each]: value }) };
      expect((await ask('POST', 'keys', { body })).status, each).toBe(isTaken ? 201 : 400);
    }
    await expectParameters(name, ask, record.keyId);
  });

  it('every answer that it describes -> given by a real account page, as described', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    for (const step of [askForKeys, askForNothing, askWithoutALogin, askWhatFails]) await step();
    expect(describedAnswers(name).filter((answer) => !seen.has(answer))).toEqual([]);
  });
});
