import { hash } from 'node:crypto';
import type { Names } from '../names.js';
import { dollarQuote, quoteLiteral } from '../quote.js';

/** What a trigger runs. */
export interface TriggerFunction {
  /** What its name ends in, behind the table's. */
  readonly ending: string;
  /** Whether it runs with the rights of its owner, and is nobody else's to attach to a table of theirs. */
  readonly isDefiners: boolean;
  /** In PL/pgSQL, without comments; a line may be indented otherwise without being another function. */
  readonly body: (names: Names) => string;
}

/** Fixed, so that no one can put a table, a function or an operator of theirs in the place of what is meant. */
const searchPath = 'pg_catalog, pg_temp';

/** Creates the function, or puts it in the place of what has its name. */
export function createFunction(
  names: Names,
  { ending, isDefiners, body }: TriggerFunction,
): string {
  const name = `${names.qualified(ending)}()`;
  return `
    create or replace function ${name} returns trigger
      language plpgsql ${isDefiners ? 'security definer' : ''} set search_path = ${searchPath} as ${dollarQuote(body(names))};
    ${isDefiners ? `revoke execute on function ${name} from public;` : ''}`;
}

/** What {@link fingerprintSql} finds in the function. */
export function fingerprintOf(names: Names, { body, isDefiners }: TriggerFunction): string {
  const lines = `\n${body(names)}\n`.replaceAll(/\s*\n\s*/g, ' ');
  return `${isDefiners} {"search_path=${searchPath}"} ${hash('sha256', lines, 'hex')}`;
}

/**
 * What tells the function in row `p` of `pg_proc` from others, as an SQL expression: whose rights it has, its settings, and its body apart
 * from where its lines begin and end.
 */
export const fingerprintSql = (p: string): string =>
  `${p}.prosecdef::text || ' ' || coalesce(${p}.proconfig::text, '') || ' ' || pg_catalog.encode(pg_catalog.sha256(
      pg_catalog.convert_to(pg_catalog.regexp_replace(${p}.prosrc, ${quoteLiteral('\\s*\\n\\s*')}, ' ', 'g'), 'UTF8')), 'hex')`;
