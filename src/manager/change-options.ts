import type { ChangeVia } from '../keys/diagnostics.js';
import { isPrintable, type Check, type Checks } from '../lib/options.js';
import type { ChangeContext } from '../stores/key-event.js';

/** Who makes a change and why, for the history of keys. */
export interface Attribution {
  /**
   * Who makes the change: 1 to 256 characters without control characters. Default: nobody in
   * particular.
   */
  by?: string | undefined;
  /** Why: 1 to 1 000 characters without control characters. Default no reason. */
  reason?: string | undefined;
}

/**
 * A hidden option, set by `withOrigin`. With it the library's pages and command line say how a
 * change is made, and set stricter limits than the manager's.
 */
const changeOrigin: unique symbol = Symbol.for('require-api-key.change') as never;

/** How a change is made. */
export interface ChangeOrigin {
  /** Through which part of the library. Default `code`. */
  readonly via?: ChangeVia;
  /**
   * The most keys that the user may have after this change, if that is fewer than the manager's.
   */
  readonly maxKeysPerUser?: number;
  /** How many places are taken by keys of the user that a store does not count. Default 0. */
  readonly keysBesideLimit?: number;
  /** The only scopes that a successor may inherit. Default: all of the old key's. */
  readonly onlyScopes?: readonly string[];
}

/** Copies the options of a manager's method and adds how the change is made. */
export const withOrigin = <Options extends object>(
  options: Options,
  origin: ChangeOrigin,
): Options => ({ ...options, [changeOrigin]: origin });

const mustBeNote =
  (maxLength: number): Check =>
  (value) =>
    typeof value === 'string' && value !== '' && value.length <= maxLength && isPrintable(value)
      ? undefined
      : `a string of 1 to ${maxLength} characters without control characters`;

export const changeChecks: Checks<Attribution> = {
  by: mustBeNote(256),
  reason: mustBeNote(1_000),
};

/** Who makes a change, why and how. */
export interface Change extends ChangeOrigin {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly via: ChangeVia;
}

/** Reads who, why and how from options whose `by` and `reason` were checked. */
export function readChange(options: object | undefined, via: ChangeVia = 'code'): Change {
  const {
    by,
    reason,
    [changeOrigin]: origin,
  }: Attribution & { [changeOrigin]?: ChangeOrigin } = options ?? {};
  return { via, ...origin, by, reason };
}

/** What a store is told about a change. */
export const contextOf = (
  { by, reason, via }: Change,
  at: Date,
  isImport = false,
): ChangeContext => ({
  ...(by !== undefined && { by }),
  ...(reason !== undefined && { reason }),
  via,
  at,
  ...(isImport && { isImport }),
});
