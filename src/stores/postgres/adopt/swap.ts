import { prepare } from '../schema/migrate.js';
import { keyIndexes, keyRules } from '../schema/001-keys.js';
import type { Names } from '../names.js';
import { dollarQuote, quoteLiteral } from '../quote.js';
import { rowProblemSql } from './row-problems.js';
import { hashSql, isDigestLikeSql, isBlankSql, presentableSql, printableSql } from './hash-sql.js';
import { dropKeyIdFunction } from './key-id-function.js';
import { limitLockWait } from '../lock.js';
import type { Plan } from './plan.js';

/** A JSON value in PostgreSQL has at most 256 MB. */
const maxNamed = 100_000;

/**
 * The last step of `adopt`, in one statement and so one transaction. The table becomes that of
 * migration 1, or stays as it was. Filling `revoked_at` rewrites every row, which removes the
 * dropped plaintext from the table's files.
 */
export function swap(names: Names, plan: Plan, prefix: string): string {
  const keyId = `${names.qualified('_adopt_key_id')}(k.api_key::text,
    ${quoteLiteral(prefix)}::text)`;
  return `do ${dollarQuote(`
    declare
      unowned_count bigint;
      empty_count bigint;
      duplicate_count bigint;
      revoked_count bigint;
      adopted_count bigint;
      unpresentable_count bigint;
      digest_like_count bigint;
      unpresentable_keys jsonb;
    begin
      perform pg_catalog.pg_advisory_xact_lock(${names.lock});
      ${limitLockWait}
      -- Others wait for this block: more memory shortens it.
      perform pg_catalog.set_config('maintenance_work_mem', '256MB', true),
        pg_catalog.set_config('work_mem', '256MB', true);
      ${prepare(names)}
      if exists (select from ${names.migrations}) then
        return;
      end if;
      lock table ${names.keys} in access exclusive mode;

      if exists (select from ${names.keys} k where ${rowProblemSql('k', plan)} is not null) then
        raise exception 'keys came in meanwhile that cannot be taken over';
      end if;

      -- What the old application inserted since the batches, and keys that it changed behind them.
      update ${names.keys} k set digest = ${hashSql('k')}, key_id = ${keyId}
        where k.api_key::text <> '' and k.digest is distinct from ${hashSql('k')};

      create temporary table pg_temp.require_api_key_skipped on commit drop as
        select ctid as place, 'no key' as reason from ${names.keys}
          where coalesce(api_key::text, '') = '';
      get diagnostics empty_count = row_count;
      insert into pg_temp.require_api_key_skipped
        select place, 'duplicate' from (
          select ctid as place, pg_catalog.row_number() over (
            partition by digest order by ${plan.isActive} desc, ${plan.age}, ctid) as rank
          from ${names.keys}
          where digest in (select digest from ${names.keys}
            group by digest having pg_catalog.count(*) > 1)
        ) ranked where rank > 1;
      get diagnostics duplicate_count = row_count;
      if empty_count + duplicate_count > 0 then
        create table if not exists ${names.qualified('_skipped')} (
          skipped_at timestamptz(3) not null default pg_catalog.now(), reason text not null,
            record jsonb not null);
        insert into ${names.qualified('_skipped')} (reason, record)
          select s.reason, pg_catalog.to_jsonb(k) - 'api_key'::text - 'key_id'::text
          from pg_temp.require_api_key_skipped s join ${names.keys} k on k.ctid = s.place;
        delete from ${names.keys} k using pg_temp.require_api_key_skipped s where k.ctid = s.place;
      end if;
      drop table pg_temp.require_api_key_skipped;

      update ${names.keys} k set key_id = null
        where key_id in (select key_id from ${names.keys}
          group by key_id having pg_catalog.count(*) > 1);
      update ${names.keys} k
        set key_id = ${names.qualified('_adopt_key_id')}(''::text, ${quoteLiteral(prefix)}::text)
        where key_id is null;

      set constraints all immediate;
      select pg_catalog.count(*), pg_catalog.count(*) filter (where not (${plan.isActive})),
          pg_catalog.count(*) filter (where ${isBlankSql('k.user_name')}),
          pg_catalog.count(*) filter (where (${plan.isActive}) and not ${presentableSql('k')}),
          pg_catalog.count(*) filter (where (${plan.isActive}) and ${isDigestLikeSql('k')})
        into adopted_count, revoked_count, unowned_count, unpresentable_count, digest_like_count
        from ${names.keys} k;
      if unpresentable_count > 0 then
        -- Once the plaintext is gone, nothing tells which keys these were.
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'keyId', found.key_id, 'user', found.holder) order by found.place)
          into unpresentable_keys
          from (select k.key_id,
              case when ${isBlankSql('k.user_name')} then 'unknown'
                else ${printableSql('k.user_name')} end as holder,
              pg_catalog.row_number() over (order by ${plan.age}) as place
            from ${names.keys} k where (${plan.isActive}) and not ${presentableSql('k')}
            order by place limit ${maxNamed}) found;
      end if;

      ${dropOldRules(names)}
      alter table ${names.keys} add column if not exists revoked_at timestamptz(3);
      ${plan.renames
        .map(([from, to]) => `alter table ${names.keys} rename column ${from} to ${to};`)
        .join('\n')}
      alter table ${names.keys}
        ${plan.actions.join(',\n        ')},
        alter column digest set not null,
        alter column key_id set not null,
        alter column user_name set not null,
        drop column api_key,
        ${keyRules(names)
          .map((rule) => `add ${rule}`)
          .join(',\n        ')};
      ${plan.hasActivity ? `alter table ${names.keys} drop column is_active;` : ''}
      if exists (select from pg_catalog.pg_constraint c where c.conrelid = ${names.regclass}::oid
        and c.contype = 'p') then
        alter table ${names.keys} add constraint ${names.local('_key_id_key')} unique (key_id);
      else
        alter table ${names.keys} add constraint ${names.local('_pkey')} primary key (key_id);
      end if;
      ${keyIndexes(names)}
      ${dropKeyIdFunction(names)};
      insert into ${names.migrations} (version, details) values (1, pg_catalog.jsonb_build_object(
        'adopted', adopted_count, 'revoked', revoked_count, 'unowned', unowned_count,
        'unpresentable', unpresentable_count, 'digestLike', digest_like_count,
        'skipped', pg_catalog.jsonb_build_object(
          'withoutKey', empty_count, 'duplicates', duplicate_count))
        || case when unpresentable_keys is null then '{}'::jsonb
          else pg_catalog.jsonb_build_object('unpresentableKeys', unpresentable_keys) end);
    end`)}`;
}

/**
 * Drops the old primary key, unless other tables refer to it. Drops unique rules on users and
 * names too, because a rotation gives a user a second key.
 */
function dropOldRules(names: Names): string {
  return `
      declare
        rule record;
      begin
        for rule in
          select c.conname, i.indexrelid::regclass::text as index_name
          from pg_catalog.pg_index i left join pg_catalog.pg_constraint c
            on c.conindid = i.indexrelid and c.conrelid = i.indrelid
          where i.indrelid = ${names.regclass}::oid and i.indisunique
            and (i.indisprimary or exists (
              select from pg_catalog.pg_attribute a where a.attrelid = i.indrelid
                and a.attnum = any (i.indkey)
                and a.attname in ('user_name', 'name')))
            and not exists (select from pg_catalog.pg_constraint f where f.contype = 'f'
              and f.conindid = i.indexrelid)
        loop
          if rule.conname is null then
            execute pg_catalog.format('drop index %s', rule.index_name);
          else
            execute pg_catalog.format('alter table %s drop constraint %I',
              ${quoteLiteral(names.keys)}, rule.conname);
          end if;
        end loop;
      end;`;
}
