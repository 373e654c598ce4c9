import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { createTriggers, dropTriggers, isInherited } from './triggers.js';

/** Creates all triggers of an up-to-date table again, whatever has become of them. */
export const repairTriggers = (names: Names): string => `
    if ${isInherited(`${names.regclass}::oid`)} then
      raise exception using message = ${quoteLiteral(
        `${names.schema}.${names.table} inherits from another table, or another from it: changes made through that one are not ` +
          'announced; separate them with "alter table ... no inherit ..." first',
      )};
    end if;
    ${dropTriggers(names)}
    ${createTriggers(names)}`;
