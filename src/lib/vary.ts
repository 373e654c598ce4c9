import type { ServerResponse } from 'node:http';

/** Adds a request header's name to `Vary`, keeping what stands there (RFC 9110, section 12.5.5). */
export function appendVary(res: ServerResponse, header: string): void {
  const existing = res.getHeader('Vary');
  if (existing === undefined) {
    res.setHeader('Vary', header);
    return;
  }
  const value = Array.isArray(existing) ? existing.join(', ') : String(existing);
  const names = new Set(value.split(',').map((name) => name.trim().toLowerCase()));
  if (!names.has('*') && !names.has(header.toLowerCase())) res.setHeader('Vary', `${value}, ${header}`);
}
