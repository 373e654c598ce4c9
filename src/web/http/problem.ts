import type { ServerResponse } from 'node:http';
import { sendJson } from './send.js';

const problems = {
  claim_not_usable: [
    404,
    'Claim link does not work',
    'This claim link does not work. Ask the person who sent it for a new one.',
  ],
  not_logged_in: [401, 'Not logged in', 'You are not logged in. Log in, then reload this page.'],
  key_cannot_manage_keys: [
    403,
    'An API key cannot manage keys',
    'This request carries an API key. Keys are managed by users who are logged in.',
  ],
  scope_not_allowed: [
    403,
    'Scope not allowed',
    'You may not give a key one of these scopes. Choose fewer.',
  ],
  too_many_keys: [
    409,
    'Too many keys',
    'There are as many keys as one user may have. Revoke one that is no longer needed first.',
  ],
  already_rotating: [
    409,
    'Already rotating',
    'A key that was rotated still works beside its successor. Wait until it ends, or revoke it.',
  ],
  lifetime_too_long: [
    400,
    'Lifetime too long',
    'The key would work for longer than is allowed. Choose an earlier end.',
  ],
  cross_origin: [403, 'Request from another site', 'Only the page itself may send this request.'],
  malformed_request: [400, 'Malformed request', 'The request could not be understood.'],
  not_found: [404, 'Not found', 'There is nothing with this address or id.'],
  conflict: [409, 'Not possible in this state', 'This can no longer be done.'],
  method_not_allowed: [405, 'Method not allowed', 'This address does not accept this method.'],
  unsupported_media_type: [
    415,
    'Unsupported media type',
    'Send JSON, as application/json, without an encoding.',
  ],
  content_too_large: [413, 'Content too large', 'The body is larger than this address accepts.'],
  service_unavailable: [
    503,
    'Temporarily unavailable',
    'This could not be done right now. Try again later.',
  ],
} as const satisfies Record<string, readonly [status: number, title: string, detail: string]>;

export type WebProblemCode = keyof typeof problems;

export interface WebProblemOptions {
  /** A sentence in place of the code's own. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal of the pages that is not about API keys. Answered in the same form (RFC 9457). */
export class WebProblem extends Error {
  readonly code: WebProblemCode;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    code: WebProblemCode,
    { detail = problems[code][2], headers = {} }: WebProblemOptions = {},
  ) {
    super(detail);
    this.name = 'WebProblem';
    this.code = code;
    this.#headers = headers;
  }

  send(res: ServerResponse): void {
    const { code, message: detail } = this;
    const [status, title] = problems[code];
    for (const [name, value] of Object.entries(this.#headers)) res.setHeader(name, value);
    const body = { type: `urn:require-api-key:${code}`, title, status, detail, code, error: title };
    sendJson(res, status, body, 'application/problem+json');
  }
}
