import type { ChangeContext } from '../key-event.js';

/** What the triggers that write events learn of a statement, besides who is behind it. */
interface StatementContext {
  /** The key that the statement rotates. */
  readonly rotates?: string;
  /** Its successor. */
  readonly replacedBy?: string;
  /** Whether it copies what happened elsewhere, and so leaves no event. */
  readonly isSilent?: boolean;
}

/** As a parameter. What is not made by hand in SQL came by way of code if nobody says more. */
export function contextParameter(
  { by, reason, via, isImport }: Partial<ChangeContext> = {},
  more: StatementContext = {},
): string {
  return JSON.stringify({ by, reason, via: via ?? 'code', isImport, ...more });
}

/**
 * A part of a statement, `context`, that hands the parameter to the triggers, which fire when the statement ends. It has to be in the
 * `from` of what makes the change: a part that nothing refers to is not run. With `claimId`, an expression and where it comes from, it
 * also says which claim link yields the key.
 */
export const contextSql = (
  parameter: string,
  claim?: { readonly id: string; readonly from: string },
): string => {
  const json = claim
    ? `(${parameter}::text::jsonb operator(pg_catalog.||) pg_catalog.jsonb_build_object('claimId', ${claim.id}))::text`
    : `${parameter}::text`;
  return `context as materialized (
      select pg_catalog.set_config('require_api_key.context',
        pg_catalog.statement_timestamp()::text || ' ' || ${json}, true) as setting${claim ? ` from ${claim.from}` : ''}
    )`;
};
