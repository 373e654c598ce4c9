import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { isError } from '../../lib/errors.js';
import { describe } from '../../lib/options.js';
import { mustBeScopeList, mustBeText } from '../../manager/checks.js';
import { WebProblem } from '../http/problem.js';

/** Returns the logged-in user. `undefined` or `null` if nobody is logged in. */
export type UserOf = (
  req: Request,
) => string | null | undefined | Promise<string | null | undefined>;

/** Returns the scopes that a user may give their keys. */
export type ScopesForUser = (
  user: string,
  req: Request,
) => readonly string[] | Promise<readonly string[]>;

/**
 * The user of a request. `undefined` if nobody is logged in. An invalid name is a fault: a wrong
 * name would open somebody else's keys.
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

/** The scopes that the keys of a user may have now. */
export async function readScopes(
  user: string,
  req: IncomingMessage,
  scopesFor: ScopesForUser | undefined,
): Promise<readonly string[]> {
  if (!scopesFor) return [];
  const scopes: unknown = await callback('scopesFor', () => scopesFor(user, req as Request));
  const expected = mustBeScopeList(scopes);
  if (expected === undefined) return [...new Set(scopes as readonly string[])];
  throw new Error(`accountKeys: "scopesFor" must give ${expected}; it gave ${describe(scopes)}`);
}

/**
 * Refuses a request that a guard has admitted by an API key: its sender may have nothing of the
 * user but that key.
 */
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
