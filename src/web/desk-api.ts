import type { IncomingMessage } from 'node:http';
import { apiKeyOf } from '../keys/api-key.js';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { withOrigin, type Attribution } from '../manager/change-options.js';
import type { CreateClaimOptions, ListClaimsOptions } from '../manager/claim-options.js';
import type {
  CreateKeyOptions,
  PauseKeyOptions,
  RevokeAllOptions,
  RevokeKeyOptions,
  RotateKeyOptions,
  UpdateKeyOptions,
} from '../manager/key-options.js';
import { checkUsageOptions } from '../manager/query-options.js';
import { describeClaims, describeKeys } from './describe-records.js';
import { withInstants } from './http/instants.js';
import { askManager } from './http/manager-answers.js';
import { WebProblem } from './http/problem.js';
import { readPage, readQuery } from './http/query.js';
import { readJson } from './http/read-json.js';
import type { Action, RouteTable } from './http/route.js';
import { assertSameOrigin, type OwnAddress } from './http/same-origin.js';
import { sendJson } from './http/send.js';

export interface DeskApiOptions {
  readonly keys: ApiKeyManager;
  readonly claimUrl: string | undefined;
  readonly apiName: string | undefined;
  readonly knownScopes: readonly string[];
  readonly ownAddress: OwnAddress;
}

const maxBodyBytes = 65_536;

/** The addresses below `api`. Their methods only run behind the guard. */
export function deskRoutes(options: DeskApiOptions): RouteTable {
  const { keys } = options;
  const { claims, events, pause, revokeUser, usage } = keys.abilities;
  const post =
    (action: Action): Action =>
    (req, res) => {
      assertSameOrigin(req, options.ownAddress);
      return action(req, res);
    };
  return {
    session: { GET: describeSession(options) },
    keys: { GET: listKeys(keys), POST: post(createKey(keys)) },
    'keys/update': (keyId) => ({ POST: post(updateKey(keys, keyId)) }),
    'keys/rotate': (keyId) => ({ POST: post(rotateKey(keys, keyId)) }),
    'keys/revoke': (keyId) => ({ POST: post(revokeKey(keys, keyId)) }),
    ...(pause && {
      'keys/pause': (keyId) => ({ POST: post(pauseKey(keys, keyId)) }),
      'keys/resume': (keyId) => ({ POST: post(resumeKey(keys, keyId)) }),
    }),
    ...(events && { 'keys/history': (keyId) => ({ GET: listEvents(keys, keyId) }) }),
    ...(usage && { usage: { GET: listUsage(keys) } }),
    ...(revokeUser && { 'users/revoke': (user) => ({ POST: post(revokeAll(keys, user)) }) }),
    ...(claims && {
      claims: { GET: listClaims(keys), POST: post(createClaim(keys)) },
      'claims/revoke': (claimId) => ({ POST: post(revokeClaim(keys, claimId)) }),
    }),
  };
}

const describeSession =
  ({ keys, claimUrl, apiName, knownScopes }: DeskApiOptions): Action =>
  (req, res) => {
    const { keyId, user } = apiKeyOf(req);
    const { keepsClaims } = keys;
    sendJson(res, 200, { keyId, user, apiName, knownScopes, keepsClaims, claimUrl });
  };

const listKeys =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const numbers = ['limit', 'unusedForMs', 'expiringWithinMs'];
    const query = readQuery(req, ['user', 'search', 'status', 'cursor', ...numbers], numbers);
    const { page, next } = await readPage(query, (asked) => askManager(() => keys.list(asked)));
    sendJson(res, 200, { keys: page.map(describeKeys(keys)), next: next?.keyId ?? null });
  };

const createKey =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const options = await readChangeOptions<CreateKeyOptions>(req);
    const { key, record } = await askManager(() => keys.create(options));
    sendJson(res, 201, { key, record: describeKeys(keys)(record) });
  };

