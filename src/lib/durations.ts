/** In milliseconds. */
export const dayMs = 86_400_000;

/** In milliseconds: 365 days. */
export const yearMs = 31_536_000_000;
