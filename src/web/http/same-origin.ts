import type { IncomingMessage } from 'node:http';
import { warnOnce } from '../../lib/warn.js';
import { WebProblem } from './problem.js';

/** The page that receives the requests, and the address at which users open it. */
export interface OwnAddress {
  /** The function to name in warnings about a wrong set-up: `claimPage`. */
  readonly caller: string;
  readonly publicUrl: string | undefined;
}

/**
 * Refuses what a browser sends on behalf of another site. On the account page, the request would
 * carry its user's session. Elsewhere, it would carry a token or key that the other site
 * obtained. Clients other than browsers send neither header.
 *
 * @throws {WebProblem} `cross_origin`
 */
export function assertSameOrigin(req: IncomingMessage, address: OwnAddress): void {
  const { headers } = req;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    if (site !== 'same-origin') throw new WebProblem('cross_origin');
    return;
  }
  // Browsers send `Sec-Fetch-Site` only over HTTPS and to the local machine.
  if (headers.origin === undefined) return;
  const origin = urlOf(headers.origin);
  if (!origin) throw new WebProblem('cross_origin');
  if (address.publicUrl !== undefined && urlOf(address.publicUrl)?.origin === origin.origin) return;
  for (const host of [headers.host, forwardedHost(req)])
    if (host !== undefined && urlOf(`${origin.protocol}//${host}`)?.host === origin.host) return;
  warnOfRewrittenHost(origin, headers.host, address);
  throw new WebProblem('cross_origin', {
    detail:
      'The server does not know the address of this page as its own. Its operator must set ' +
      '"publicUrl", or let the proxy pass on the Host header.',
  });
}

function warnOfRewrittenHost(
  { origin }: URL,
  host: string | undefined,
  { caller }: OwnAddress,
): void {
  warnOnce(
    `${caller}: a request from a page at ${origin.slice(0, 200)} was refused (cross_origin), ` +
      `as the server takes its own address to be ${JSON.stringify(host?.slice(0, 200))}. If ` +
      'readers open the page there, a proxy rewrites Host: set "publicUrl" to that address, or ' +
      'let the proxy pass on Host. Otherwise another site sent it, and all is well.',
    `${caller} cross_origin`,
  );
}

/**
 * The host that the client asked for, according to a proxy that the application trusts
 * (`trust proxy`).
 */
function forwardedHost(
  req: IncomingMessage & { app?: { get?: (setting: string) => unknown } },
): string | undefined {
  const trusts = req.app?.get?.('trust proxy fn');
  if (typeof trusts !== 'function' || trusts(req.socket.remoteAddress, 0) !== true)
    return undefined;
  return String(req.headers['x-forwarded-host'] ?? '')
    .split(',', 1)[0]
    ?.trim();
}

function urlOf(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}
