import type { IncomingMessage, ServerResponse } from 'node:http';
import { dayMs } from '../../lib/durations.js';
import {
  ArgumentRangeError,
  assertArgument,
  assertRange,
  checkOptions,
} from '../../lib/options.js';
import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import { withOrigin, type ChangeOrigin } from '../../manager/change-options.js';
import { mustBeInstant, mustBeScopeList, mustBeText } from '../../manager/checks.js';
import { dayOf } from '../../manager/query-options.js';
import type { KeyRecord } from '../../stores/key-record.js';
import { describeKeys } from '../describe-records.js';
import { withInstants } from '../http/instants.js';
import { askManager } from '../http/manager-answers.js';
import { WebProblem } from '../http/problem.js';
import { readPage, readQuery } from '../http/query.js';
import { readJson } from '../http/read-json.js';
import { routeTable, type Action, type Methods, type RouteTable } from '../http/route.js';
import { assertSameOrigin, type OwnAddress } from '../http/same-origin.js';
import { sendJson } from '../http/send.js';
import {
  assertNoApiKey,
  readScopes,
  readUser,
  type ScopesForUser,
  type UserOf,
} from './account-user.js';
import { keysBesideLimit, predecessorLives } from './rotation-limits.js';

export interface AccountApiOptions {
  readonly keys: ApiKeyManager;
  readonly apiName: string | undefined;
  readonly userOf: UserOf;
  readonly scopesFor: ScopesForUser | undefined;
  readonly maxKeys: number;
  readonly overlapMs: number;
  readonly ownAddress: OwnAddress;
}

/** Answers a request of a logged-in user. */
type UserAction = (user: string, req: IncomingMessage, res: ServerResponse) => Promise<void>;

const maxBodyBytes = 65_536;

/** Finds the methods of an address below `api`. */
export function accountApi(options: AccountApiOptions): (path: string) => Methods {
  const find = routeTable(accountRoutes(options));
  // A visitor who is not logged in learns nothing, not even which addresses exist.
  const notThere = asUser(options)(() => Promise.reject(new WebProblem('not_found')));
  return (path) => find(path) ?? { GET: notThere, POST: notThere };
}

/** The addresses below `api`. */
export function accountRoutes(options: AccountApiOptions): RouteTable {
  const { keys } = options;
  const forUser = asUser(options);
  return {
    session: { GET: forUser(describeSession(options)) },
    keys: { GET: forUser(listKeys(keys)), POST: forUser(createKey(options)) },
    ...(keys.abilities.usage && { usage: { GET: forUser(listUsage(keys)) } }),
    'keys/rotate': (keyId) => ({ POST: forUser(rotateKey(options, keyId)) }),
    'keys/revoke': (keyId) => ({ POST: forUser(revokeKey(keys, keyId)) }),
  };
}

const asUser =
  ({ userOf, ownAddress }: AccountApiOptions) =>
  (action: UserAction): Action =>
  async (req, res) => {
    assertNoApiKey(req);
    if (req.method === 'POST') assertSameOrigin(req, ownAddress);
    await action(await readUser(req, userOf), req, res);
  };

const describeSession =
  ({ apiName, scopesFor, maxKeys }: AccountApiOptions): UserAction =>
  async (user, req, res) => {
    const scopes = await readScopes(user, req, scopesFor);
    sendJson(res, 200, { user, scopes, maxKeys, apiName });
  };

const listKeys =
  (keys: ApiKeyManager): UserAction =>
  async (user, req, res) => {
    const { cursor } = readQuery(req, ['cursor']);
    // For somebody else's key, the answer would reveal that it exists.
    if (cursor !== undefined) await findOwn(keys, user, String(cursor));
    const query = { user, ...(cursor !== undefined && { cursor: String(cursor) }) };
    const { page, next } = await readPage(query, (asked) => askManager(() => keys.list(asked)));
    sendJson(res, 200, { keys: page.map(describeOwn(keys)), next: next?.keyId ?? null });
  };