const updateKey =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const options = await readChangeOptions<UpdateKeyOptions>(req);
    const record = await askManager(() => keys.update(keyId, options));
    sendJson(res, 200, { record: describeKeys(keys)(record) });
  };

const rotateKey =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const options = await readChangeOptions<RotateKeyOptions>(req);
    const { key, record, previous } = await askManager(() => keys.rotate(keyId, options));
    const describe = describeKeys(keys);
    sendJson(res, 201, { key, record: describe(record), previous: describe(previous) });
  };

const revokeKey =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const options = await readChangeOptions<RevokeKeyOptions>(req);
    const records = await askManager(() => keys.revoke(keyId, options));
    sendJson(res, 200, { records: records.map(describeKeys(keys)) });
  };

const pauseKey =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const options = await readChangeOptions<PauseKeyOptions>(req);
    const record = await askManager(() => keys.pause(keyId, options));
    sendJson(res, 200, { record: describeKeys(keys)(record) });
  };

const resumeKey =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const options = await readChangeOptions<Attribution>(req);
    const record = await askManager(() => keys.resume(keyId, options));
    sendJson(res, 200, { record: describeKeys(keys)(record) });
  };

const revokeAll =
  (keys: ApiKeyManager, user: string): Action =>
  async (req, res) => {
    const { user: named, ...change } = await readChangeOptions<RevokeAllOptions>(req);
    if (named !== undefined) throw new WebProblem('malformed_request');
    const revoked = await askManager(() => keys.revokeAll({ ...change, user }));
    sendJson(res, 200, {
      keys: revoked.keys.map(describeKeys(keys)),
      claims: revoked.claims.map(describeClaims(keys)),
    });
  };

const listEvents =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const query = { ...readQuery(req, ['limit', 'cursor']), keyId };
    const { page, next } = await readPage(query, (asked) => askManager(() => keys.history(asked)));
    // A key that was deleted still has its history.
    if (page.length === 0 && !(await keys.get(keyId))) throw new WebProblem('not_found');
    sendJson(res, 200, { events: page, next: next?.eventId ?? null });
  };

const listUsage =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const asked = readQuery(req, ['keyId', 'user', 'from', 'to']);
    const query = await askManager(() => checkUsageOptions(asked, keys.clock()));
    const { from, to } = query;
    sendJson(res, 200, { usage: await askManager(() => keys.usage(query)), from, to });
  };

const listClaims =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const query = readQuery(req, ['status', 'limit', 'cursor']);
    const { page, next } = await readPage(query, (asked) =>
      askManager(() => keys.listClaims(asked as ListClaimsOptions)),
    );
    sendJson(res, 200, { claims: page.map(describeClaims(keys)), next: next?.claimId ?? null });
  };

const createClaim =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const options = await readChangeOptions<CreateClaimOptions>(req);
    const { token, claim } = await askManager(() => keys.createClaim(options));
    sendJson(res, 201, { token, claim: describeClaims(keys)(claim) });
  };

const revokeClaim =
  (keys: ApiKeyManager, claimId: string): Action =>
  async (req, res) => {
    const options = await readChangeOptions<Attribution>(req);
    const claim = await askManager(() => keys.revokeClaim(claimId, options));
    sendJson(res, 200, { claim: describeClaims(keys)(claim) });
  };

/**
 * Reads the options of a change, which the manager checks. Who makes it is the user of the
 * operator's key, never a field of the body.
 *
 * @throws {WebProblem} for a body with `by`
 */
async function readChangeOptions<Options extends Attribution>(
  req: IncomingMessage,
): Promise<Options> {
  const body = await readJson(req, maxBodyBytes);
  if ('by' in body)
    throw new WebProblem('malformed_request', { detail: '"by" is always the user of your key.' });
  const options = { ...withInstants(body, 'expiresAt', 'until'), by: apiKeyOf(req).user };
  return withOrigin(options as unknown as Options, { via: 'desk' });
}
