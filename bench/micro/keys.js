import { generateApiKey } from '../library.js';

export const makeKeys = (count) => Array.from({ length: count }, () => generateApiKey().key);

export const userOf = (index) => `user${index}`;

/** `user:key` pairs, as they stand in `API_KEYS`. */
export const keyListOf = (keys) => keys.map((key, index) => `${userOf(index)}:${key}`).join(',');
