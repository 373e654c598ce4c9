import { programName } from '../command-line.js';
import type { Finding, Severity } from '../doctor/finding.js';
import type { Answer } from './call.js';
import { asOptions, readChallenge, sameExpectation, type Expectation } from './challenge.js';

/** What an answer tells, and whether it makes the next call pointless or unsafe. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly isFinal: boolean;
}

const goOn: Verdict = { findings: [], isFinal: false };

const stop = (severity: Severity, code: string, message: string, remedy: string): Verdict => ({
  findings: [{ severity, code, message, remedy }],
  isFinal: true,
});

const tell = (severity: Severity, code: string, message: string, remedy: string): Verdict => ({
  ...stop(severity, code, message, remedy),
  isFinal: false,
});

/** What may come back whichever key was sent. */
function explainAny(answer: Answer, url: URL): Verdict | undefined {
  const { status, code, headers } = answer;
  if (status < 200) {
    const message = `The server answers ${status} and changes the protocol, which nobody asked for.`;
    return stop('error', 'unexpected_answer', message, 'check the URL');
  }
  if (status >= 300 && status < 400 && headers.location !== undefined) return explainRedirect(answer, url);
  if (status === 429) {
    const after = /^\d{1,6}$/.exec(headers['retry-after'] ?? '')?.[0];
    const when = after === undefined ? 'later' : `in ${after} seconds`;
    return stop('error', 'rate_limited', 'The server answers 429: too many requests.', `try again ${when}`);
  }
  if (code === 'api_key_not_configured') {
    const remedy = `on the server: set the variable or mend its list, ${programName} doctor says which, and restart`;
    return stop(
      'error',
      'not_configured',
      'The server holds no key at all, or a broken list of them.',
      remedy,
    );
  }
  if (code === 'key_source_failed') {
    const remedy = 'look into its log: the database is down, not migrated or too slow';
    return stop('error', 'source_failed', 'The server cannot look keys up.', remedy);
  }
  if (code === 'https_required') {
    return stop(
      'error',
      'https_required',
      'The server takes no key over plain HTTP.',
      'call https://; behind a proxy that ends TLS, set "trust proxy" in the app',
    );
  }
  if (status >= 500) {
    return stop('error', 'server_failed', `The server answers ${status}.`, 'look into its log');
  }
  return undefined;
}

function explainRedirect({ status, headers }: Answer, url: URL): Verdict {
  const location = headers.location ?? '';
  const target = URL.canParse(location, url.href) ? new URL(location, url) : url;
  if (!/^https?:$/.test(target.protocol)) {
    const message = `The server answers ${status} and sends on to what is no address of HTTP.`;
    return stop('error', 'redirect', message, 'check the URL');
  }
  const isUpgrade =
    url.protocol === 'http:' && target.protocol === 'https:' && target.hostname === url.hostname;
  const message = isUpgrade
    ? `The server answers ${status} and sends on to https: whoever calls http:// has sent the key in the clear by then.`
    : `The server answers ${status} and sends on to ${target.origin}: a client that follows may send the key there.`;
  // The server chose it, and somebody will paste it into a shell.
  const place = `'${(target.origin + target.pathname).replaceAll("'", '%27')}'`;
  return stop('error', 'redirect', message, `call ${place} itself, if it is yours`);
}

/** Of the call without a key. */
export function explainNoKey(answer: Answer, url: URL, expected: Expectation): Verdict {
  const known = explainAny(answer, url);
  if (known) return known;
  const { status } = answer;
  if (status === 404 || status === 405) {
    const remedy = 'check the path, and give --method if it is not read with GET';
    return stop('error', 'not_found', `The server answers ${status} without asking for a key.`, remedy);
  }
  if (status === 401) {
    const asked = readChallenge(answer.headers['www-authenticate']);
    if (!asked || sameExpectation(asked, expected)) return goOn;
    const where = asked.scheme === undefined ? asked.header : `${asked.header}: ${asked.scheme} <key>`;
    return stop(
      'error',
      'wrong_header',
      `The server reads the key from ${where}.`,
      `check again with ${asOptions(asked)}`,
    );
  }
  if (status === 403) return goOn;
  if (status < 300) return { findings: [], isFinal: false };
  return stop(
    'error',
    'unexpected_answer',
    `The server answers ${status} without a key, where 401 was expected.`,
    'check the URL',
  );
}

/** Of the call with a key that nobody has, after the one without. */
export function explainWrongKey(answer: Answer, url: URL, withoutKey: Answer): Verdict {
  const known = explainAny(answer, url);
  if (known) return known;
  const isOpen = withoutKey.status < 300;
  if (answer.status < 300) {
    return isOpen
      ? stop(
          'error',
          'open_to_all',
          `The server answers ${answer.status} without a key and with a wrong one: this address is open to all.`,
          'put requireApiKey() before its handler',
        )
      : stop(
          'error',
          'any_key_accepted',
          'The server accepts a key that nobody has.',
          'compare keys on the server, not their presence',
        );
  }
  if (answer.code === 'missing_api_key') {
    const remedy =
      'check what stands in front of it: nginx drops headers with "_", and some proxies drop Authorization';
    return stop(
      'error',
      'header_lost',
      'The server says that no key came: something on the way takes the header away.',
      remedy,
    );
  }
  if (isOpen) {
    const remedy = 'take "optional: true" from the guard unless that is meant';
    return tell(
      'warning',
      'optional_key',
      'The server lets requests without a key through, though not wrong keys.',
      remedy,
    );
  }
  return goOn;
}

/** Of the call with the user's own key. */
export function explainOwnKey(answer: Answer, url: URL, keyId: string | undefined): Verdict {
  const known = explainAny(answer, url);
  if (known) return known;
  const { status, code, headers } = answer;
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
      `${name} is revoked, which is for good.`,
      `ask for a new one: ${programName} create <user>`,
    );
  }
  if (code === 'insufficient_scope' || status === 403) {
    const [, scopes] = /scope="([!#-[\]-~ ]{1,200})"/.exec(headers['www-authenticate'] ?? '') ?? [];
    const missing = scopes === undefined ? '' : `: it needs ${scopes}`;
    const remedy = `use a key with the scope: ${programName} create <user> --scope <scope>`;
    return stop(
      'error',
      'scope_missing',
      `${name} is known but may not call this address${missing}.`,
      remedy,
    );
  }
  if (status === 401) {
    const hint =
      keyId === undefined
        ? 'compare it with what the server holds: blanks, quotes, a cut end; a managed server needs legacyKeys: true for keys of another form'
        : `compare the key id with ${programName} list: it may belong to another server or database`;
    return stop('error', 'unknown_key', `${name} is not known to the server.`, hint);
  }
  return { findings: [], isFinal: false };
}
