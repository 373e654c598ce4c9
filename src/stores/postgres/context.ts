import type { ChangeContext } from '../key-event.js';

/** What a statement tells the triggers that write events, besides who makes the change. */
interface StatementContext {
  /** The key that the statement rotates. */
  readonly rotates?: string;
  /** Its successor. */
  readonly replacedBy?: string;
  /**
   * Whether the statement copies history from elsewhere and so leaves no event. Only of use to a
   * role that may write events.
   */
  readonly isSilent?: boolean;
}

/** The context as a parameter. The change came through code if nothing else is given. */
export function contextParameter(
  { by, reason, via, isImport }: Partial<ChangeContext> = {},
  more: StatementContext = {},
): string {
  return JSON.stringify({ by, reason, via: via ?? 'code', isImport, ...more });
}

/**
 * The part `context` of a statement. It hands the parameter to the triggers, which fire when the
 * statement ends. The change must select from it, because PostgreSQL skips unused parts.
 * `claimId`, an expression and its source, also names the claim link that yields the key.
 */
export const contextSql = (
  parameter: string,
  claim?: { readonly id: string; readonly from: string },
): string => {
  const json = claim
    ? `(${parameter}::text::jsonb operator(pg_catalog.||)
        pg_catalog.jsonb_build_object('claimId', ${claim.id}))::text`
    : `${parameter}::text`;
  return `context as materialized (
      select pg_catalog.set_config('require_api_key.context',
        pg_catalog.statement_timestamp()::text || ' ' || ${json}, true)
        as setting${claim ? ` from ${claim.from}` : ''}
    )`;
};
