import type { IncomingMessage } from 'node:http';
import type { KeyHeader } from './key-headers.js';

/** Why a request presents no key that could be looked up. */
export interface Unpresented {
  readonly code: 'missing_api_key' | 'invalid_api_key';
  readonly reason:
    | 'header_absent'
    | 'header_blank'
    | 'other_scheme'
    | 'repeated_header'
    | 'too_long'
    | 'bad_character';
}

const missing = (reason: Unpresented['reason']): Unpresented => ({
  code: 'missing_api_key',
  reason,
});
const invalid = (reason: Unpresented['reason']): Unpresented => ({
  code: 'invalid_api_key',
  reason,
});

const maxKeyLength = 512;

// Visible ASCII without the comma. Node joins repeated lines with commas, and lists are written
// with them.
const presentable = /^[!-+\--~]+$/;

/** Whether a client could present this text as a key. */
export const isPresentable = (key: string) => key.length <= maxKeyLength && presentable.test(key);

/**
 * Reads the presented key from exactly one line of one header.
 *
 * @param header the header's name in lower case
 * @param scheme the scheme before the key in lower case, if there is one
 */
export function readPresentedKey(
  req: IncomingMessage,
  header: string,
  scheme: string | undefined,
): string | Unpresented {
  const line = readLine(req, header);
  if (typeof line !== 'string') return line;
  // The common case first.
  if (scheme === undefined && isPresentable(line)) return line;
  if (/^[ \t]*$/.test(line)) return missing('header_blank');
  const key = scheme === undefined ? line : afterScheme(line, scheme);
  if (typeof key !== 'string') return key;
  if (key.length > maxKeyLength) return invalid('too_long');
  return presentable.test(key) ? key : invalid('bad_character');
}

/** Reads the presented key from the one header that holds a key. Two of them are refused. */
export function readFromOneOf(
  req: IncomingMessage,
  headers: readonly KeyHeader[],
): string | Unpresented {
  const read = headers
    .map(({ lowerName, lowerScheme }) => readPresentedKey(req, lowerName, lowerScheme))
    // The others tell operators no more than that nothing came.
    .filter((each) => typeof each === 'string' || each.reason !== 'header_absent');
  const presented = read.filter(
    (each) => typeof each === 'string' || each.code !== 'missing_api_key',
  );
  // Even two equal ones: a proxy before this server may have checked only one of them.
  if (presented.length > 1) return invalid('repeated_header');
  return presented[0] ?? read[0] ?? missing('header_absent');
}

function afterScheme(line: string, scheme: string): string | Unpresented {
  if (line.slice(0, scheme.length).toLowerCase() !== scheme) return missing('other_scheme');
  if (line.length === scheme.length) return missing('header_blank');
  if (line[scheme.length] !== ' ') return missing('other_scheme');
  const key = line.slice(scheme.length).replace(/^ +/, '');
  return key === '' ? missing('header_blank') : key;
}

function readLine(req: IncomingMessage, header: string): string | Unpresented {
  const rawHeaders = req.rawHeaders ?? [];
  const { server } = (req.socket ?? {}) as { server?: { maxHeadersCount?: number | null } };
  const limit = typeof server?.maxHeadersCount === 'number' ? 2 * server.maxHeadersCount : 2_000;
  // Node drops lines past `maxHeadersCount`, or past 2 000 names and values: perhaps a key.
  if (limit > 0 && rawHeaders.length >= limit) return invalid('repeated_header');
  const line = req.headers[header];
  if (line === undefined) return strippedLines.get(req)?.get(header) ?? missing('header_absent');
  // Node silently keeps the first of two Authorization lines. Only the raw list shows both.
  if (typeof line !== 'string') return invalid('repeated_header');
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === header.length && name.toLowerCase() === header) count++;
  }
  // The raw list has no line if an adapter of a function platform made the request.
  return (count || countInEvent(req, header)) <= 1 ? line : invalid('repeated_header');
}

/**
 * How often the header stands in the event with which a function platform called the application.
 * `serverless-http` passes that event on, but keeps only the last line of each name.
 */
function countInEvent(
  req: IncomingMessage & { apiGateway?: { event?: { multiValueHeaders?: unknown } } },
  header: string,
): number {
  const lists = (req.apiGateway?.event?.multiValueHeaders ?? {}) as Record<string, unknown>;
  let count = 0;
  for (const [name, lines] of Object.entries(lists))
    if (name.toLowerCase() === header) count += Array.isArray(lines) ? lines.length : 1;
  return count;
}

// Stripped headers, for later guards on the same request. Private and weak: neither a logger nor a
// later request sees them.
const strippedLines = new WeakMap<IncomingMessage, Map<string, string | Unpresented>>();

/**
 * Removes the header from every form in which Node exposes it. With a scheme, only if a line
 * holds that scheme: other credentials must stay.
 */
export function stripHeader(req: IncomingMessage, header: string, scheme?: string): void {
  if (req.headers[header] === undefined) return;
  const read = readPresentedKey(req, header, scheme);
  if (typeof read !== 'string' && read.reason === 'other_scheme') return;
  const lines = strippedLines.get(req) ?? new Map<string, string | Unpresented>();
  strippedLines.set(req, lines.set(header, readLine(req, header)));
  delete req.headers[header];
  // Read before the raw list is shortened, because Node builds it from that list and the number of
  // received lines.
  if (req.headersDistinct) delete req.headersDistinct[header];
  for (let i = (req.rawHeaders?.length ?? 0) - 2; i >= 0; i -= 2) {
    if (req.rawHeaders[i]!.toLowerCase() === header) req.rawHeaders.splice(i, 2);
  }
}
