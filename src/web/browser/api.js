import { mount } from './page.js';

/**
 * A refusal or a fault, with a sentence for the reader, and the field that is wrong if it is one.
 */
export class ApiError extends Error {
  constructor(status, { detail, code } = {}) {
    const [, field, expected] = /^"(\w+)" must be (.+)$/s.exec(detail ?? '') ?? [];
    super(
      field === undefined ? (detail ?? `The service answered ${status}.`) : `Must be ${expected}.`,
    );
    this.status = status;
    this.field = code === 'lifetime_too_long' ? 'expiresAt' : field;
  }
}

/** Makes the function that asks the page's own API. */
export const createAsk =
  ({ credentials, readHeaders = () => ({}) }) =>
  async (method, path, body) => {
    let response;
    try {
      response = await fetch(new URL(`api/${path}`, mount), {
        method,
        headers: { ...readHeaders(), ...(body && { 'Content-Type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        cache: 'no-store',
        credentials,
        redirect: 'error',
      });
    } catch {
      throw new ApiError(0, { detail: 'The service cannot be reached right now.' });
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new ApiError(response.status, answer);
    return answer;
  };

/** A path with ids in it. Each id is escaped. */
export const toPath = (...parts) => parts.map(encodeURIComponent).join('/');

export function toQueryString(fields) {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return known.length > 0 ? `?${new URLSearchParams(known)}` : '';
}