const createKey =
  ({ keys, scopesFor, maxKeys }: AccountApiOptions): UserAction =>
  async (user, req, res) => {
    const body = await readJson(req, maxBodyBytes);
    const wanted = await askManager(() => checkNewKey(body, keys.clock()));
    const allowed = await readScopes(user, req, scopesFor);
    if (wanted.scopes?.some((scope) => !allowed.includes(scope)))
      throw new WebProblem('scope_not_allowed');
    const beside = await keysBesideLimit(keys, user);
    const options = withOrigin(
      { ...wanted, user, by: user },
      { via: 'account', maxKeysPerUser: maxKeys, keysBesideLimit: beside },
    );
    const { key, record } = await askManager(() => keys.create(options));
    if ((await keysBesideLimit(keys, user)) > beside) {
      // A successor was revoked meanwhile, and the store counts its old key no more than before.
      // Nobody has the new key yet.
      await keys.revoke(record.keyId, withOrigin({ by: user }, byAccount));
      throw new WebProblem('too_many_keys');
    }
    sendJson(res, 201, { key, record: describeOwn(keys)(record) });
  };

interface NewKey {
  name: string;
  scopes?: readonly string[] | undefined;
  expiresAt?: Date | undefined;
}

function checkNewKey(body: Readonly<Record<string, unknown>>, now: number): NewKey {
  const caller = 'create';
  const checked = checkOptions<NewKey>(caller, withInstants(body, 'expiresAt'), {
    name: mustBeText,
    scopes: mustBeScopeList,
    expiresAt: mustBeInstant,
  });
  assertArgument(caller, '"name"', checked.name, mustBeText);
  if (checked.expiresAt && checked.expiresAt.getTime() <= now)
    throw new ArgumentRangeError(caller, 'expiresAt', 'in the future');
  return checked;
}

const rotateKey =
  ({ keys, scopesFor, overlapMs }: AccountApiOptions, keyId: string): UserAction =>
  async (user, req, res) => {
    await readNothing(req);
    const own = await findOwn(keys, user, keyId);
    if (own.replacedBy !== undefined || (await predecessorLives(keys, own)))
      throw new WebProblem('already_rotating');
    const onlyScopes = await readScopes(user, req, scopesFor);
    const options = withOrigin({ overlapMs, by: user }, { via: 'account', onlyScopes });
    const { key, record, previous } = await askManager(() => keys.rotate(keyId, options));
    if (record.user !== user) {
      // If the key was handed to somebody else meanwhile, its successor is theirs too.
      await keys.revoke(record.keyId, withOrigin({ by: user }, byAccount));
      throw new WebProblem('not_found');
    }
    const describe = describeOwn(keys);
    sendJson(res, 201, { key, record: describe(record), previous: describe(previous) });
  };

const byAccount: ChangeOrigin = { via: 'account' };

const revokeKey =
  (keys: ApiKeyManager, keyId: string): UserAction =>
  async (user, req, res) => {
    await readNothing(req);
    await findOwn(keys, user, keyId);
    const records = await askManager(() => keys.revoke(keyId, withOrigin({ by: user }, byAccount)));
    sendJson(res, 200, { records: records.map(describeOwn(keys)) });
  };

const listUsage =
  (keys: ApiKeyManager): UserAction =>
  async (user, req, res) => {
    const { days = 30 } = readQuery(req, ['days'], ['days']) as { days?: number };
    await askManager(() => assertRange('usage', 'days', days, 1, 366));
    const now = keys.clock();
    const [from, to] = [dayOf(now - (days - 1) * dayMs), dayOf(now)];
    const usage = await askManager(() => keys.usage({ user, from, to }));
    sendJson(res, 200, { usage, from, to });
  };

/** @throws {WebProblem} `not_found`, for somebody else's key and for an unknown one alike */
async function findOwn(keys: ApiKeyManager, user: string, keyId: string): Promise<KeyRecord> {
  const record = await keys.get(keyId);
  if (record?.user !== user) throw new WebProblem('not_found');
  return record;
}

async function readNothing(req: IncomingMessage): Promise<void> {
  const body = await readJson(req, maxBodyBytes);
  await askManager(() => void checkOptions<object>('this request', body, {}));
}

/** Metadata belongs to the application and may hold what its users must not read. */
const describeOwn = (keys: ApiKeyManager) => {
  const describe = describeKeys(keys);
  return (record: KeyRecord) => {
    const { metadata: _metadata, ...shown } = describe(record);
    return shown;
  };
};
