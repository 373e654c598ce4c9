import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { isError } from '../../lib/errors.js';
import { describe } from '../../lib/options.js';
import { mustBeScopeList, mustBeText } from '../../manager/checks.js';
import { WebProblem } from '../http/problem.js';

/** Says who is logged in; `undefined` or `null` if nobody is. */
export type UserOf = (
  req: Request,
) => string | null | undefined | Promise<string | null | undefined>;

/** Says what a user may let their keys do. */
export type ScopesFor = (
  user: string,
  req: Request,
) => readonly string[] | Promise<readonly string[]>;

/**
 * Whose keys a request is about; `undefined` if nobody is logged in. Anything that is not certainly
 * a user's name is a fault: a wrong name would open somebody else's keys.
 */
export async function findUser(req: IncomingMessage, userOf: UserOf): Promise<string | undefined> {
  const user: unknown = await callback('userOf', () => userOf(req as Request));
  if (user === undefined || user === null) return undefined;
  const expected = mustBeText(user);
  if (expected === undefined) return user as string;
  throw new Error(
    `accountKeys: "userOf" must give a user's name, ${expected}, or undefined; ` +
      `it gave ${describe(user)}`,
  );
}

/** @throws {WebProblem} `not_logged_in` */
export async function readUser(req: IncomingMessage, userOf: UserOf): Promise<string> {
  const user = await findUser(req, userOf);
  if (user === undefined) throw new WebProblem('not_logged_in');
  return user;
}

/** What the keys of a user may do now. */
export async function readScopes(
  user: string,
  req: IncomingMessage,
  scopesFor: ScopesFor | undefined,
): Promise<readonly string[]> {
  if (!scopesFor) return [];
  const scopes: unknown = await callback('scopesFor', () => scopesFor(user, req as Request));
  const expected = mustBeScopeList(scopes);
  if (expected === undefined) return [...new Set(scopes as readonly string[])];
  throw new Error(`accountKeys: "scopesFor" must give ${expected}; it gave ${describe(scopes)}`);
}

/** A request that a guard has let in by an API key: its sender may hold a key and nothing else of the user. */
export function assertNoApiKey(req: IncomingMessage): void {
  const { apiKey } = req as Partial<Request>;
  if (apiKey !== undefined) throw new WebProblem('key_cannot_manage_keys');
}

async function callback(name: string, call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    // The log tells faults apart by this message.
    const why = isError(error) ? `: ${error.message}` : '';
    throw new Error(`accountKeys: "${name}" failed${why}`, { cause: error });
  }
}
