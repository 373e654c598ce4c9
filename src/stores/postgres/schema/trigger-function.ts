import { hash } from 'node:crypto';
import type { Names } from '../names.js';
import { dollarQuote, quoteLiteral } from '../quote.js';

/** A function that statements call, with the caller's rights. */
export interface StatementFunction {
  /** The end of its name, after the table's. */
  readonly ending: string;
  /** Names and types, in SQL. */
  readonly parameters: readonly (readonly [name: string, type: string])[];
  readonly returns: string;
  readonly body: (names: Names) => string;
}

/**
 * A function that a trigger runs, with its owner's rights. Nobody else may attach it to a table.
 */
export interface TriggerFunction {
  /** The end of its name, after the table's. */
  readonly ending: string;
  /** In PL/pgSQL, without comments. Indentation does not make it another function. */
  readonly body: (names: Names) => string;
}

/** Fixed, so that nobody can substitute a table, function or operator of theirs. */
const searchPath = 'pg_catalog, pg_temp';

/**
 * Creates or replaces the function. Replacing keeps its owner and grants, and default privileges
 * may add others, so both are set.
 */
export function createFunction(names: Names, { ending, body }: TriggerFunction): string {
  const name = `${names.qualified(ending)}()`;
  const isNamed = `p.oid = ${quoteLiteral(name)}::regprocedure::oid`;
  return `
    create or replace function ${name} returns trigger
      language plpgsql volatile security definer
      set search_path = ${searchPath} as ${dollarQuote(body(names))};
    revoke all on function ${name} from public;
    declare
      other name;
    begin
      if exists (
        select from pg_catalog.pg_proc p
        where ${isNamed} and not ${isTrusted('p.proowner', `${names.regclass}::oid`)}
      ) then
        execute pg_catalog.format('alter function %s owner to %I', ${quoteLiteral(name)},
          current_user);
      end if;
      for other in
        select r.rolname from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a,
          pg_catalog.pg_roles r
        where ${isNamed} and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade',
          ${quoteLiteral(name)}, other);
      end loop;
    end;`;
}

/** Creates or replaces the function. */
export function createStatementFunction(names: Names, made: StatementFunction): string {
  const parameters = made.parameters.map((parameter) => parameter.join(' ')).join(', ');
  return `
    create or replace function ${names.qualified(made.ending)}(${parameters})
      returns ${made.returns}
      language plpgsql volatile security invoker
      set search_path = ${searchPath} as ${dollarQuote(made.body(names))};
    ${ownFunction(names, signatureOf(names, made))}`;
}

/** The owner of a function can replace it. */
const ownFunction = (names: Names, signature: string) => `
    if not (select ${isTrusted('p.proowner', `${names.regclass}::oid`)}
        from pg_catalog.pg_proc p where p.oid = ${quoteLiteral(signature)}::regprocedure::oid) then
      execute pg_catalog.format('alter function %s owner to %I', ${quoteLiteral(signature)},
        current_user);
    end if;`;

/** The function's name with the types of its parameters, as `to_regprocedure` reads it. */
export const signatureOf = (names: Names, { ending, parameters }: StatementFunction): string =>
  `${names.qualified(ending)}(${parameters.map(([, type]) => type).join(', ')})`;

/** What {@link fingerprintSql} returns for the function. */
export function fingerprintOf(names: Names, made: TriggerFunction | StatementFunction): string {
  const lines = `\n${made.body(names)}\n`.replaceAll(/\s*\n\s*/g, ' ');
  const isDefiners = !('parameters' in made);
  return `plpgsql v ${isDefiners} {"search_path=${searchPath}"} ${hash('sha256', lines, 'hex')}`;
}

/**
 * Tells the function in row `p` of `pg_proc` from others, as an SQL expression: by its language,
 * volatility, rights, settings, and body without indentation.
 */
export const fingerprintSql = (p: string): string =>
  `(select l.lanname::text from pg_catalog.pg_language l where l.oid = ${p}.prolang)
      || ' ' || ${p}.provolatile::text || ' ' || ${p}.prosecdef::text
      || ' ' || coalesce(${p}.proconfig::text, '')
      || ' ' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
        pg_catalog.regexp_replace(${p}.prosrc, ${quoteLiteral('\\s*\\n\\s*')}, ' ', 'g'),
        'UTF8')), 'hex')`;

/**
 * Whether the function in row `p` is in good hands: an SQL condition. Another role that may
 * execute it could attach it to a table of its own, and the owner can replace it.
 */
export const isGuarded = (p: string, table: string): string =>
  `${isTrusted(`${p}.proowner`, table)} and not exists (
        select from pg_catalog.aclexplode(coalesce(${p}.proacl,
          pg_catalog.acldefault('f', ${p}.proowner))) a
        where a.grantee <> ${p}.proowner)`;

/**
 * Whether the role may change the table anyway: an SQL condition. True for its owner, members of
 * that role, and superusers.
 */
export const isTrusted = (role: string, table: string): string =>
  `(select pg_catalog.pg_has_role(${role}, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned
    where owned.oid = ${table})`;
