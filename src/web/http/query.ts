import type { IncomingMessage } from 'node:http';
import { WebProblem } from './problem.js';

/** The number of entries on a page, unless the client asks for another. */
const pageSize = 50;

/**
 * Reads a query with known fields, each at most once. Empty fields count as absent.
 *
 * @param numbers the fields that are numbers
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

/** Asks for one more entry than the page has, to recognize the last page. */
export async function readPage<Result, Query extends object>(
  query: Query,
  list: (query: Query & { readonly limit: number }) => Promise<Result[]>,
): Promise<{ page: Result[]; next: Result | undefined }> {
  const { limit = pageSize } = query as { readonly limit?: number };
  // A manager lists at most a thousand.
  const size = limit === 1_000 ? 999 : limit;
  // The manager refuses zero.
  const found = await list({ ...query, limit: size === 0 ? 0 : size + 1 });
  const page = found.slice(0, size);
  return { page, next: found.length > size ? page.at(-1) : undefined };
}

/** Decodes a part of a path. A part that cannot be decoded stays as it is and names nothing. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
