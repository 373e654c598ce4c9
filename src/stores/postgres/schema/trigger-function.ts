import { hash } from 'node:crypto';
import type { Names } from '../names.js';
import { dollarQuote, quoteLiteral } from '../quote.js';

/** What a migration makes for statements to call: with the rights of whoever calls it. */
export interface StatementFunction {
  /** What its name ends in, behind the table's. */
  readonly ending: string;
  /** Names and types, in SQL. */
  readonly parameters: readonly (readonly [name: string, type: string])[];
  readonly returns: string;
  readonly body: (names: Names) => string;
}

/** What a trigger runs, with the rights of its owner: nobody else may attach it to a table of theirs. */
export interface TriggerFunction {
  /** What its name ends in, behind the table's. */
  readonly ending: string;
  /** In PL/pgSQL, without comments; a line may be indented otherwise without being another function. */
  readonly body: (names: Names) => string;
}

/** Fixed, so that no one can put a table, a function or an operator of theirs in the place of what is meant. */
const searchPath = 'pg_catalog, pg_temp';

/**
 * Creates the function, or puts it in the place of what has its name. That keeps its owner and who may execute it, and default
 * privileges may add others: so both are set.
 */
export function createFunction(names: Names, { ending, body }: TriggerFunction): string {
  const name = `${names.qualified(ending)}()`;
  const row = `pg_catalog.pg_proc p where p.oid = ${quoteLiteral(name)}::regprocedure::oid`;
  return `
    create or replace function ${name} returns trigger
      language plpgsql volatile security definer set search_path = ${searchPath} as ${dollarQuote(body(names))};
    revoke all on function ${name} from public;
    declare
      other name;
    begin
      if exists (select from ${row} and not ${isTrusted('p.proowner', `${names.regclass}::oid`)}) then
        execute pg_catalog.format('alter function %s owner to %I', ${quoteLiteral(name)}, current_user);
      end if;
      for other in
        select r.rolname from ${row.replace(' where', ', pg_catalog.aclexplode(p.proacl) a, pg_catalog.pg_roles r where')}
          and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade', ${quoteLiteral(name)}, other);
      end loop;
    end;`;
}

/** Creates the function, or puts it in the place of what has its name. */
export function createStatementFunction(names: Names, made: StatementFunction): string {
  const parameters = made.parameters.map((parameter) => parameter.join(' ')).join(', ');
  return `
    create or replace function ${names.qualified(made.ending)}(${parameters}) returns ${made.returns}
      language plpgsql volatile security invoker
      set search_path = ${searchPath} as ${dollarQuote(made.body(names))};
    ${ownFunction(names, signatureOf(names, made))}`;
}

/** Whoever owns a function can put another in its place. */
const ownFunction = (names: Names, signature: string) => `
    if not (select ${isTrusted('p.proowner', `${names.regclass}::oid`)}
        from pg_catalog.pg_proc p where p.oid = ${quoteLiteral(signature)}::regprocedure::oid) then
      execute pg_catalog.format('alter function %s owner to %I', ${quoteLiteral(signature)}, current_user);
    end if;`;

/** The function's name with the types of its parameters, as `to_regprocedure` reads it. */
export const signatureOf = (names: Names, { ending, parameters }: StatementFunction): string =>
  `${names.qualified(ending)}(${parameters.map(([, type]) => type).join(', ')})`;

/** What {@link fingerprintSql} finds in the function. */
export function fingerprintOf(names: Names, made: TriggerFunction | StatementFunction): string {
  const lines = `\n${made.body(names)}\n`.replaceAll(/\s*\n\s*/g, ' ');
  const isDefiners = !('parameters' in made);
  return `plpgsql v ${isDefiners} {"search_path=${searchPath}"} ${hash('sha256', lines, 'hex')}`;
}

/**
 * What tells the function in row `p` of `pg_proc` from others, as an SQL expression: its language, whether it may change anything, whose
 * rights it has, its settings, and its body apart from where its lines begin and end.
 */
export const fingerprintSql = (p: string): string =>
  `(select l.lanname::text from pg_catalog.pg_language l where l.oid = ${p}.prolang) || ' ' || ${p}.provolatile::text || ' ' ||
      ${p}.prosecdef::text || ' ' || coalesce(${p}.proconfig::text, '') || ' ' || pg_catalog.encode(pg_catalog.sha256(
      pg_catalog.convert_to(pg_catalog.regexp_replace(${p}.prosrc, ${quoteLiteral('\\s*\\n\\s*')}, ' ', 'g'), 'UTF8')), 'hex')`;

/**
 * As an SQL condition: whether the function in row `p` is in good hands. Whoever else may execute it could attach it to a table of
 * theirs, and whoever owns it can put another in its place.
 */
export const isGuarded = (p: string, table: string): string =>
  `${isTrusted(`${p}.proowner`, table)} and not exists (
        select from pg_catalog.aclexplode(coalesce(${p}.proacl, pg_catalog.acldefault('f', ${p}.proowner))) a
        where a.grantee <> ${p}.proowner)`;

/** As an SQL condition: whether the role may change the table anyway: its owner, whoever is a member of that role, and superusers. */
export const isTrusted = (role: string, table: string): string =>
  `(select pg_catalog.pg_has_role(${role}, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = ${table})`;
