import { types } from 'node:util';

/**
 * Whether a value has a `then` method. `instanceof Promise` would miss the promises of other realms
 * and libraries.
 */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';

/**
 * Whether a value is a valid date. `instanceof Date` would miss the dates that Node itself makes
 * under Jest, which are of another realm.
 */
export const isValidDate = (value: unknown): value is Date =>
  types.isDate(value) && !Number.isNaN(value.getTime());

/**
 * Freezes a value and everything it refers to, so that what one handler changes does not reach
 * other requests.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

/**
 * A copy of plain data that shares nothing with it. Not `structuredClone`: under Jest its result
 * is of another realm, so `instanceof Date` and strict equality fail in a caller's tests.
 */
export function deepCopy<Value>(value: Value): Value;
export function deepCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (types.isDate(value)) return new Date(value);
  if (Array.isArray(value)) return value.map((part: unknown) => deepCopy(part));
  // `fromEntries` defines properties. Assigning one called `__proto__` would set the prototype.
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, deepCopy(part)]));
}

const refuse = () => {
  throw new TypeError(
    'this date belongs to every request with its key; make a Date of your own from it',
  );
};

/** Made at first use, so that a bundle of only a guard leaves it out. */
let fixed: object | undefined;

/** `Date.prototype` without a way to set a date. */
const makeFixed = (): object => {
  const setters = Object.getOwnPropertyNames(Date.prototype)
    .filter((name) => name.startsWith('set'))
    .map((name) => [name, { value: refuse }] as const);
  return Object.create(Date.prototype, Object.fromEntries(setters)) as object;
};

/** A copy that cannot be changed. `Object.freeze` alone does not keep `setTime` from working. */
export function fixedDate(date: Date): Date {
  return Object.freeze(Object.setPrototypeOf(new Date(date), (fixed ??= makeFixed())) as Date);
}
