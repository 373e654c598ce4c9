import type { Finding, Severity } from '../finding.js';
import { programName, quote } from '../paste-line.js';
import type { Answer } from './call.js';
import { asOptions, readChallenge, sameExpectation, type Expectation } from './challenge.js';

/** What an answer tells, and whether that makes the next call pointless or unsafe. */
export interface Explanation {
  readonly findings: readonly Finding[];
  readonly isFinal: boolean;
}

const nothingWrong: Explanation = { findings: [], isFinal: false };

const stop = (severity: Severity, code: string, message: string, remedy: string): Explanation => ({
  findings: [{ severity, code, message, remedy }],
  isFinal: true,
});

const tell = (severity: Severity, code: string, message: string, remedy: string): Explanation => ({
  ...stop(severity, code, message, remedy),
  isFinal: false,
});

/** What may come back whichever key was sent. */
function explainAny(answer: Answer, url: URL): Explanation | undefined {
  const { status, code, headers } = answer;
  if (status < 200) {
    const message = `The server answers ${status} and switches to a protocol that nobody asked for.`;
    return stop('error', 'unexpected_answer', message, 'check the URL');
  }
  if (status >= 300 && status < 400 && headers.location !== undefined)
    return explainRedirect(answer, url);
  if (status === 429) {
    const after = /^\d{1,6}$/.exec(headers['retry-after'] ?? '')?.[0];
    const when = after === undefined ? 'later' : `in ${after} seconds`;
    return stop(
      'error',
      'rate_limited',
      'The server answers 429: too many requests.',
      `try again ${when}`,
    );
  }
  if (code === 'api_key_not_configured') {
    const remedy = `on the server, run ${programName} doctor, fix the variable that it names, and restart`;
    return stop(
      'error',
      'not_configured',
      'The server has no keys: its variable is not set, or its list of keys is broken.',
      remedy,
    );
  }
  if (code === 'key_source_failed') {
    const remedy =
      'look into the log of the server: its database may be down, slow, or not migrated';
    return stop('error', 'source_failed', 'The server cannot look up keys.', remedy);
  }
  if (code === 'https_required') {
    return stop(
      'error',
      'https_required',
      'The server takes keys over https:// only.',
      'call https://; if you did, the app is behind a proxy: set "trust proxy" in it',
    );
  }
  if (status >= 500) {
    return stop(
      'error',
      'server_failed',
      `The server answers ${status}.`,
      'look into the log of the server',
    );
  }
  return undefined;
}

function explainRedirect({ status, headers }: Answer, url: URL): Explanation {
  const location = headers.location ?? '';
  const target = URL.canParse(location, url.href) ? new URL(location, url) : url;
  if (!/^https?:$/.test(target.protocol)) {
    const message = `The server answers ${status} and redirects to an address that is not HTTP.`;
    return stop('error', 'redirect', message, 'check the URL');
  }
  const isUpgrade =
    url.protocol === 'http:' && target.protocol === 'https:' && target.hostname === url.hostname;
  const message = isUpgrade
    ? `The server answers ${status} and redirects to https://: by then a client has already sent its key in the clear.`
    : `The server answers ${status} and redirects to ${target.origin}: a client that follows may send its key there.`;
  // The server chose it, and somebody will paste it into a shell.
  const place = `'${(target.origin + target.pathname).replaceAll("'", '%27')}'`;
  return stop('error', 'redirect', message, `call ${place} directly, if it is yours`);
}

/** Of the call without a key. */
export function explainNoKey(
  answer: Answer,
  url: URL,
  method: string,
  expected: Expectation,
): Explanation {
  const known = explainAny(answer, url);
  if (known) return known;
  const { status } = answer;
  if (status === 404 || status === 405) {
    const remedy = `check the path; if it is no ${method} route give --method, and first read in --help what that runs`;
    return stop(
      'error',
      'not_found',
      `The server answers ${status} without asking for a key.`,
      remedy,
    );
  }
  if (status === 401) {
    const asked = readChallenge(answer.headers['www-authenticate']);
    if (!asked || sameExpectation(asked, expected)) return nothingWrong;
    const where =
      asked.scheme === undefined ? asked.header : `${asked.header}: ${asked.scheme} <key>`;
    return stop(
      'error',
      'wrong_header',
      `The server reads the key from ${where}.`,
      `check again with ${asOptions(asked)}`,
    );
  }
  if (status === 403) return nothingWrong;
  if (status < 300) return nothingWrong;
  return stop(
    'error',
    'unexpected_answer',
    `The server answers ${status} without a key, where 401 was expected.`,
    'check the URL',
  );
}

