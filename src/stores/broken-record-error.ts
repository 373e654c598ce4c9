/** The store answered, but one record cannot be read. Says nothing about the store or about other records. */
export class BrokenRecordError extends Error {
  override readonly name = 'BrokenRecordError';
}
