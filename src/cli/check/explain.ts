import type { Finding, Severity } from '../finding.js';
import { programName, quote } from '../paste-line.js';
import { mask } from '../secrets.js';
import type { Answer } from './call.js';
import { asOptions, readChallenges, sameExpectation, type Expectation } from './challenge.js';

/** What an answer shows, and whether the next request would be pointless or unsafe. */
export interface Explanation {
  readonly findings: readonly Finding[];
  readonly isFinal: boolean;
}

/** An answer with its context. */
interface Reply extends Answer {
  readonly url: URL;
  /** Whether the server answered without a key, too. */
  readonly isOpen?: boolean;
  readonly method?: string;
  readonly expected?: Expectation;
  /** The key id of the user's own key, if it has one. */
  readonly keyId?: string | undefined;
  /** The answer to a key that nobody has. */
  readonly wrongKeyStatus?: number;
}

type Text = string | ((reply: Reply) => string);

/** One line of a table. The first line that applies explains the answer. */
interface Row {
  readonly when: (reply: Reply) => boolean;
  readonly code: string;
  readonly message: Text;
  readonly remedy: Text;
  /** Default: an error. */
  readonly severity?: Severity;
  /** The next call still makes sense. */
  readonly goesOn?: true;
}

const isGood = ({ status }: Reply) => status < 300;
const answered =
  (...statuses: number[]) =>
  ({ status }: Reply) =>
    statuses.includes(status);
const refusedAs =
  (expected: string) =>
  ({ code }: Reply) =>
    code === expected;
const otherMethod: Text = ({ method }) =>
  `check the path; if it is no ${method} route give --method, and first read in --help what ` +
  'that runs';
const nameOf = ({ keyId }: Reply) => keyId ?? 'Your key';

/** What may come back for any key. */
const anyCall: readonly Row[] = [
  {
    when: ({ status }) => status < 200,
    code: 'unexpected_answer',
    message: ({ status }) =>
      `The server answers ${status} and switches to a protocol that nobody asked for.`,
    remedy: 'check the URL',
  },
  {
    when: (reply) => targetOf(reply)?.isHttp === false,
    code: 'redirect',
    message: ({ status }) =>
      `The server answers ${status} and redirects to an address that is not HTTP.`,
    remedy: 'check the URL',
  },
  {
    when: (reply) => targetOf(reply) !== undefined,
    code: 'redirect',
    message: (reply) =>
      targetOf(reply)?.isUpgrade
        ? `The server answers ${reply.status} and redirects to https://: by then a client has ` +
          'already sent its key in the clear.'
        : `The server answers ${reply.status} and redirects to ${targetOf(reply)?.origin}: a ` +
          'client that follows may send its key there.',
    remedy: (reply) => `call ${targetOf(reply)?.place} directly, if it is yours`,
  },
  {
    when: answered(429),
    code: 'rate_limited',
    message: 'The server answers 429: too many requests.',
    remedy: ({ headers }) => {
      const seconds = /^\d{1,6}$/.exec(headers['retry-after'] ?? '')?.[0];
      return `try again ${seconds === undefined ? 'later' : `in ${seconds} seconds`}`;
    },
  },
  {
    when: refusedAs('api_key_not_configured'),
    code: 'not_configured',
    message: 'The server has no keys: its variable is not set, or its list of keys is broken.',
    remedy: `on the server, run ${programName} doctor, fix the variable that it names, and restart`,
  },
  {
    when: refusedAs('key_source_failed'),
    code: 'source_failed',
    message: 'The server cannot look up keys.',
    remedy: 'look into the log of the server: its database may be down, slow, or not migrated',
  },
  {
    when: refusedAs('https_required'),
    code: 'https_required',
    message: 'The server takes keys over https:// only.',
    remedy: 'call https://; if you did, the app is behind a proxy: set "trust proxy" in it',
  },
  {
    when: ({ status }) => status >= 500,
    code: 'server_failed',
    message: ({ status }) => `The server answers ${status}.`,
    remedy: 'look into the log of the server',
  },
];