/** Of the call with a key that nobody has, after the one without. */
export function explainWrongKey(answer: Answer, url: URL, withoutKey: Answer): Explanation {
  const known = explainAny(answer, url);
  if (known) return known;
  const isOpen = withoutKey.status < 300;
  if (answer.status < 300) {
    return isOpen
      ? stop(
          'error',
          'open_to_all',
          `The server answers ${answer.status} without a key and with a wrong key: this address is open to everyone.`,
          'put requireApiKey() in front of its handler',
        )
      : stop(
          'error',
          'any_key_accepted',
          'The server accepts a key that nobody has.',
          'the server must compare the key, not just see that there is one',
        );
  }
  if (answer.code === 'missing_api_key') {
    const remedy =
      'check the proxies in front of it: nginx drops headers with "_", and some drop Authorization';
    return stop(
      'error',
      'header_lost',
      'The server got no key: something on the way removes the header.',
      remedy,
    );
  }
  if (isOpen) {
    const remedy = 'remove "optional: true" from the guard, unless you want this';
    return tell(
      'warning',
      'optional_key',
      'The server lets requests without a key through, but refuses wrong keys.',
      remedy,
    );
  }
  return nothingWrong;
}

/**
 * Of the call with the user's own key.
 *
 * @param suspected what looks wrong with the key, which explains why the server does not know it
 */
export function explainOwnKey(
  answer: Answer,
  url: URL,
  keyId: string | undefined,
  suspected?: Finding,
): Explanation {
  const known = explainAny(answer, url);
  if (known) return known;
  const { status, code } = answer;
  const name = keyId ?? 'Your key';
  if (code === 'expired_api_key') {
    return stop(
      'error',
      'expired',
      `${name} has expired.`,
      `ask for a new one: ${programName} create <user>`,
    );
  }
  if (code === 'revoked_api_key') {
    return stop(
      'error',
      'revoked',
      `${name} is revoked, for good.`,
      `ask for a new one: ${programName} create <user>`,
    );
  }
  if (code === 'insufficient_scope' || status === 403) {
    const scopes = scopesIn(answer);
    const missing = scopes.length === 0 ? '' : `: it needs ${scopes.join(' ')}`;
    const wanted = scopes.length === 0 ? ['<scope>'] : scopes.map(quote);
    const options = wanted.map((scope) => `--scope ${scope}`).join(' ');
    const remedy = `use a key with ${scopes.length > 1 ? 'these scopes' : 'that scope'}: ${programName} create <user> ${options}`;
    return stop(
      'error',
      'scope_missing',
      `${name} is valid, but may not call this address${missing}.`,
      remedy,
    );
  }
  if (status === 401 && suspected) return { findings: [suspected], isFinal: true };
  if (status === 401) {
    const hint =
      keyId === undefined
        ? 'compare it with the key on the server: look for blanks, quotes, a missing end; an ApiKeyManager accepts keys from elsewhere only with legacyKeys: true'
        : `look for the key id in ${programName} list: it may belong to another server or database`;
    return stop('error', 'unknown_key', `${name} is not known to the server.`, hint);
  }
  return nothingWrong;
}

/** The scopes that a 403 names, in its challenge or its detail. Who wrote them is not known: short, and without what breaks a line. */
function scopesIn({ headers, detail = '' }: Answer): string[] {
  const inChallenge = /scope="([!#-[\]-~ ]{1,200})"/.exec(headers['www-authenticate'] ?? '');
  const inDetail = /\blacks a scope it needs here: ([!#-[\]-~ ]{1,200})\.$/.exec(detail);
  const [, scopes = ''] = inChallenge ?? inDetail ?? [];
  return scopes.split(' ').filter((scope) => scope !== '');
}
