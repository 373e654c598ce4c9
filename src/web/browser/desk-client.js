import { createAsk } from './api.js';

// The operator's key: in this variable for as long as the page is open, never in a cookie, a store
// of the browser or an address.
let operatorKey;

export function setOperatorKey(key) {
  operatorKey = key;
}

export const ask = createAsk({
  credentials: 'omit',
  readHeaders: () => ({ 'X-API-Key': operatorKey }),
});
