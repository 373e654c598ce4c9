import type { ServerResponse } from 'node:http';

/**
 * Adds names of request headers to `Vary`, keeping what is there (RFC 9110, section 12.5.5).
 *
 * @param added one name, or several separated by `, `
 */
export function appendVary(res: ServerResponse, added: string): void {
  if (res.headersSent) return;
  const existing = res.getHeader('vary');
  if (existing === added) return;
  if (existing === undefined) {
    res.setHeader('Vary', added);
    return;
  }
  const value = [existing].flat().join(', ');
  const names = new Set(value.split(',').map((name) => name.trim().toLowerCase()));
  if (names.has('*')) return;
  const missing = added.split(', ').filter((name) => !names.has(name.toLowerCase()));
  if (missing.length > 0) res.setHeader('Vary', [value, ...missing].join(', '));
}

/** Sets headers, adding to `Vary` instead of replacing it. */
export function setHeaders(res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  if (res.headersSent) return;
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'Vary') appendVary(res, value);
    // Comparing is cheaper than setting a header again that the guard has already set.
    else if (res.getHeader(name) !== value) res.setHeader(name, value);
  }
}

/**
 * Makes the answer private unless it already is. Shared caches keep answers to `Authorization`
 * out (RFC 9111, section 3.5), but not those to other headers. The handler may still set its own.
 */
export function keepPrivate(res: ServerResponse): void {
  if (res.headersSent) return;
  const existing = res.getHeader('cache-control');
  if (existing === undefined || !/private|no-store/i.test(String(existing)))
    res.setHeader('Cache-Control', 'private');
}
