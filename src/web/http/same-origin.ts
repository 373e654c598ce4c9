import type { IncomingMessage } from 'node:http';
import { WebProblem } from './problem.js';

/**
 * Refuses what a browser sends on behalf of another site. There are no cookies to abuse; still, a page elsewhere that came by a token
 * must not use it from its readers' browsers. Clients that are no browsers send neither header.
 *
 * @throws {WebProblem} `cross_origin`
 */
export function assertSameOrigin({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    if (site !== 'same-origin') throw new WebProblem('cross_origin');
    return;
  }
  if (headers.origin === undefined) return;
  const host = hostOf(headers.origin);
  if (host === undefined || host !== headers.host?.toLowerCase())
    throw new WebProblem('cross_origin');
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