/** The call without a key. */
const noKeyCall: readonly Row[] = [
  {
    when: answered(404, 405),
    code: 'not_found',
    message: ({ status }) => `The server answers ${status} without asking for a key.`,
    remedy: otherMethod,
  },
  {
    when: (reply) => reply.status === 401 && otherExpectation(reply) !== undefined,
    code: 'wrong_header',
    message: (reply) => {
      const { header, scheme } = otherExpectation(reply)!;
      const where = scheme === undefined ? header : `${header}: ${scheme} <key>`;
      return `The server reads the key from ${where}.`;
    },
    remedy: (reply) => `check again with ${asOptions(otherExpectation(reply)!)}`,
  },
  {
    when: (reply) => !isGood(reply) && !answered(401, 403)(reply),
    code: 'unexpected_answer',
    message: ({ status }) => `The server answers ${status} without a key, where 401 was expected.`,
    remedy: 'check the URL',
  },
];

/** The call with a key that nobody has. */
const wrongKeyCall: readonly Row[] = [
  {
    when: (reply) => isGood(reply) && reply.isOpen === true,
    code: 'open_to_all',
    message: ({ status }) =>
      `The server answers ${status} without a key and with a wrong key: this address is open to ` +
      'everyone.',
    remedy: 'put requireApiKey() in front of its handler',
  },
  {
    when: isGood,
    code: 'any_key_accepted',
    message: 'The server accepts a key that nobody has.',
    remedy: 'the server must compare the key, not just see that there is one',
  },
  {
    when: refusedAs('missing_api_key'),
    code: 'header_lost',
    message: 'The server got no key: something on the way removes the header.',
    remedy:
      'check the proxies in front of it: nginx drops headers with "_", and some drop Authorization',
  },
  {
    when: ({ isOpen }) => isOpen === true,
    severity: 'warning',
    code: 'optional_key',
    message: 'The server lets requests without a key through, but refuses wrong keys.',
    remedy: 'remove "optional: true" from the guard, unless you want this',
    goesOn: true,
  },
];

/** The call with the user's own key. */
const ownKeyCall: readonly Row[] = [
  {
    when: refusedAs('expired_api_key'),
    code: 'expired',
    message: (reply) => `${nameOf(reply)} has expired.`,
    remedy: `ask for a new one: ${programName} create <user>`,
  },
  {
    when: refusedAs('revoked_api_key'),
    code: 'revoked',
    message: (reply) => `${nameOf(reply)} is revoked, for good.`,
    remedy: `ask for a new one: ${programName} create <user>`,
  },
  {
    when: refusedAs('paused_api_key'),
    code: 'paused',
    message: (reply) => `${nameOf(reply)} is paused.`,
    remedy: ({ keyId = '<keyId>' }) =>
      `ask who paused it, or let it work again: ${programName} resume ${keyId}`,
  },
  {
    when: refusedAs('address_not_allowed'),
    code: 'wrong_address',
    message: (reply) =>
      `${nameOf(reply)} may not be used from the address that the server sees this call come from.`,
    remedy: ({ keyId = '<keyId>' }) =>
      `compare your address with ${programName} show ${keyId}; if it is listed there, the app is ` +
      'behind a proxy: set "trust proxy" in it to the number of proxies',
  },
  {
    when: (reply) => reply.code === 'insufficient_scope' || reply.status === 403,
    code: 'scope_missing',
    message: (reply) => {
      const scopes = scopesIn(reply);
      const missing = scopes.length === 0 ? '' : `: it needs ${scopes.join(' ')}`;
      return `${nameOf(reply)} is valid, but may not call this address${missing}.`;
    },
    remedy: (reply) => {
      const scopes = scopesIn(reply);
      const wanted = scopes.length === 0 ? ['<scope>'] : scopes.map(quote);
      const options = wanted.map((scope) => `--scope ${scope}`).join(' ');
      return (
        `use a key with ${scopes.length > 1 ? 'these scopes' : 'that scope'}: ${programName} ` +
        `create <user> ${options}`
      );
    },
  },
  {
    when: answered(401),
    code: 'unknown_key',
    message: (reply) => `${nameOf(reply)} is not known to the server.`,
    remedy: ({ keyId }) =>
      keyId === undefined
        ? 'compare it with the key on the server: look for blanks, quotes, a missing end; an ' +
          'ApiKeyManager accepts keys from elsewhere only with legacyKeys: true'
        : `look for the key id in ${programName} list: it may belong to another server or database`,
  },
  {
    when: answered(404, 405),
    severity: 'note',
    code: 'not_found',
    message: ({ status, wrongKeyStatus, method }) => {
      if (status === wrongKeyStatus)
        return `The server answers ${status} to your key and to a wrong one.`;
      const missing = status === 404 ? 'has nothing' : `does not take ${method}`;
      return `The guard took the key, but the app ${missing} at this address.`;
    },
    remedy: otherMethod,
  },
];

