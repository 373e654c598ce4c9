import { dayMs, yearMs } from '../../lib/durations.js';
import {
  assertArgument,
  assertRange,
  checkOptions,
  mustBeFunction,
  mustBeName,
  mustBeToken,
} from '../../lib/options.js';
import type { ApiKeyHandler } from '../../guard/require-api-key.js';
import {
  keyHeaders,
  mustBeHeaders,
  type HeadersOption,
  type KeyHeader,
} from '../../http/key-headers.js';
import { mustBeNumber } from '../../manager/checks.js';
import { pathOf, runMethod, type Action } from '../http/route.js';
import { setSecurityHeaders } from '../http/security-headers.js';
import { htmlPage, listAbilities, pageRoutes } from '../page-routes.js';
import { mustBeAddress, mustBeManager, mustBePublicUrl } from '../page-options.js';
import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import { accountApi } from './account-api.js';
import { assertNoApiKey, findUser, type ScopesForUser, type UserOf } from './account-user.js';

/** Whose keys an account page manages, and what its users may do. */
export interface AccountKeysOptions {
  /** The manager whose keys users manage here. Required. */
  keys: ApiKeyManager;
  /**
   * Returns the name of the logged-in user, 1 to 256 characters, or a promise of it. `undefined`
   * or `null` if nobody is logged in. Any other result, and a failure, is a fault (503).
   * Required.
   */
  userOf: UserOf;
  /** Returns the scopes that a user may give their keys now, or a promise of them. Default none. */
  scopesFor?: ScopesForUser | undefined;
  /**
   * The most keys that a user may have, as `maxKeysPerUser` counts them: an integer from 1 to 1
   * 000 000. Default 10.
   */
  maxKeys?: number | undefined;
  /**
   * How long a rotated key still works, in milliseconds: an integer from 0 to 31 536 000 000 (365
   * days). Default 86 400 000 (a day).
   */
  overlapMs?: number | undefined;
  /**
   * Where the page sends visitors who are not logged in: an http or https address without a
   * login, or a path that begins with one `/`. Default: the page tells them that they are not
   * logged in.
   */
  loginUrl?: string | undefined;
  /**
   * The name of the API in the heading: neither blank nor with control characters. Default: the
   * host of the page.
   */
  apiName?: string | undefined;
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
  /** The scheme before the key in that header, as given to `requireApiKey`. Default: none. */
  scheme?: string | undefined;
  /**
   * The http or https address at which users open the page, if a proxy does not pass on their
   * `Host`. Only its scheme, host and port count. Default: the `Host` of the request, or
   * `X-Forwarded-Host` from a proxy that Express trusts (`trust proxy`).
   */
  publicUrl?: string | undefined;
}

/**
 * Makes a page and a JSON API on which users manage their own keys, as middleware:
 * `app.use('/account/keys', accountKeys({ keys, userOf: (req) => req.session.user?.id }))`.
 *
 * It relies on the application's login. Mount it behind the session, over HTTPS, and not behind
 * `requireApiKey`. A key is shown once, in the answer that made it.
 *
 * A refusal is `application/problem+json` (RFC 9457) with a `code`: `malformed_request`,
 * `lifetime_too_long` (400), `not_logged_in` (401), `cross_origin`, `key_cannot_manage_keys`,
 * `scope_not_allowed` (403), `not_found` (404), `method_not_allowed` (405), `too_many_keys`,
 * `already_rotating`, `conflict` (409), `content_too_large` (413), `unsupported_media_type` (415)
 * and, if the store or a callback fails, `service_unavailable` (503).
 *
 * @throws {TypeError} for an unknown or wrong option, or a `keys` that is no `ApiKeyManager`.
 * @throws {RangeError} for a number out of its bounds.
 */
export function accountKeys(options: AccountKeysOptions): ApiKeyHandler {
  const caller = 'accountKeys';
  const checked = checkOptions<AccountKeysOptions>(caller, options, {
    keys: mustBeManager,
    userOf: mustBeFunction,
    scopesFor: mustBeFunction,
    maxKeys: mustBeNumber,
    overlapMs: mustBeNumber,
    loginUrl: mustBeAddress,
    apiName: mustBeName,
    exampleUrl: mustBeAddress,
    header: mustBeHeaders,
    scheme: mustBeToken,
    publicUrl: mustBePublicUrl,
  });
  const { keys, userOf, loginUrl, maxKeys = 10, overlapMs = dayMs } = checked;
  assertArgument(caller, '"keys"', keys, mustBeManager);
  assertArgument(caller, '"userOf"', userOf, mustBeFunction);
  assertRange(caller, 'maxKeys', maxKeys, 1, 1_000_000);
  assertRange(caller, 'overlapMs', overlapMs, 0, yearMs);

  const { exampleUrl = '/', apiName, scopesFor } = checked;
  const [{ name: header, scheme = '' }] = keyHeaders(
    caller,
    checked.header,
    checked.scheme,
  ) as readonly [KeyHeader];
  const sendPage = htmlPage('account.html', {
    values: {
      exampleUrl,
      header,
      scheme,
      overlapMs: `${overlapMs}`,
      abilities: listAbilities(keys),
    },
  });
  const answerLoggedOut: Action =
    loginUrl === undefined
      ? htmlPage('account-login.html', { status: 401 })
      : (_req, res) => {
          res.statusCode = 302;
          res.setHeader('Location', loginUrl);
          res.end();
        };
  const routes = pageRoutes(files).set('/', {
    GET: async (req, res) => {
      assertNoApiKey(req);
      const isKnown = (await findUser(req, userOf)) !== undefined;
      await (isKnown ? sendPage : answerLoggedOut)(req, res);
    },
  });
  const ownAddress = { caller, publicUrl: checked.publicUrl };
  const find = accountApi({ keys, apiName, userOf, scopesFor, maxKeys, overlapMs, ownAddress });
  return function accountKeysHandler(req, res, next) {
    const path = pathOf(req);
    const methods = path.startsWith('/api/') ? find(path.slice('/api'.length)) : routes.get(path);
    if (!methods) {
      next();
      return;
    }
    setSecurityHeaders(res);
    void runMethod(methods, req, res, 'the account page');
  };
}

const files = [
  'base.css',
  'forms.css',
  'lists.css',
  'account.js',
  'account-client.js',
  'account-forms.js',
  'account-table.js',
  'api.js',
  'chart.js',
  'dialogs.js',
  'fields.js',
  'icon.svg',
  'key-forms.js',
  'list.js',
  'page.js',
  'table.js',
] as const;
