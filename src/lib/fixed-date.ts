const refuse = () => {
  throw new TypeError(
    'this date belongs to every request with its key; make a Date of your own from it',
  );
};

/** `Date.prototype` without a way to set a date. */
const fixed = Object.create(
  Date.prototype,
  Object.fromEntries(
    Object.getOwnPropertyNames(Date.prototype)
      .filter((name) => name.startsWith('set'))
      .map((name) => [name, { value: refuse }]),
  ),
) as object;

/** A copy that cannot be set: `Object.freeze` alone does not reach what is inside a `Date`. */
export function fixedDate(date: Date): Date {
  return Object.freeze(Object.setPrototypeOf(new Date(date), fixed) as Date);
}
