import type { IncomingMessage } from 'node:http';
import { WebProblem } from './problem.js';

/** How many entries a page of a list has, unless the client says otherwise. */
const pageSize = 50;

/**
 * Reads a query whose fields are known: each at most once; empty ones count as absent.
 *
 * @param numbers which of them are numbers
 * @throws {WebProblem} `malformed_request`
 */
export function readQuery(
  req: IncomingMessage,
  known: readonly string[],
  numbers: readonly string[] = ['limit'],
): Readonly<Record<string, string | number>> {
  const query: Record<string, string | number> = {};
  for (const [name, value] of new URL(req.url!, 'http://localhost').searchParams) {
    if (!known.includes(name) || name in query) throw new WebProblem('malformed_request');
    if (value !== '') query[name] = numbers.includes(name) ? Number(value) : value;
  }
  return query;
}

/** One entry more than the page has is asked for: so the last page is known to be the last. */
export async function readPage<Result, Query extends object>(
  query: Query,
  list: (query: Query & { readonly limit: number }) => Promise<Result[]>,
): Promise<{ page: Result[]; next: Result | undefined }> {
  const { limit = pageSize } = query as { readonly limit?: number };
  // A thousand is the most that a manager lists.
  const size = limit === 1_000 ? 999 : limit;
  // Nothing at all is for the manager to refuse.
  const found = await list({ ...query, limit: size === 0 ? 0 : size + 1 });
  const page = found.slice(0, size);
  return { page, next: found.length > size ? page.at(-1) : undefined };
}

/** Decodes a part of a path; one that cannot be decoded stays as it is, and names nothing. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
