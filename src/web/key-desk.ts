import {
  assertArgument,
  checkOptions,
  mustBeBoolean,
  mustBeName,
  mustBeScopes,
  type Check,
} from '../lib/options.js';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { requireApiKey, type ApiKeyHandler } from '../guard/require-api-key.js';
import { deskRoutes } from './desk-api.js';
import { WebProblem } from './http/problem.js';
import { pathOf, routeTable, runMethod, type Action, type Methods } from './http/route.js';
import { setSecurityHeaders } from './http/security-headers.js';
import { mustBeAddress, mustBeManager, mustBePublicUrl } from './page-options.js';
import { htmlPage, listAbilities, pageRoutes } from './page-routes.js';

/** Whose keys a desk manages, and what its forms offer. */
export interface KeyDeskOptions {
  /**
   * The manager whose keys are managed here. It also decides who may do so: holders of a key with
   * the scope `keys:manage`. Required.
   */
  keys: ApiKeyManager;
  /**
   * The address of the claim page, for claim links that the desk makes: an http or https address,
   * or a path on the desk's host that begins with one `/`, without `#`. Mount `claimPage()`
   * there. Default `/claim`. If the store of `keys` keeps no claim links, the desk offers none
   * and this option is refused.
   */
  claimUrl?: string | undefined;
  /**
   * The name of the API in the desk's heading: neither blank nor with control characters.
   * Default: the host of the page.
   */
  apiName?: string | undefined;
  /**
   * Scopes that the form for new keys offers as check boxes, each by RFC 6749, section 3.3.
   * Others can be typed. Default `[]`.
   */
  knownScopes?: readonly string[] | undefined;
  /**
   * Refuses the operator's key over plain HTTP with `https_required`, as `requireApiKey` does.
   * Default `false`.
   */
  requireHttps?: boolean | undefined;
  /**
   * The http or https address at which operators open the page, if a proxy does not pass on their
   * `Host`. Only its scheme, host and port count. Default: the `Host` of the request, or
   * `X-Forwarded-Host` from a proxy that Express trusts (`trust proxy`).
   */
  publicUrl?: string | undefined;
}

const mustBeClaimUrl: Check = (value) =>
  mustBeAddress(value) ?? (String(value).includes('#') ? 'an address without "#"' : undefined);

/**
 * Makes the key desk, a page and a JSON API with which operators manage keys, as middleware:
 * `app.use('/keys', keyDesk({ keys }))`.
 *
 * The page holds no data. The API is always behind
 * `requireApiKey({ source: keys, scopes: ['keys:manage'] })`, and no option opens it. A holder of
 * such a key can give keys any scope, including `keys:manage`. Mount the desk over HTTPS, with no
 * other guard before it.
 *
 * A refusal is `application/problem+json` (RFC 9457) with a `code`: those of `requireApiKey`,
 * `malformed_request` (400), `cross_origin` (403), `not_found` (404), `method_not_allowed` (405),
 * `conflict` (409), `content_too_large` (413), `unsupported_media_type` (415) and, if the store
 * fails, `service_unavailable` (503).
 *
 * @throws {TypeError} for an unknown or wrong option, a `keys` that is no `ApiKeyManager`, or a
 *   `claimUrl` although the store keeps no claim links.
 */
export function keyDesk(options: KeyDeskOptions): ApiKeyHandler {
  const checked = checkOptions<KeyDeskOptions>('keyDesk', options, {
    keys: mustBeManager,
    claimUrl: mustBeClaimUrl,
    apiName: mustBeName,
    knownScopes: mustBeScopes,
    requireHttps: mustBeBoolean,
    publicUrl: mustBePublicUrl,
  });
  const { keys, apiName, knownScopes = [], requireHttps = false } = checked;
  assertArgument('keyDesk', '"keys"', keys, mustBeManager);
  if (checked.claimUrl !== undefined && !keys.keepsClaims)
    throw new TypeError(
      'keyDesk: "claimUrl" is given, but the store of "keys" keeps no claim links',
    );
  const claimUrl = keys.keepsClaims ? (checked.claimUrl ?? '/claim') : undefined;

  const guard = requireApiKey({
    source: keys,
    scopes: ['keys:manage'],
    realm: 'key desk',
    requireHttps,
    stripHeader: true,
  });
  const page = pageRoutes(files).set('/', {
    GET: htmlPage('desk.html', { values: { abilities: listAbilities(keys) } }),
  });
  const findMethods = routeTable(
    deskRoutes({
      keys,
      claimUrl,
      apiName,
      knownScopes: [...knownScopes],
      ownAddress: { caller: 'keyDesk', publicUrl: checked.publicUrl },
    }),
  );
  return function keyDeskHandler(req, res, next) {
    const path = pathOf(req);
    if (path.startsWith('/api/')) {
      setSecurityHeaders(res);
      guard(req, res, (error) => {
        if (error === undefined)
          void runMethod(findMethods(path.slice('/api'.length)) ?? notThere, req, res);
        else next(error);
      });
      return;
    }
    const methods = page.get(path);
    if (!methods) {
      next();
      return;
    }
    setSecurityHeaders(res);
    void runMethod(methods, req, res);
  };
}

const answerNotFound: Action = () => {
  throw new WebProblem('not_found');
};
const notThere: Methods = { GET: answerNotFound, POST: answerNotFound };

const files = [
  'base.css',
  'forms.css',
  'lists.css',
  'api.js',
  'chart.js',
  'desk.js',
  'desk-client.js',
  'desk-forms.js',
  'desk-history.js',
  'desk-key-forms.js',
  'desk-keys.js',
  'desk-links.js',
  'dialogs.js',
  'fields.js',
  'icon.svg',
  'key-forms.js',
  'list.js',
  'page.js',
  'table.js',
] as const;
