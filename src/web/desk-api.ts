import type { IncomingMessage } from 'node:http';
import { apiKeyOf } from '../api-key.js';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { checkCreateClaimOptions, checkListClaimsOptions } from '../manager/claim-options.js';
import {
  checkCreateOptions,
  checkListOptions,
  checkRevokeOptions,
  checkRotateOptions,
  type CreateKeyOptions,
} from '../manager/manager-options.js';
import { ClaimError, type ClaimRecord } from '../stores/claim-store.js';
import { claimStatusOf } from '../stores/claim-status.js';
import { statusOf } from '../stores/key-status.js';
import { KeyStoreError, type KeyRecord } from '../stores/key-store.js';
import { WebProblem } from './http/problem.js';
import { readJson } from './http/read-json.js';
import { sendJson, type Action, type Methods } from './http/route.js';
import { assertSameOrigin } from './http/same-origin.js';

export interface DeskApiOptions {
  readonly keys: ApiKeyManager;
  readonly claimUrl: string | undefined;
  readonly apiName: string | undefined;
  readonly knownScopes: readonly string[];
}

const maxBodyBytes = 65_536;
const pageSize = 50;

/** The methods of an address below `api`, or `undefined` where there is none. Called behind the guard alone. */
export function deskApi(path: string, options: DeskApiOptions): Methods | undefined {
  const { keys } = options;
  const [, collection = '', id, verb, ...rest] = path.split('/').map(decode);
  if (rest.length > 0) return undefined;
  const subject = id ?? '';
  switch ([collection, ...(id === undefined ? [] : ['*']), ...(verb === undefined ? [] : [verb])].join('/')) {
    case 'session':
      return { GET: session(options) };
    case 'keys':
      return { GET: listKeys(keys), POST: createKey(keys) };
    case 'keys/*/rotate':
      return { POST: rotate(keys, subject) };
    case 'keys/*/revoke':
      return { POST: revoke(keys, subject) };
    case 'claims':
      return keys.keepsClaims ? { GET: listClaims(keys), POST: createClaim(keys) } : undefined;
    case 'claims/*/withdraw':
      return keys.keepsClaims ? { POST: withdraw(keys, subject) } : undefined;
    default:
      return undefined;
  }
}

const session =
  ({ keys, claimUrl, apiName, knownScopes }: DeskApiOptions): Action =>
  (req, res) => {
    const { keyId, user } = apiKeyOf(req);
    sendJson(res, 200, { keyId, user, apiName, knownScopes, keepsClaims: keys.keepsClaims, claimUrl });
  };

const listKeys =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const query = readQuery(req, ['user', 'search', 'status', 'limit', 'cursor']);
    const options = attempt(() => checkListOptions({ limit: pageSize, ...query }));
    const { page, next } = await readPage(options, async (asked) => keys.list(asked));
    const now = new Date();
    sendJson(res, 200, { keys: page.map((record) => describeKey(record, now)), next: next?.keyId ?? null });
  };

const createKey =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = attempt(() => checkCreateOptions('create', withExpiry(body)));
    const { key, record } = await settle(keys.create(options));
    sendJson(res, 201, { key, record: describeKey(record, new Date()) });
  };

const rotate =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = attempt(() => checkRotateOptions(body));
    const { key, record, previous } = await settle(keys.rotate(keyId, options));
    const now = new Date();
    sendJson(res, 201, { key, record: describeKey(record, now), previous: describeKey(previous, now) });
  };

const revoke =
  (keys: ApiKeyManager, keyId: string): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = attempt(() => checkRevokeOptions(body));
    const records = await settle(keys.revoke(keyId, options));
    const now = new Date();
    sendJson(res, 200, { records: records.map((record) => describeKey(record, now)) });
  };

const listClaims =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const query = readQuery(req, ['status', 'limit', 'cursor']);
    const options = attempt(() => checkListClaimsOptions({ limit: pageSize, ...query }));
    const { page, next } = await readPage(options, async (asked) => keys.listClaims(asked));
    const now = new Date();
    sendJson(res, 200, {
      claims: page.map((claim) => describeClaim(claim, now)),
      next: next?.claimId ?? null,
    });
  };

const createClaim =
  (keys: ApiKeyManager): Action =>
  async (req, res) => {
    const body = await readBody(req);
    const options = attempt(() => checkCreateClaimOptions(withExpiry(body)));
    if (options.expiresAt && options.expiresAt.getTime() <= Date.now()) {
      throw new WebProblem('malformed_request', { detail: 'createClaim: "expiresAt" must be in the future' });
    }
    const { token, claim } = await settle(keys.createClaim(options));
    sendJson(res, 201, { token, claim: describeClaim(claim, new Date()) });
  };

const withdraw =
  (keys: ApiKeyManager, claimId: string): Action =>
  async (req, res) => {
    await readBody(req);
    const claim = await settle(keys.revokeClaim(claimId));
    sendJson(res, 200, { claim: describeClaim(claim, new Date()) });
  };

const describeKey = (record: KeyRecord, now: Date) => ({ ...record, status: statusOf(record, now) });

const describeClaim = (claim: ClaimRecord, now: Date) => ({ ...claim, status: claimStatusOf(claim, now) });

/** One record more than the page has is asked for: so the last page is known to be the last. */
async function readPage<Result, Options extends { limit?: number | undefined }>(
  options: Options,
  list: (options: Options) => Promise<Result[]>,
): Promise<{ page: Result[]; next: Result | undefined }> {
  const limit = Math.min(options.limit ?? pageSize, 999);
  const found = await settle(list({ ...options, limit: limit + 1 }));
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
  assertSameOrigin(req);
  return readJson(req, maxBodyBytes);
}

/** An instant in ISO 8601 as `toISOString` writes it, of a day that there is; else one that no check lets pass. */
function instantOf(text: string): Date {
  const date = new Date(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) ? text : Number.NaN);
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date : new Date(Number.NaN);
}

/** JSON has no dates: a text in their place becomes one, and a text that is none is refused with the rest. */
function withExpiry(body: Readonly<Record<string, unknown>>): CreateKeyOptions {
  const { expiresAt, ...fields } = body;
  return {
    ...fields,
    ...(expiresAt !== undefined && {
      expiresAt: typeof expiresAt === 'string' ? instantOf(expiresAt) : expiresAt,
    }),
  } as CreateKeyOptions;
}

/** The manager's own check of what came in, before anything else is done: its messages name options and print no values. */
function attempt<Options>(check: () => Options): Options {
  try {
    return check();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new WebProblem('malformed_request', { detail: error.message });
    }
    throw error;
  }
}

async function settle<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof KeyStoreError || error instanceof ClaimError)) throw error;
    const isUnknown = error.code === 'unknown_key_id' || error.code === 'unknown_claim_id';
    throw isUnknown
      ? new WebProblem('not_found')
      : new WebProblem('conflict', { detail: sentence(error.message) });
  }
}

const sentence = (message: string) => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
