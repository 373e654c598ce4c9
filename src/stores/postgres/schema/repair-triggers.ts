import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { createParts } from './004-history.js';
import { createTriggers, dropTriggers, isInherited } from './triggers.js';

/** Creates all triggers and functions of an up-to-date table again, and missing tables. */
export const repairTriggers = (names: Names): string => `
    if ${isInherited(`${names.regclass}::oid`)} then
      raise exception using message = ${quoteLiteral(
        `${names.schema}.${names.table} inherits from another table, or another from it: ` +
          'changes made through that one are not announced; separate them with "alter table ... ' +
          'no inherit ..." first',
      )};
    end if;
    ${createParts(names)}
    ${dropTriggers(names)}
    ${createTriggers(names)}`;
