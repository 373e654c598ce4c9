import { types } from 'node:util';

/**
 * A copy of plain data that shares nothing with it. Not `structuredClone`: under Jest its result
 * is of another realm, so `instanceof Date` and strict equality fail in a caller's tests.
 */
export function deepCopy<Value>(value: Value): Value;
export function deepCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (types.isDate(value)) return new Date(value);
  if (Array.isArray(value)) return value.map((part: unknown) => deepCopy(part));
  // Own properties by definition, not assignment: one that is called `__proto__` stays one.
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, deepCopy(part)]));
}
