import { expect } from 'vitest';
import type { Reply } from './guarded-app.js';

export interface ExpectedRefusal {
  readonly status: 401 | 403 | 503;
  readonly code: string;
  /** The exact `WWW-Authenticate`, or its form; on a 401 without it, the default challenge. */
  readonly challenge?: string | RegExp;
  /** The header that the answer varies with. */
  readonly vary?: string;
  /** How often the handler ran on purpose, earlier in the same test. */
  readonly earlierRuns?: number;
}

const defaultChallenge = 'ApiKey realm="api", header="X-API-Key"';

/**
 * Holds an answer to everything the contract says of a refusal, and the handler to not having run.
 */
export function expectRefused(
  reply: Reply,
  { status, code, challenge, vary = 'X-API-Key', earlierRuns = 0 }: ExpectedRefusal,
): void {
  expect(reply.handlerRuns, 'runs of the guarded handler').toBe(earlierRuns);
  expect({ status: reply.status, code: problemOf(reply)['code'] }).toEqual({ status, code });
  expectChallenge(reply.headers['www-authenticate'], status, challenge);
  expectProblem(reply, status);
  expect(reply.headers['cache-control']).toBe('no-store');
  expect(varyOf(reply)).toContain(vary.toLowerCase());
  expect(reply.headers).not.toHaveProperty('location');
  if (status === 503) expect(reply.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  else expect(reply.headers).not.toHaveProperty('retry-after');
}

/** The names in `Vary`, in lower case. */
export function varyOf(reply: Reply): readonly string[] {
  return (reply.headers['vary'] ?? '').split(',').map((name) => name.trim().toLowerCase());
}

/** The body of a refusal, or nothing where it is not a JSON object. */
export function problemOf(reply: Reply): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(reply.text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function expectProblem(reply: Reply, status: number): void {
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json(; ?charset=utf-8)?$/i);
  const problem = problemOf(reply);
  expect(Object.keys(problem).toSorted()).toEqual([
    'code',
    'detail',
    'error',
    'status',
    'title',
    'type',
  ]);
  expect(problem['status']).toBe(status);
  for (const member of ['type', 'title', 'detail'])
    expect(problem[member]).toEqual(expect.stringMatching(/\S/));
  expect(problem['error']).toBe(problem['title']);
  expect(URL.canParse(String(problem['type']), 'http://localhost/')).toBe(true);
}

function expectChallenge(
  actual: string | undefined,
  status: number,
  expected: string | RegExp | undefined,
): void {
  if (expected instanceof RegExp) expect(actual).toMatch(expected);
  else if (expected !== undefined) expect(actual).toBe(expected);
  else if (status === 401) expect(actual).toBe(defaultChallenge);
  else expect(actual).toBeUndefined();
}
