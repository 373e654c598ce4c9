/*
 * Your users' own keys, behind an identity-aware proxy that says in a header who is logged in:
 * oauth2-proxy, Authelia, Pomerium, Tailscale Serve.
 *
 *   app.use('/account/keys', accountByProxy(keys, {
 *     header: 'X-Forwarded-User',
 *     proxies: ['127.0.0.1', '10.0.5.0/24'],
 *     scopesFor: () => ['audio:read'],
 *   }));
 *
 * Anybody can send such a header. Two things make it trustworthy, and you need both:
 *
 * First: the proxy overwrites it in every request, also if nobody is logged in. Try it: send one
 * through the proxy yourself.
 *
 * Second: no request reaches the app past the proxy. The app listens on 127.0.0.1 or in a private
 * network, and here the header counts only if the connection itself comes from one of `proxies`. It
 * is the socket's address that is asked: `req.ip` may be what a client has written.
 *
 * If your proxy signs what it says (Google's IAP, Cloudflare Access), check the signature in place
 * of the address, with its audience and end: then the second condition is not needed.
 */
import { BlockList, isIPv6 } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { accountKeys, type AccountKeysOptions } from 'require-api-key/web';

export interface ProxyOptions extends Omit<AccountKeysOptions, 'keys' | 'userOf'> {
  header: string;
  /** Addresses and blocks of addresses of the proxies themselves. */
  proxies: readonly string[];
}

export function accountByProxy(
  keys: AccountKeysOptions['keys'],
  { header, proxies, ...options }: ProxyOptions,
): RequestHandler {
  const trusted = new BlockList();
  for (const each of proxies) {
    const [address = '', bits] = each.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isFromProxy = ({ socket: { remoteAddress = '' } }: Request) =>
    remoteAddress !== '' && trusted.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');

  return accountKeys({
    ...options,
    keys,
    userOf(req) {
      const [user, ...others] = req.headersDistinct[header.toLowerCase()] ?? [];
      if (!isFromProxy(req) || user === '') return undefined;
      // The proxy adds its line to one that a client sent, and does not overwrite it.
      if (others.length > 0) throw new Error(`two lines of ${header}: the proxy must overwrite it`);
      return user;
    },
  });
}
