import type { IncomingMessage } from 'node:http';
import { apiKeyOf } from '../keys/api-key.js';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { checkCreateClaimOptions, checkListClaimsOptions } from '../manager/claim-options.js';
import {
  checkCreateOptions,
  checkRevokeOptions,
  checkRotateOptions,
} from '../manager/key-options.js';
import { checkListOptions } from '../manager/query-options.js';
import { ArgumentRangeError, isArgumentError } from '../lib/options.js';
import { ClaimError, type ClaimRecord, claimStatusOf } from '../stores/claim-store.js';
import { statusOf } from '../stores/key-record.js';
import { type KeyRecord } from '../stores/key-record.js';
import { KeyStoreError } from '../stores/key-store-error.js';
import { WebProblem } from './http/problem.js';
import { readJson } from './http/read-json.js';
import type { Action, Methods } from './http/route.js';
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
const pageSize = 50;

/** Takes `/keys` apart, and `/keys/<keyId>/rotate`. */
const addressPattern = /^\/(\w+)(?:\/([^/]+)\/(\w+))?$/;

/** Finds the methods of an address below `api`; `undefined` where there is none. What it finds runs behind the guard alone. */
export function deskApi(options: DeskApiOptions): (path: string) => Methods | undefined {
  const { keys } = options;
  const lists = new Map<string, Methods>([
    ['session', { GET: describeSession(options) }],
    ['keys', { GET: listKeys(keys), POST: createKey(keys) }],
  ]);
  const actions = new Map<string, (id: string) => Action>([
    ['keys/rotate', rotateKey(keys)],
    ['keys/revoke', revokeKey(keys)],
  ]);
  if (keys.keepsClaims) {
    lists.set('claims', { GET: listClaims(keys), POST: createClaim(keys) });
    actions.set('claims/revoke', revokeClaim(keys));
  }
  const forOwnPage = (methods: Methods | undefined): Methods | undefined => {
    const post = methods?.POST;
    if (!post) return methods;
    return {
      ...methods,
      POST: (req, res) => {
        assertSameOrigin(req, options.ownAddress);
        return post(req, res);
      },
    };
  };
  return (path) => {
    const [, list = '', id, verb] = addressPattern.exec(path) ?? [];
    if (id === undefined) return forOwnPage(lists.get(list));
    const action = actions.get(`${list}/${verb}`);
    return action && forOwnPage({ POST: action(decode(id)) });
  };
}

const describeSession =
  ({ keys, claimUrl, apiName, knownScopes }: DeskApiOptions): Action =>
  (req, res) => {
    const { keyId, user } = apiKeyOf(req);
    sendJson(res, 200, {
      keyId,
      user,
      apiName,
      knownScopes,
      keepsClaims: keys.keepsClaims,
      claimUrl,
    });
  };

const listKeys =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const query = readQuery(req, ['user', 'search', 'status', 'limit', 'cursor']);
    const options = checkInput(() => checkListOptions({ limit: pageSize, ...query }));
    const { page, next } = await readPage(options, async (asked) => keys.list(asked));
    sendJson(res, 200, { keys: page.map(withKeyStatus(keys)), next: next?.keyId ?? null });
  };

const createKey =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = checkInput(() => checkCreateOptions(withExpiry(body)));
    const { key, record } = await mapStoreErrors(keys.create(options));
    sendJson(res, 201, { key, record: withKeyStatus(keys)(record) });
  };

const rotateKey =
  (keys: ApiKeyManager) =>
  (keyId: string): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = checkInput(() => checkRotateOptions(body));
    const { key, record, previous } = await mapStoreErrors(keys.rotate(keyId, options));
    const describe = withKeyStatus(keys);
    sendJson(res, 201, { key, record: describe(record), previous: describe(previous) });
  };

const revokeKey =
  (keys: ApiKeyManager) =>
  (keyId: string): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = checkInput(() => checkRevokeOptions(body));
    const records = await mapStoreErrors(keys.revoke(keyId, options));
    sendJson(res, 200, { records: records.map(withKeyStatus(keys)) });
  };

