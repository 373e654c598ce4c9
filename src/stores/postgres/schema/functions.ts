import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import {
  createStatementFunction,
  fingerprintOf,
  fingerprintSql,
  isTrusted,
  signatureOf,
  type StatementFunction,
} from './trigger-function.js';

/** The name of the lock, to which the user is added. */
const lockOfUser = (names: Names) => quoteLiteral(`require-api-key ${names.keys} `);

const wrongIsolation =
  'maxKeysPerUser cannot be kept at the isolation level "repeatable read"; use "read committed"';

/**
 * Whether a user may have one more key. Keys are counted under a lock for the user, held until
 * the transaction ends. A volatile function sees rows that were committed while it waited. With
 * repeatable reads it would not, so there it refuses.
 */
const hasRoom: StatementFunction = {
  ending: '_has_room',
  parameters: [
    ['for_user', 'pg_catalog.text'],
    ['since', 'pg_catalog.timestamptz'],
    ['most', 'pg_catalog.int8'],
  ],
  returns: 'pg_catalog.bool',
  body: (names) => `
      begin
        if current_setting('transaction_isolation') = 'repeatable read' then
          raise exception using errcode = 'feature_not_supported',
            message = ${quoteLiteral(wrongIsolation)};
        end if;
        perform pg_advisory_xact_lock(hashtextextended(${lockOfUser(names)} || for_user, 0));
        return (
          select count(*) < most from (
            select from ${names.keys} k
            where k.user_name = for_user and k.revoked_at is null
              and (k.expires_at is null or k.expires_at > since)
              and not exists (select from ${names.keys} s where s.replaces = k.key_id)
            limit most
          ) counted);
      end`,
};

/**
 * Revokes all keys and open claim links of a user. It repeats until it finds none. A rotation or
 * claim under way holds its row locked, so this waits for it, and the next round sees the new
 * key. A later one finds its row revoked.
 */
const revokeUser: StatementFunction = {
  ending: '_revoke_user',
  parameters: [
    ['of_user', 'pg_catalog.text'],
    ['moment', 'pg_catalog.timestamptz'],
    ['context', 'pg_catalog.text'],
  ],
  returns: 'pg_catalog.text',
  body: (names) => `
      declare
        key_ids text[] := '{}';
        claim_ids text[] := '{}';
        more_keys text[];
        more_claims text[];
      begin
        perform set_config('require_api_key.context',
          statement_timestamp()::text || ' ' || context, true);
        loop
          with locked as (
            select k.key_id from ${names.keys} k
            where k.user_name = of_user and k.revoked_at is null order by k.key_id for update
          ), revoked as (
            update ${names.keys} k set revoked_at = moment
            from locked where k.key_id = locked.key_id returning k.key_id
          )
          select array_agg(key_id) into more_keys from revoked;
          with locked as (
            select c.claim_id from ${names.claims} c
            where c.user_name = of_user and c.claimed_at is null and c.revoked_at is null
              and c.expires_at > moment
            order by c.claim_id for update
          ), revoked as (
            update ${names.claims} c set revoked_at = moment
            from locked where c.claim_id = locked.claim_id returning c.claim_id
          )
          select array_agg(claim_id) into more_claims from revoked;
          exit when more_keys is null and more_claims is null;
          key_ids := key_ids || more_keys;
          claim_ids := claim_ids || more_claims;
        end loop;
        return json_build_object('keys', key_ids, 'claims', claim_ids)::text;
      end`,
};

const functions = [hasRoom, revokeUser];

/** Creates all functions, or replaces those of the same names. */
export const createFunctions = (names: Names): string =>
  functions.map((made) => createStatementFunction(names, made)).join('\n');

/** Whether every function is there, as created here: an SQL condition. */
export const areFunctionsRight = (names: Names): string => {
  const rows = functions.map(
    (made) =>
      `(${quoteLiteral(signatureOf(names, made))}, ${quoteLiteral(fingerprintOf(names, made))})`,
  );
  return `not exists (
      select from (values ${rows.join(',\n        ')}) as wanted (signature, fingerprint)
      where not exists (
        select from pg_catalog.pg_proc p
        where p.oid = pg_catalog.to_regprocedure(wanted.signature)::oid
          and ${fingerprintSql('p')} = wanted.fingerprint
          and ${isTrusted('p.proowner', `${names.regclass}::oid`)}))`;
};
