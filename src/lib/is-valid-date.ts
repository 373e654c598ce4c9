import { types } from 'node:util';

/**
 * By what it is and not `instanceof`: under Jest the dates that Node itself makes are of another
 * realm.
 */
export const isValidDate = (value: unknown): value is Date =>
  types.isDate(value) && !Number.isNaN(value.getTime());
