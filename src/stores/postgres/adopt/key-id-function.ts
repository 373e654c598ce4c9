import type { Names } from '../names.js';
import { dollarQuote } from '../quote.js';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The CRC-32 (as in zlib) of each half byte. */
const crcTable = Array.from({ length: 16 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 4; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** The ten base62 digits of `number`. */
const idDigits = Array.from(
  { length: 10 },
  (_, place) => `substr(digits, (number / ${62n ** BigInt(place)} % 62)::int + 1, 1)`,
);

/**
 * A function that names keys while the table is adopted. A key of this library's form with a
 * right checksum keeps its own id. The checksum matters: in other keys that part may belong to
 * the secret, and ids are public.
 *
 * Any other key gets a random id. SQL makes it, because the last step names keys that it first
 * sees under its lock. Its bits come from `gen_random_uuid`, the server's CSPRNG. Ids must be
 * unique, not unpredictable, so a remainder is good enough.
 */
export function createKeyIdFunction(names: Names): string {
  return `create or replace function ${names.qualified('_adopt_key_id')}(api_key text, prefix text)
    returns text
    language plpgsql volatile set search_path = pg_catalog, pg_temp as ${dollarQuote(`
    declare
      digits constant text := '${digits}';
      crc_table constant bigint[] := '{${crcTable.join(',')}}';
      bytes bytea;
      crc bigint := 4294967295;
      checksum text := '';
      uuid text;
      number bigint;
    begin
      if length(api_key) between 50 and 81 and left(right(api_key, 49), 1) = '_'
        and right(api_key, 48) ~ '^[0-9A-Za-z]+$'
          and left(api_key, -49) ~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$' then
        bytes := convert_to(left(api_key, -6), 'UTF8');
        for i in 0 .. length(bytes) - 1 loop
          crc := crc # get_byte(bytes, i);
          crc := (crc >> 4) # crc_table[(crc & 15) + 1];
          crc := (crc >> 4) # crc_table[(crc & 15) + 1];
        end loop;
        crc := crc # 4294967295;
        for i in 1 .. 6 loop
          checksum := substr(digits, (crc % 62)::int + 1, 1) || checksum;
          crc := crc / 62;
        end loop;
        if checksum = right(api_key, 6) then
          return left(api_key, -38);
        end if;
      end if;
      -- 60 of its 122 random bits; the others are near its version and variant.
      uuid := replace(gen_random_uuid()::text, '-', '');
      number := ('x0' || left(uuid, 8) || right(uuid, 7))::bit(64)::bigint;
      return prefix || '_' || ${idDigits.join(' || ')};
    end`)}`;
}

export function dropKeyIdFunction(names: Names): string {
  return `drop function if exists ${names.qualified('_adopt_key_id')}(text, text)`;
}
