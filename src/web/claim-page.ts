import type { IncomingMessage } from 'node:http';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { assertArgument, checkOptions, mustBeHeaderName, mustBeName, mustBeToken } from '../lib/options.js';
import type { ApiKeyHandler } from '../require-api-key.js';
import { ClaimError } from '../stores/claim-store.js';
import { WebProblem } from './http/problem.js';
import { readJson } from './http/read-json.js';
import { pathOf, runMethod, sendJson, type Action, type Methods } from './http/route.js';
import { assertSameOrigin } from './http/same-origin.js';
import { setSecurityHeaders } from './http/security-headers.js';
import { mustBeAddress } from './must-be-address.js';
import { mustBeManager } from './must-be-manager.js';
import { pageRoutes } from './page.js';

/** Whose keys a claim page makes, and what it tells their users of the API. */
export interface ClaimPageOptions {
  /** The manager that makes the links and the keys. */
  keys: ApiKeyManager;
  /** Which API the key is for, as its users call it. Default: the host of the page. */
  apiName?: string | undefined;
  /** Who invites: a person, a team or a company. Default: not said. */
  invitedBy?: string | undefined;
  /** The address in the `curl` line that the page shows, absolute or from the page's host. Default `/`. */
  exampleUrl?: string | undefined;
  /** The header in which the API takes the key, as given to `requireApiKey`. Default `X-API-Key`. */
  header?: string | undefined;
  /** The scheme before the key in that header, as given to `requireApiKey`. Default none. */
  scheme?: string | undefined;
}

const maxBodyBytes = 4_096;

/**
 * The page behind a claim link, as middleware: `app.use('/claim', claimPage({ keys }))` for links `https://host/claim#<token>`.
 * Nothing but the press of its button makes a key, which is shown once. Mount it where no guard stands before it.
 *
 * @throws {TypeError} for an unknown or wrong option, or a manager whose store keeps no claim links.
 */
export function claimPage(options: ClaimPageOptions): ApiKeyHandler {
  const checked = checkOptions<ClaimPageOptions>('claimPage', options, {
    keys: mustBeManager,
    apiName: mustBeName,
    invitedBy: mustBeName,
    exampleUrl: mustBeAddress,
    header: mustBeHeaderName,
    scheme: mustBeToken,
  });
  const { keys, apiName, invitedBy, exampleUrl = '/', header = 'X-API-Key', scheme } = checked;
  assertArgument('claimPage', '"keys"', keys, mustBeManager);
  if (!keys.keepsClaims) throw new TypeError('claimPage: the store of "keys" keeps no claim links');

  const describe: Action = async (req, res) => {
    const { user, name, scopes, keyExpiresAt, expiresAt } = await usable(
      keys.peekClaim(await readToken(req), req),
    );
    sendJson(res, 200, { user, name, scopes, keyExpiresAt, expiresAt, apiName, invitedBy });
  };
  const claim: Action = async (req, res) => {
    const { key, record } = await usable(keys.claim(await readToken(req), req));
    sendJson(res, 201, { key, keyId: record.keyId, header, scheme, exampleUrl });
  };
  const routes = new Map<string, Methods>([
    ...pageRoutes('claim.html', ['base.css', 'claim.css', 'page.js', 'claim.js', 'icon.svg']),
    ['/describe', { POST: describe }],
    ['/claim', { POST: claim }],
  ]);
  return function claimPageHandler(req, res, next) {
    const methods = routes.get(pathOf(req));
    if (!methods) {
      next();
      return;
    }
    setSecurityHeaders(res);
    void runMethod(methods, req, res);
  };
}

async function readToken(req: IncomingMessage): Promise<string> {
  assertSameOrigin(req);
  try {
    const { token } = await readJson(req, maxBodyBytes);
    // Whatever is not a text is not a token either; the manager tells operators so.
    return typeof token === 'string' ? token : '';
  } catch (error) {
    // To strangers, a body that is not JSON is one more link that does not work.
    if (error instanceof WebProblem && error.code === 'malformed_request') return '';
    throw error;
  }
}

async function usable<Result>(attempt: Promise<Result>): Promise<Result> {
  try {
    return await attempt;
  } catch (error) {
    throw error instanceof ClaimError ? new WebProblem('claim_not_usable') : error;
  }
}
