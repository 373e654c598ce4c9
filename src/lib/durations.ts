/** In milliseconds. */
export const dayMs = 24 * 3_600_000;

/** In milliseconds: 365 days. */
export const yearMs = 365 * dayMs;
