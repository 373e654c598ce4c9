/** The store answered, but one record cannot be read. The store and its other records are fine. */
export class BrokenRecordError extends Error {
  override readonly name = 'BrokenRecordError';
}
