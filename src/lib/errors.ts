/**
 * Whether a value is an error. `instanceof Error` alone would miss those that Node itself throws
 * under Jest, which are of another realm.
 */
export const isError = (value: unknown): value is Error =>
  value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';

/**
 * The errors inside an `AggregateError`, such as the attempts at several addresses of one host.
 * Empty for any other error.
 */
export function errorsWithin(error: Error): readonly unknown[] {
  return error.name === 'AggregateError' && 'errors' in error && Array.isArray(error.errors)
    ? error.errors
    : [];
}
