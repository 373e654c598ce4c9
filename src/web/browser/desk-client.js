import { mount } from './page.js';

// The operator's key: in this variable for as long as the page is open, never in a cookie, a store of the browser or an address.
let operatorKey;

export function setOperatorKey(key) {
  operatorKey = key;
}

/** A refusal or a fault, with a sentence for the operator. */
export class DeskError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Asks the desk's own API. */
export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(new URL(`api/${path}`, mount), {
      method,
      headers: { 'X-API-Key': operatorKey, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
  } catch {
    throw new DeskError(0, 'The service cannot be reached right now.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new DeskError(
      response.status,
      answer.detail ?? `The service answered ${response.status}.`,
    );
  return answer;
}

/** A path with ids in it, whatever characters they hold. */
export const toPath = (...parts) => parts.map(encodeURIComponent).join('/');

export function toQueryString(fields) {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return known.length > 0 ? `?${new URLSearchParams(known)}` : '';
}
