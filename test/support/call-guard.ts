import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { vi } from 'vitest';
import type { ApiKey, ApiKeyHandler } from '../../src/index.js';

/** Header lines of one name each, or several of one name. */
export type Lines = Readonly<Record<string, string | readonly string[]>>;

export interface Call {
  readonly req: IncomingMessage & { apiKey?: ApiKey; secure?: boolean };
  readonly res: ServerResponse;
  readonly next: ReturnType<typeof vi.fn<(error?: unknown) => void>>;
  /** The body of the answer. */
  answer(): { code?: string; detail?: string };
  /**
   * `admitted` where `next` was called with nothing, the problem's code where it was answered, else
   * what `next` was given.
   */
  outcome(): unknown;
}

/**
 * A request that has arrived, and its response: Node's own classes without a connection, for what
 * needs to be tried very often.
 */
export function arrive(lines: Lines = {}, method = 'GET'): Call {
  const req = Object.assign(new IncomingMessage(new Socket()), { method });
  for (const [name, value] of Object.entries(lines)) {
    const values = typeof value === 'string' ? [value] : value;
    for (const each of values) req.rawHeaders.push(name, each);
    // As Node does where a name may stand only once; it joins others.
    req.headers[name.toLowerCase()] = /^authorization$/i.test(name)
      ? values[0]!
      : values.join(', ');
  }
  const res = new ServerResponse(req);
  const end = vi.spyOn(res, 'end');
  const next = vi.fn<(error?: unknown) => void>();
  const answer = () => JSON.parse(String(end.mock.calls[0]![0])) as { code?: string };
  return {
    req,
    res,
    next,
    answer,
    outcome() {
      const calls = next.mock.calls;
      if (calls.length + end.mock.calls.length !== 1) return { next: calls, end: end.mock.calls };
      if (calls.length === 0) return answer().code;
      return calls[0]!.length === 0 ? 'admitted' : calls[0]![0];
    },
  };
}

/** Lets one guard after another decide on a request, each only where the one before let it pass. */
export async function callGuards(guards: readonly ApiKeyHandler[], call: Call): Promise<unknown> {
  for (const guard of guards) {
    call.next.mockClear();
    guard(call.req, call.res, call.next);
    await new Promise((resolve) => void setImmediate(resolve));
    if (call.outcome() !== 'admitted') break;
  }
  return call.outcome();
}
