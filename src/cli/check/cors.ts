import type { Finding } from '../finding.js';
import type { Answer } from './call.js';

export interface Preflight {
  readonly origin: string;
  readonly method: string;
  /** In lower case. */
  readonly header: string;
  /** Whether `--origin` was given, so that a page on it should work. */
  readonly wasAsked: boolean;
}

/** The headers with which a browser asks whether a page may send the key. */
export const preflightHeaders = ({ origin, method, header }: Preflight) => ({
  Origin: origin,
  'Access-Control-Request-Method': method,
  'Access-Control-Request-Headers': header,
});

/** Most services are not called by any page, and need no CORS. */
const blockedAnyway: Finding = {
  severity: 'note',
  code: 'preflight_blocked',
  message:
    'Web pages of other origins cannot call it, or not all; ' +
    'if one must, check with --origin <origin>.',
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
  const blocked = whyBlocked(headers, origin);
  if (blocked) return problem(blocked.why, blocked.remedy);
  // The fetch standard excludes Authorization from the wildcard.
  const allowsHeader = lists(
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
  if (!isSimple && !lists(headers['access-control-allow-methods'], method.toLowerCase(), true)) {
    return problem(`the method ${method} is not allowed`, `cors({ methods: ['${method}'] })`);
  }
  return [];
}

/** Whether a page on the origin can read the answers after a good preflight. */
export function explainCorsAnswers(answers: readonly Answer[], origin: string): Finding[] {
  const good = answers.filter(({ status }) => status >= 200 && status < 300);
  const refusals = answers.filter(({ status }) => status >= 400);
  return [
    ...first(good, (answer) => blockedAnswer(answer, origin)),
    ...first(refusals, (answer) => hiddenRefusal(answer, origin)),
    ...first(answers, (answer) => unreadHeader(answer, origin)),
    ...first(answers, (answer) => openToCookies(answer)),
    ...first(answers, (answer) => unvaried(answer, origin)),
  ];
}

/** The first finding from any of the answers. */
function first(
  answers: readonly Answer[],
  explain: (answer: Answer) => Finding | undefined,
): Finding[] {
  for (const answer of answers) {
    const finding = explain(answer);
    if (finding) return [finding];
  }
  return [];
}

function blockedAnswer({ status, headers }: Answer, origin: string): Finding | undefined {
  const blocked = whyBlocked(headers, origin);
  return (
    blocked && {
      severity: 'error',
      code: 'answer_blocked',
      message:
        `Web pages on ${origin} cannot read its answer (${status}), although the preflight is ` +
        `good: ${blocked.why}.`,
      remedy: `${blocked.remedy}, for every method and not for OPTIONS alone`,
    }
  );
}

function hiddenRefusal({ status, headers }: Answer, origin: string): Finding | undefined {
  const blocked = whyBlocked(headers, origin);
  return (
    blocked && {
      severity: 'note',
      code: 'refusal_hidden',
      message:
        `Web pages on ${origin} cannot see why a call is refused (${status}); the browser ` +
        `reports a network error instead: ${blocked.why}.`,
      remedy: `${blocked.remedy}, in front of requireApiKey()`,
    }
  );
}

/** A header of a refusal that the page needs and the browser hides. */
function unreadHeader({ status, headers, code }: Answer, origin: string): Finding | undefined {
  if (status < 400 || whyBlocked(headers, origin)) return undefined;
  // A problem document says in its body what the challenge says.
  const needed = status === 401 && code === undefined ? 'www-authenticate' : 'retry-after';
  if (headers[needed] === undefined) return undefined;
  if (lists(headers['access-control-expose-headers'], needed, true)) return undefined;
  const name = needed === 'retry-after' ? 'Retry-After' : 'WWW-Authenticate';
  return {
    severity: 'note',
    code: 'header_not_exposed',
    message: `Web pages on ${origin} cannot read the ${name} of a refusal (${status}).`,
    remedy: `cors({ exposedHeaders: ['${name}'] })`,
  };
}

/** A key in a header needs no credentials, so this only blocks pages that also send cookies. */
function openToCookies({ headers }: Answer): Finding | undefined {
  const isWildcard = headers['access-control-allow-origin'] === '*';
  if (!isWildcard || headers['access-control-allow-credentials'] === undefined) return undefined;
  return {
    severity: 'note',
    code: 'wildcard_with_credentials',
    message:
      'The server allows credentials and every origin (*); browsers block such an answer if the ' +
      "page calls with credentials: 'include'.",
    remedy: 'remove credentials: true from cors(), or name the origins',
  };
}

function unvaried({ headers }: Answer, origin: string): Finding | undefined {
  if (headers['access-control-allow-origin'] !== origin) return undefined;
  if (/\bno-store\b/i.test(headers['cache-control'] ?? '')) return undefined;
  if (lists(headers.vary, 'origin', true)) return undefined;
  return {
    severity: 'note',
    code: 'vary_missing',
    message:
      `The answer names ${origin}, but lacks "Vary: Origin": a cache may give it to a page of ` +
      'another origin, which the browser then blocks.',
    remedy: 'let cors() set the header, or send Vary: Origin with it',
  };
}

/** Why a browser hides an answer from pages on the origin, if it does. */
function whyBlocked(
  headers: Answer['headers'],
  origin: string,
): { why: string; remedy: string } | undefined {
  const allowed = headers['access-control-allow-origin'];
  if (allowed === '*' || allowed === origin) return undefined;
  const remedy = `cors({ origin: '${origin}' })`;
  if (allowed === undefined) return { why: 'no origin is allowed', remedy };
  if (allowed.includes(',')) {
    const why = 'Access-Control-Allow-Origin has several values, and browsers take one alone';
    return { why, remedy: `let the app or the proxy set the header, not both: ${remedy}` };
  }
  if (allowed === 'null') return { why: 'only the origin "null" is allowed', remedy };
  if (allowed.replace(/\/+$/, '').toLowerCase() === origin) {
    const why = 'Access-Control-Allow-Origin must be the origin in lower case, without a final "/"';
    return { why, remedy };
  }
  return { why: 'this origin is not allowed', remedy };
}

function lists(value: string | undefined, name: string, takesWildcard: boolean): boolean {
  const names = new Set((value ?? '').split(',').map((each) => each.trim().toLowerCase()));
  return names.has(name) || (takesWildcard && names.has('*'));
}
