/** Which part of a list a manager asks a store for: of records or of claim links. */
export interface PageQuery {
  /** At most this many. */
  readonly limit: number;
  /** Those after the one with this `keyId` or `claimId`, in the order of the list. Absent: from the first on. */
  readonly cursor?: string | undefined;
  /** The instant for which a status is meant. */
  readonly now: Date;
}
