import { generateApiKey, parseApiKey } from '../../keys/key-format.js';
import { isPresentable } from '../../http/presented-key.js';
import type { Finding } from '../finding.js';
import { isLoopback, call, reasonOf, type Answer } from './call.js';
import type { Expectation } from './challenge.js';
import { explainNoKey, explainOwnKey, explainWrongKey, type Explanation } from './explain.js';
import { suspectKey } from './suspect-key.js';
import { explainCorsAnswers, explainPreflight, preflightHeaders } from './cors.js';

export interface Target extends Expectation {
  readonly url: URL;
  readonly method: string;
  readonly timeoutMs: number;
  /** The page's origin, if given. It is sent with every request. */
  readonly origin?: string;
  readonly sendsOverPlainHttp: boolean;
}

/** One request and its answer. */
interface ReportedCall {
  readonly call: string;
  readonly status: number;
  readonly code?: string;
}

export interface Report {
  readonly calls: readonly ReportedCall[];
  readonly findings: readonly Finding[];
}

/** One thing to report, in the order of events. */
type Step = { readonly call: ReportedCall } | { readonly finding: Finding };
type Steps<Result> = AsyncGenerator<Step, Result, void>;

/**
 * Sends a request without a key, one with a key that nobody has, and one with the user's own key.
 * The last is only sent if the first two were refused.
 */
export async function checkServer(target: Target, readKey: () => Promise<string>): Promise<Report> {
  const calls: ReportedCall[] = [];
  const findings: Finding[] = [];
  try {
    for await (const step of callAll(target, readKey)) {
      if ('call' in step) calls.push(step.call);
      else findings.push(step.finding);
    }
  } catch (error) {
    findings.push(unreachable(error, target.url));
  }
  return { calls, findings };
}

async function* callAll(target: Target, readKey: () => Promise<string>): Steps<void> {
  const { url, method } = target;
  const isExposed = url.protocol === 'http:' && !isLoopback(url.hostname);
  if (isExposed) yield { finding: plainHttp(target.sendsOverPlainHttp) };

  const withoutKey = yield* send(target, 'without a key', {});
  if (yield* refusesOrigin(target, withoutKey)) return;
  if (yield* report(explainNoKey(withoutKey, url, method, target))) return;

  const key = await readKey();
  const answers = [withoutKey, ...(yield* sendKeys(target, key, withoutKey, isExposed))];
  // A page of the server itself needs no permission.
  if (target.origin !== url.origin) yield* askAsBrowser(target, answers);
}

/** Whether the server fails or refuses because of the origin, as some do with an unlisted one. */
async function* refusesOrigin(target: Target, { status, code }: Answer): Steps<boolean> {
  const { origin, ...withoutOrigin } = target;
  const isSuspect = code === undefined && (status === 403 || status >= 500);
  if (origin === undefined || !isSuspect) return false;
  const plain = yield* send(withoutOrigin, 'without key and origin', {});
  if (plain.status === status) return false;
  yield { finding: refusedOrigin(origin, status, plain.status) };
  return true;
}

/** Sends the preflight, and judges by all answers what a web page can read. */
async function* askAsBrowser(target: Target, answers: readonly Answer[]): Steps<void> {
  const preflight = {
    origin: target.origin ?? 'https://app.example',
    method: target.method,
    header: target.header.toLowerCase(),
    wasAsked: target.origin !== undefined,
  };
  const asPreflight = { ...target, method: 'OPTIONS' };
  const answer = yield* send(asPreflight, 'preflight of a browser', preflightHeaders(preflight));
  const blocked = explainPreflight(answer, preflight);
  for (const finding of blocked) yield { finding };
  // After a bad preflight the browser sends no request.
  if (!preflight.wasAsked || blocked.length > 0) return;
  for (const finding of explainCorsAnswers(answers, preflight.origin)) yield { finding };
}

/** Returns the answers. */
async function* sendKeys(
  target: Target,
  key: string,
  withoutKey: Answer,
  isExposed: boolean,
): Steps<Answer[]> {
  const { url, method, header, scheme, sendsOverPlainHttp } = target;
  const withKey = (sent: string) => ({
    [header]: scheme === undefined ? sent : `${scheme} ${sent}`,
  });
  const parsed = parseApiKey(key);
  const suspected = suspectKey(key, target);
  const { key: wrongKey } = generateApiKey({ prefix: parsed?.prefix });
  const wrong = yield* send(target, 'with a wrong key', withKey(wrongKey));
  if (yield* report(explainWrongKey(wrong, url, withoutKey))) return [wrong];
  if (key === '') {
    yield { finding: noKey };
  } else if (!isPresentable(key)) {
    yield { finding: suspected ?? impossibleKey };
  } else if (!isExposed || sendsOverPlainHttp) {
    const own = yield* send(target, 'with your key', withKey(key));
    const context = { url, method, keyId: parsed?.keyId, wrongKeyStatus: wrong.status };
    yield* report(explainOwnKey(own, context, suspected));
    return [wrong, own];
  } else if (suspected) {
    yield { finding: suspected };
  }
  return [wrong];
}

/** Sends one request and reports the answer. */
async function* send(
  { url, method, origin, timeoutMs }: Target,
  name: string,
  headers: Record<string, string>,
): Steps<Answer> {
  const asPage = origin === undefined ? {} : { Origin: origin };
  const answer = await call({ url, method, headers: { ...asPage, ...headers }, timeoutMs });
  const { status, code } = answer;
  yield { call: { call: name, status, ...(code !== undefined && { code }) } };
  return answer;
}

/** Reports what an answer shows. Returns whether the check ends there. */
async function* report(explanation: Explanation): Steps<boolean> {
  for (const finding of explanation.findings) yield { finding };
  return explanation.isFinal;
}

/** @throws the error itself if it is no fault of the connection to the server. */
function unreachable(error: unknown, url: URL): Finding {
  if (!(error instanceof Error) || !('code' in error || error.name === 'AbortError')) throw error;
  const { code, why } = reasonOf(error, url);
  return {
    severity: 'error',
    code,
    message: `${url.origin} cannot be called: ${why}.`,
    remedy: 'check the address, and that the server runs',
  };
}

const refusedOrigin = (origin: string, status: number, other: number): Finding => ({
  severity: 'error',
  code: 'origin_refused',
  message:
    `The server answers ${status} to pages on ${origin}, and ${other} without an origin: it ` +
    'refuses this origin.',
  remedy: `cors({ origin: '${origin}' })`,
});

const noKey: Finding = {
  severity: 'note',
  code: 'no_key',
  message: 'No key was given, so none of yours was sent.',
};

const impossibleKey: Finding = {
  severity: 'error',
  code: 'impossible_key',
  message:
    'Your key cannot be sent in a header: it holds blanks, commas or non-ASCII characters, or is ' +
    'over 512 characters long.',
  remedy: 'look into the file: it may hold more than the key',
};

const plainHttp = (isSent: boolean): Finding => ({
  severity: 'warning',
  code: 'plain_http',
  message: isSent
    ? 'This is plain HTTP: everyone on the way can read the key.'
    : 'This is plain HTTP: everyone on the way could read your key, so it was not sent.',
  remedy: isSent
    ? 'call https://'
    : 'call https://, or on a network of your own give --dangerously-send-over-http',
});
