/**
 * An object with a `then` method: promises of other realms and libraries are no instances of ours.
 */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';
