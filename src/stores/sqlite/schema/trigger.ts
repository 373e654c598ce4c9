export interface Trigger {
  /** The ending that is added to the table's name. */
  readonly ending: string;
  /** The SQL from `before` or `after` on. */
  readonly body: string;
}

/** The columns whose changes are announced: all but `last_used_at`. */
export const announcedColumns = [
  'key_id',
  'user_name',
  'name',
  'digest',
  'scopes',
  'metadata',
  'created_at',
  'expires_at',
  'revoked_at',
  'replaces',
  'overlap_ms',
  'paused_at',
  'paused_until',
  'allowed_addresses',
] as const;
