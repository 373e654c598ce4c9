import type { Finding } from '../finding.js';
import type { Answer } from './call.js';

export interface Preflight {
  readonly origin: string;
  readonly method: string;
  /** In lower case. */
  readonly header: string;
  /** Whether somebody asked for this origin: then a page on it is meant to call. */
  readonly wasAsked: boolean;
}

/** The headers with which a browser asks whether a page may send the key. */
export const preflightHeaders = ({ origin, method, header }: Preflight) => ({
  Origin: origin,
  'Access-Control-Request-Method': method,
  'Access-Control-Request-Headers': header,
});

/** Most services are called by no page, and are well so. */
const blockedAnyway: Finding = {
  severity: 'note',
  code: 'preflight_blocked',
  message:
    'Web pages of other origins cannot call it, or not all; if one must, check with --origin <origin>.',
};

/** Whether pages on the origin may call, by the rules of the Fetch standard. */
export function explainPreflight(
  { status, headers }: Answer,
  { origin, method, header, wasAsked }: Preflight,
): Finding[] {
  const problem = (message: string, remedy: string): Finding[] => [
    wasAsked
      ? {
          severity: 'error',
          code: 'preflight_blocked',
          message: `Web pages on ${origin} cannot call it: ${message}.`,
          remedy,
        }
      : blockedAnyway,
  ];
  if (status === 401 || status === 403 || status === 503) {
    return problem(
      `the preflight is refused with ${status}`,
      'put cors() in front of requireApiKey()',
    );
  }
  if (status >= 300)
    return problem(
      `the preflight is answered with ${status}`,
      'put cors() in front of this address',
    );
  const allowedOrigin = headers['access-control-allow-origin'];
  if (allowedOrigin !== '*' && allowedOrigin !== origin) {
    const why = allowedOrigin === undefined ? 'no origin is allowed' : 'this origin is not allowed';
    return problem(why, `cors({ origin: '${origin}' })`);
  }
  // The fetch standard leaves Authorization out of the wildcard.
  const allowsHeader = listed(
    headers['access-control-allow-headers'],
    header,
    header !== 'authorization',
  );
  if (!allowsHeader)
    return problem(
      `the header ${header} is not allowed`,
      `cors({ allowedHeaders: ['${header}'] })`,
    );
  const isSimple = method === 'GET' || method === 'HEAD' || method === 'POST';
  if (!isSimple && !listed(headers['access-control-allow-methods'], method.toLowerCase(), true)) {
    return problem(`the method ${method} is not allowed`, `cors({ methods: ['${method}'] })`);
  }
  return [];
}

function listed(value: string | undefined, name: string, takesWildcard: boolean): boolean {
  const names = new Set((value ?? '').split(',').map((each) => each.trim().toLowerCase()));
  return names.has(name) || (takesWildcard && names.has('*'));
}
