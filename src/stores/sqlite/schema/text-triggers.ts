import type { Names } from '../names.js';
import type { Trigger } from './trigger.js';

/** The texts of the table of keys that have no form which the table itself demands. */
const keyTexts = [
  'key_id',
  'user_name',
  'name',
  'scopes',
  'metadata',
  'replaces',
  'allowed_addresses',
];
/** The same of the table of claim links. */
const claimTexts = [
  'claim_id',
  'user_name',
  'name',
  'scopes',
  'metadata',
  'key_id',
  'allowed_addresses',
];

/**
 * Whether a text is UTF-8 without a NUL: plain ASCII, or the same once each of its characters was
 * read and written again.
 */
const isText = (value: string): string => `(${value} is null
          or (not instr(${value}, char(0)) and (${value} not glob '*[^ -~]*' or ${value} is (
            select group_concat(char(unicode(substr(${value}, place.key + 1, 1))), '')
            from json_each('[0' || replace(hex(zeroblob(length(${value}) - 1)), '00', ',0') || ']')
              place))))`;

/**
 * Refuse texts that drivers do not read as they are, such as those of a terminal without UTF-8.
 * libSQL ends the process, and others cut a text at a NUL. Only by hand can they come here.
 */
export function textTriggers(names: Names): Trigger[] {
  const refuse = (texts: readonly string[]) => `
      when not exists (select 1 from ${names.context}) begin
        select raise(abort, 'a text is not UTF-8, or has a NUL character')
        where not (${texts.map((column) => isText(`new.${column}`)).join(' and ')});
      end`;
  return [
    {
      ending: '_text_insert',
      body: `before insert on ${names.keys}${refuse(keyTexts)}`,
    },
    {
      ending: '_text_update',
      body: `before update of ${keyTexts.join(', ')} on ${names.keys}${refuse(keyTexts)}`,
    },
    {
      ending: '_claim_text_insert',
      body: `before insert on ${names.claims}${refuse(claimTexts)}`,
    },
    {
      ending: '_claim_text_update',
      body: `before update of ${claimTexts.join(', ')} on ${names.claims}${refuse(claimTexts)}`,
    },
  ];
}
