import type { IncomingMessage } from 'node:http';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { assertArgument, checkOptions, mustBeName, mustBeToken } from '../lib/options.js';
import type { ApiKeyHandler } from '../guard/require-api-key.js';
import {
  keyHeaders,
  mustBeHeaders,
  type HeadersOption,
  type KeyHeader,
} from '../http/key-headers.js';
import { ClaimError } from '../stores/claim-store.js';
import { KeyStoreError } from '../stores/key-store-error.js';
import { WebProblem } from './http/problem.js';
import { readJson } from './http/read-json.js';
import { pathOf, runMethod, type Action, type Methods } from './http/route.js';
import { assertSameOrigin, type OwnAddress } from './http/same-origin.js';
import { setSecurityHeaders } from './http/security-headers.js';
import { sendJson } from './http/send.js';
import { mustBeAddress, mustBeManager, mustBePublicUrl } from './page-options.js';
import { htmlPage, pageRoutes } from './page-routes.js';

/** Whose keys a claim page makes, and what it tells users about the API. */
export interface ClaimPageOptions {
  /** The manager that makes the links and the keys. Its store must keep claim links. Required. */
  keys: ApiKeyManager;
  /**
   * The name of the API that the key is for: neither blank nor with control characters. Default:
   * the host of the page.
   */
  apiName?: string | undefined;
  /**
   * Who invites: a person, a team or a company, neither blank nor with control characters.
   * Default: the page does not say.
   */
  invitedBy?: string | undefined;
  /**
   * The address in the `curl` line that the page shows: an http or https address without a login,
   * or a path on the page's host that begins with one `/`. Default `/`.
   */
  exampleUrl?: string | undefined;
  /**
   * The header in that `curl` line, as given to `requireApiKey`. If several are given, the first.
   * Default `X-API-Key`.
   */
  header?: HeadersOption | undefined;
  /** The scheme before the key, as given to `requireApiKey`. Default: none. */
  scheme?: string | undefined;
  /**
   * The http or https address at which users open the page, if a proxy does not pass on their
   * `Host`. Only its scheme, host and port count. Default: the `Host` of the request, or
   * `X-Forwarded-Host` from a proxy that Express trusts (`trust proxy`).
   */
  publicUrl?: string | undefined;
}

const maxBodyBytes = 4_096;

/**
 * Makes the page behind a claim link, as middleware: `app.use('/claim', claimPage({ keys }))` for
 * links `https://host/claim#<token>`.
 *
 * Opening the page makes no key. Pressing its button does. It sends a `POST` of `{"token":"..."}`
 * as `application/json` to the page's own address. The answer is 201 with
 * `{ key, keyId, header, scheme, exampleUrl }`, once. Mount the page over HTTPS, with no guard
 * before it.
 *
 * A refusal is `application/problem+json` (RFC 9457) with a `code`: `claim_not_usable` (404, the
 * same for a link that is used, expired, revoked, malformed or unknown), `too_many_keys` (409,
 * the link stays open), `cross_origin` (403), `method_not_allowed` (405), `content_too_large`
 * (413), `unsupported_media_type` (415) and, if the store fails, `service_unavailable` (503).
 *
 * @throws {TypeError} for an unknown or wrong option, a `keys` that is no `ApiKeyManager`, or one
 *   whose store keeps no claim links.
 */
export function claimPage(options: ClaimPageOptions): ApiKeyHandler {
  const checked = checkOptions<ClaimPageOptions>('claimPage', options, {
    keys: mustBeManager,
    apiName: mustBeName,
    invitedBy: mustBeName,
    exampleUrl: mustBeAddress,
    header: mustBeHeaders,
    scheme: mustBeToken,
    publicUrl: mustBePublicUrl,
  });
  const { keys, apiName, invitedBy, exampleUrl = '/' } = checked;
  const [{ name: header, scheme }] = keyHeaders(
    'claimPage',
    checked.header,
    checked.scheme,
  ) as readonly [KeyHeader];
  const ownAddress: OwnAddress = { caller: 'claimPage', publicUrl: checked.publicUrl };
  assertArgument('claimPage', '"keys"', keys, mustBeManager);
  if (!keys.keepsClaims) throw new TypeError('claimPage: the store of "keys" keeps no claim links');

  const describe: Action = async (req, res) => {
    const { user, name, scopes, keyExpiresAt, expiresAt } = await hideReason(
      keys.peekClaim(await readToken(req, ownAddress), req),
    );
    sendJson(res, 200, { user, name, scopes, keyExpiresAt, expiresAt, apiName, invitedBy });
  };
  const claim: Action = async (req, res) => {
    const { key, record } = await hideReason(keys.claim(await readToken(req, ownAddress), req));
    sendJson(res, 201, { key, keyId: record.keyId, header, scheme, exampleUrl });
  };
  const files = [
    'base.css',
    'claim.css',
    'page.js',
    'claim.js',
    'claim-link.js',
    'icon.svg',
  ] as const;
  const routes = pageRoutes(files)
    .set('/', { GET: htmlPage('claim.html'), POST: claim })
    .set('/describe', { POST: describe })
    .set('/claim', { POST: claim });
  return function claimPageHandler(req, res, next) {
    const path = pathOf(req);
    const methods = routes.get(path) ?? mendAddress(path);
    if (!methods) {
      next();
      return;
    }
    setSecurityHeaders(res);
    void runMethod(methods, req, res);
  };
}

/** Handles a link with `%23` in place of its `#`, which made the token a part of the path. */
function mendAddress(path: string): Methods | undefined {
  const [, token] = /^\/%23([\w-]{43})/.exec(path) ?? [];
  if (token === undefined) return undefined;
  return {
    GET: (_req, res) => {
      res.statusCode = 302;
      res.setHeader('Location', `./#${token}`);
      res.end();
    },
  };
}

async function readToken(req: IncomingMessage, ownAddress: OwnAddress): Promise<string> {
  assertSameOrigin(req, ownAddress);
  try {
    const { token } = await readJson(req, maxBodyBytes);
    // Any other value is not a token either. The manager reports that to operators.
    return typeof token === 'string' ? token : '';
  } catch (error) {
    // To a stranger, a body that is not JSON is one more link that does not work.
    if (error instanceof WebProblem && error.code === 'malformed_request') return '';
    throw error;
  }
}

async function hideReason<Result>(attempt: Promise<Result>): Promise<Result> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof ClaimError) throw new WebProblem('claim_not_usable');
    // The link stays open: it works again as soon as its user has revoked a key.
    const isFull = error instanceof KeyStoreError && error.code === 'too_many_keys';
    throw isFull ? new WebProblem('too_many_keys', { detail: makeRoom }) : error;
  }
}

const makeRoom =
  'You have as many keys as are allowed. Revoke one that you no longer need, or ask the person ' +
  'who sent the link to do so. Then press the button again: the link still works.';
