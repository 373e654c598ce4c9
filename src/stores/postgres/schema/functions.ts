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

/**
 * Whether a user may have one key more. Keys are counted under a lock of the user alone, which is held until the transaction ends, and
 * as they are once the lock is there: a volatile function sees what was committed while it waited. In a transaction of repeatable
 * reads it would not, so there it refuses.
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
            message = 'maxKeysPerUser cannot be kept at the isolation level "repeatable read"; use "read committed"';
        end if;
        perform pg_advisory_xact_lock(hashtextextended(${quoteLiteral(`require-api-key ${names.keys} `)} || for_user, 0));
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
 * Revokes all keys and open claim links of a user, again and again until a look finds none: a rotation or a claim that was under way has
 * its row locked, so it is waited for, and the next look sees the key that it made. One that comes later finds its row revoked.
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
        perform set_config('require_api_key.context', statement_timestamp()::text || ' ' || context, true);
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
            where c.user_name = of_user and c.claimed_at is null and c.revoked_at is null and c.expires_at > moment
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

/** Creates all, or puts them in the place of what has their names. */
export const createFunctions = (names: Names): string =>
  functions.map((made) => createStatementFunction(names, made)).join('\n');

/** As an SQL condition: whether every function is there, as it is created here. */
export const areFunctionsRight = (names: Names): string => {
  const rows = functions.map(
    (made) =>
      `(${quoteLiteral(signatureOf(names, made))}, ${quoteLiteral(fingerprintOf(names, made))})`,
  );
  return `not exists (
      select from (values ${rows.join(',\n        ')}) as wanted (signature, fingerprint)
      where not exists (
        select from pg_catalog.pg_proc p
        where p.oid = pg_catalog.to_regprocedure(wanted.signature)::oid and ${fingerprintSql('p')} = wanted.fingerprint
          and ${isTrusted('p.proowner', `${names.regclass}::oid`)}))`;
};
