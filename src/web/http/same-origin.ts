import type { IncomingMessage } from 'node:http';
import { warnOnce } from '../../lib/warn.js';
import { WebProblem } from './problem.js';

/** The page whose requests these are, and where the application says that readers open it. */
export interface OwnAddress {
  /** Who is told of a wrong set-up: `claimPage`. */
  readonly caller: string;
  readonly publicUrl: string | undefined;
}

/**
 * Refuses what a browser sends on behalf of another site: on the account page it would come with
 * its reader's session, elsewhere with a token or key that the other site came by. Clients that
 * are no browsers send neither header.
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
  // Browsers send that header over HTTPS and to the machine itself alone.
  if (headers.origin === undefined) return;
  const origin = urlOf(headers.origin);
  if (!origin) throw new WebProblem('cross_origin');
  if (address.publicUrl !== undefined && urlOf(address.publicUrl)?.origin === origin.origin) return;
  for (const host of [headers.host, forwardedHost(req)])
    if (host !== undefined && urlOf(`${origin.protocol}//${host}`)?.host === origin.host) return;
  warnOfRewrittenHost(origin, headers.host, address);
  throw new WebProblem('cross_origin', {
    detail:
      'The server does not know the address of this page as its own. Whoever runs it must set "publicUrl", or let the proxy ' +
      'pass on the Host header.',
  });
}

function warnOfRewrittenHost(
  { origin }: URL,
  host: string | undefined,
  { caller }: OwnAddress,
): void {
  warnOnce(
    `${caller}: a request from a page at ${origin.slice(0, 200)} was refused (cross_origin), as the server takes its own address ` +
      `to be ${JSON.stringify(host?.slice(0, 200))}. If readers open the page there, a proxy rewrites Host: set "publicUrl" to ` +
      'that address, or let the proxy pass on Host. Otherwise another site sent it, and all is well.',
    `${caller} cross_origin`,
  );
}

/** What the proxy says that the client asked for, if the application trusts that proxy (`trust proxy`). */
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
