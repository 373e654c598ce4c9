import { createAsk } from './api.js';

/** Asks with the session of the application. */
export const ask = createAsk({ credentials: 'same-origin' });
