/** A table of plaintext keys, as `adopt` finds it. */
export interface PlaintextTable {
  readonly name: string;
  readonly columns: ReadonlyMap<string, Column>;
}

/** One of its columns. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  /** The kind of the type in `pg_type.typcategory`: `B` booleans, `D` times, `T` intervals. */
  readonly category: string;
}