/** Explains the answer to the call without a key. */
export const explainNoKey = (
  answer: Answer,
  url: URL,
  method: string,
  expected: Expectation,
): Explanation => explain({ ...answer, url, method, expected }, noKeyCall);

/** Explains the answer to a key that nobody has, after the call without one. */
export const explainWrongKey = (answer: Answer, url: URL, withoutKey: Answer): Explanation =>
  explain({ ...answer, url, isOpen: withoutKey.status < 300 }, wrongKeyCall);

/**
 * Explains the answer to the user's own key.
 *
 * @param suspected what looks wrong with the key, which explains why the server does not know it
 */
export function explainOwnKey(
  answer: Answer,
  context: Pick<Reply, 'url' | 'method' | 'keyId' | 'wrongKeyStatus'>,
  suspected?: Finding,
): Explanation {
  const explanation = explain({ ...answer, ...context }, ownKeyCall);
  const isUnknown = explanation.findings.some(({ code }) => code === 'unknown_key');
  return isUnknown && suspected ? { findings: [suspected], isFinal: true } : explanation;
}

function explain(reply: Reply, rows: readonly Row[]): Explanation {
  const row = [...anyCall, ...rows].find(({ when }) => when(reply));
  if (!row) return { findings: [], isFinal: false };
  const { severity = 'error', code, goesOn = false } = row;
  const say = (text: Text) => (typeof text === 'string' ? text : text(reply));
  const finding = { severity, code, message: say(row.message), remedy: say(row.remedy) };
  return { findings: [finding], isFinal: !goesOn };
}

/** The target of a redirect. `place` can be pasted into a shell, although the server chose it. */
function targetOf({ status, headers, url }: Reply) {
  const { location } = headers;
  if (status < 300 || status >= 400 || location === undefined) return undefined;
  const { protocol, hostname, origin, pathname } = URL.canParse(location, url.href)
    ? new URL(location, url)
    : url;
  return {
    origin: mask(origin),
    place: `'${mask(origin + pathname).replaceAll("'", '%27')}'`,
    isHttp: /^https?:$/.test(protocol),
    isUpgrade: url.protocol === 'http:' && protocol === 'https:' && hostname === url.hostname,
  };
}

/** The first place where the challenges say that the key is read, if none is the given one. */
function otherExpectation({ headers, expected }: Reply): Expectation | undefined {
  const asked = readChallenges(headers['www-authenticate']);
  const isAsked = !expected || asked.some((each) => sameExpectation(each, expected));
  return isAsked ? undefined : asked[0];
}

/**
 * The scopes that a 403 names in its challenge or detail: short, and without what breaks a line.
 */
function scopesIn({ headers, detail = '' }: Reply): string[] {
  const inChallenge = /scope="([!#-[\]-~ ]{1,200})"/.exec(headers['www-authenticate'] ?? '');
  const inDetail =
    /\b(?:lacks a scope it needs|needs one of these scopes) here: ([!#-[\]-~ ]{1,200})\.$/.exec(
      detail,
    );
  const [, scopes = ''] = inChallenge ?? inDetail ?? [];
  return mask(scopes)
    .split(' ')
    .filter((scope) => scope !== '');
}
