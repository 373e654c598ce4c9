import type { Request } from 'express';
import type { AddressList } from '../lib/addresses.js';

/**
 * Whether a request comes from an address that may use a key. A request that does not say where it
 * comes from does not.
 *
 * @throws {Error} if clients can choose the address that the app sees.
 */
export function isAllowedFrom(addresses: AddressList, req: Request | undefined): boolean {
  if (trustsAnyone(req)) {
    throw new Error(
      '"trust proxy" is true, which lets clients choose their address, and this key is held to ' +
        "addresses: set it to how many proxies there are, app.set('trust proxy', 1), or to their addresses",
    );
  }
  const address: unknown = req?.ip;
  return typeof address === 'string' && addresses.has(address);
}

/** Read from whatever request a caller has: only Express's has an app. */
const trustsAnyone = (req: { app?: Partial<Request['app']> } | undefined): boolean =>
  req?.app?.get?.('trust proxy') === true;
