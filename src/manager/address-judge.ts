import type { Request } from 'express';
import type { AddressList } from '../lib/addresses.js';
import { warnOnce } from '../lib/warn.js';

/**
 * Whether a request comes from an address that may use a key. A request without an address does
 * not.
 *
 * @throws {Error} if clients can choose the address that the app sees.
 */
export function isAllowedFrom(addresses: AddressList, req: Request | undefined): boolean {
  if (trustProxyOf(req) === true) {
    throw new Error(
      '"trust proxy" is true, so clients can choose their address, but this key only works from ' +
        'certain addresses: set "trust proxy" to the number of proxies, ' +
        "app.set('trust proxy', 1), or to their addresses",
    );
  }
  warnOfUnknownProxy(req);
  const address: unknown = req?.ip;
  return typeof address === 'string' && addresses.has(address);
}

type AnyRequest = { app?: Partial<Request['app']>; headers?: Request['headers'] } | undefined;

/** A caller may pass any request. Only Express's has an app. */
const trustProxyOf = (req: AnyRequest): unknown => req?.app?.get?.('trust proxy');

// Clients can send this header too, so it decides nothing. It is the only sign of a proxy whose own
// address is taken for that of every client.
const warnOfUnknownProxy = (req: AnyRequest): void => {
  if (trustProxyOf(req) !== false || req?.headers?.['x-forwarded-for'] === undefined) return;
  warnOnce(
    'A key that only works from certain addresses came with X-Forwarded-For, but "trust proxy" ' +
      "is not set. If a proxy is in front, its address is taken for the client's. " +
      'Set "trust proxy" to the number of proxies, ' +
      "app.set('trust proxy', 1), or to their addresses",
    'unknown proxy',
  );
};