const listClaims =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const query = readQuery(req, ['status', 'limit', 'cursor']);
    const options = checkInput(() => checkListClaimsOptions({ limit: pageSize, ...query }));
    const { page, next } = await readPage(options, async (asked) => keys.listClaims(asked));
    sendJson(res, 200, { claims: page.map(withClaimStatus(keys)), next: next?.claimId ?? null });
  };

const createClaim =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = checkInput(() => checkCreateClaimOptions(withExpiry(body)));
    const { token, claim } = await mapStoreErrors(keys.createClaim(options));
    sendJson(res, 201, { token, claim: withClaimStatus(keys)(claim) });
  };

const revokeClaim =
  (keys: ApiKeyManager) =>
  (claimId: string): Action =>
  async (req, res) => {
    await readBody(req);
    const claim = await mapStoreErrors(keys.revokeClaim(claimId));
    sendJson(res, 200, { claim: withClaimStatus(keys)(claim) });
  };

// By the clock of the manager, which decides by it: a desk with another one would call a key active that is refused.
const withKeyStatus = (keys: ApiKeyManager) => {
  const now = new Date(keys.clock());
  return (record: KeyRecord) => ({ ...record, status: statusOf(record, now) });
};

const withClaimStatus = (keys: ApiKeyManager) => {
  const now = new Date(keys.clock());
  return (claim: ClaimRecord) => ({ ...claim, status: claimStatusOf(claim, now) });
};

/** One record more than the page has is asked for: so the last page is known to be the last. */
async function readPage<Result, Options extends { limit?: number | undefined }>(
  options: Options,
  list: (options: Options) => Promise<Result[]>,
): Promise<{ page: Result[]; next: Result | undefined }> {
  const limit = Math.min(options.limit ?? pageSize, 999);
  const found = await mapStoreErrors(list({ ...options, limit: limit + 1 }));
  const page = found.slice(0, limit);
  return { page, next: found.length > limit ? page.at(-1) : undefined };
}

function readQuery(req: IncomingMessage, known: readonly string[]): object {
  const query: Record<string, string | number> = {};
  for (const [name, value] of new URL(req.url!, 'http://localhost').searchParams) {
    if (!known.includes(name) || name in query) throw new WebProblem('malformed_request');
    if (value !== '') query[name] = name === 'limit' ? Number(value) : value;
  }
  return query;
}

async function readBody(req: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  return readJson(req, maxBodyBytes);
}

/** An instant in ISO 8601 as `toISOString` writes it, of a day that there is; else one that no check lets pass. */
function instantOf(text: string): Date {
  const date = new Date(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) ? text : Number.NaN);
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date : new Date(Number.NaN);
}

/** JSON has no dates: a text in their place becomes one, and a text that is none is refused with the rest. */
function withExpiry(body: Readonly<Record<string, unknown>>): object {
  const { expiresAt } = body;
  return typeof expiresAt === 'string' ? { ...body, expiresAt: instantOf(expiresAt) } : body;
}

/** The manager's own check of what came in, before anything else is done: its messages name options and print no values. */
function checkInput<Options>(check: () => Options): Options {
  try {
    return check();
  } catch (error) {
    if (isArgumentError(error)) throw malformed(error);
    throw error;
  }
}

/** Waits for the manager, and answers what it refuses. Anything else is a fault of the store. */
async function mapStoreErrors<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    // What only the manager can tell, such as an end that is past.
    if (error instanceof ArgumentRangeError) throw malformed(error);
    if (!(error instanceof KeyStoreError || error instanceof ClaimError)) throw error;
    const isUnknown = error.code === 'unknown_key_id' || error.code === 'unknown_claim_id';
    throw isUnknown
      ? new WebProblem('not_found')
      : new WebProblem('conflict', { detail: sentence(error.message) });
  }
}

const malformed = ({ message }: Error) => new WebProblem('malformed_request', { detail: message });

const sentence = (message: string) => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
