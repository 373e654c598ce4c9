import { generateApiKey, parseApiKey } from '../../key-format.js';
import { isPresentable } from '../../lib/presented-key.js';
import type { Finding } from '../doctor/finding.js';
import { call, reasonOf, type Answer } from './call.js';
import type { Expectation } from './challenge.js';
import { explainNoKey, explainOwnKey, explainWrongKey } from './explain.js';
import { explainPreflight, preflightHeaders } from './preflight.js';

export interface Target extends Expectation {
  readonly url: URL;
  readonly method: string;
  readonly timeoutMs: number;
  /** The page's origin for the preflight, where somebody named one. */
  readonly origin?: string;
  readonly sendsOverPlainHttp: boolean;
}

export interface Report {
  /** What was called, and what came back. */
  readonly calls: { call: string; status: number; code?: string }[];
  readonly findings: Finding[];
}

/** Calls a server without a key, with one that nobody has and with the user's own; the last only where the first two were refused. */
export async function checkServer(target: Target, readKey: () => Promise<string>): Promise<Report> {
  const report: Report = { calls: [], findings: [] };
  try {
    await callAll(target, readKey, report);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error || error.name === 'AbortError')) throw error;
    const { code, why } = reasonOf(error, target.url);
    report.findings.push({
      severity: 'error',
      code,
      message: `${target.url.origin} cannot be called: ${why}.`,
      remedy: 'check the address, and that the server runs',
    });
  }
  return report;
}

async function callAll(target: Target, readKey: () => Promise<string>, report: Report): Promise<void> {
  const { url, header, method, timeoutMs } = target;
  const send = async (name: string, headers: Record<string, string>, by = method): Promise<Answer> => {
    const answer = await call({ url, method: by, headers, timeoutMs });
    const { status, code } = answer;
    report.calls.push({ call: name, status, ...(code !== undefined && { code }) });
    return answer;
  };
  const isExposed = url.protocol === 'http:' && !isLoopback(url.hostname);
  if (isExposed) report.findings.push(plainHttp(target.sendsOverPlainHttp));

  const withoutKey = await send('without a key', {});
  const first = explainNoKey(withoutKey, url, target);
  report.findings.push(...first.findings);
  if (first.isFinal) return;

  await sendKeys(target, readKey, withoutKey, { send, report, isExposed });
  const preflight = {
    origin: target.origin ?? 'https://app.example',
    method,
    header: header.toLowerCase(),
    wasAsked: target.origin !== undefined,
  };
  const answer = await send('preflight of a browser', preflightHeaders(preflight), 'OPTIONS');
  report.findings.push(...explainPreflight(answer, preflight));
}

interface Line {
  readonly send: (name: string, headers: Record<string, string>) => Promise<Answer>;
  readonly report: Report;
  /** Whether others on the way can read along. */
  readonly isExposed: boolean;
}

async function sendKeys(
  { url, header, scheme, sendsOverPlainHttp }: Target,
  readKey: () => Promise<string>,
  withoutKey: Answer,
  { send, report: { findings }, isExposed }: Line,
): Promise<void> {
  const withKey = (key: string) => ({ [header]: scheme === undefined ? key : `${scheme} ${key}` });
  const key = await readKey();
  const parsed = parseApiKey(key);
  const { key: wrongKey } = generateApiKey({ prefix: parsed?.prefix });
  const wrong = explainWrongKey(await send('with a wrong key', withKey(wrongKey)), url, withoutKey);
  findings.push(...wrong.findings);
  if (wrong.isFinal) return;
  if (key === '') {
    findings.push({
      severity: 'note',
      code: 'no_key',
      message: 'No key was given, so none of yours was sent.',
    });
  } else if (!isPresentable(key)) {
    findings.push({
      severity: 'error',
      code: 'impossible_key',
      message:
        'No header can carry your key: it holds blanks, commas or non-ASCII, or is over 512 characters long.',
      remedy: 'look at the file: it may hold more than the key',
    });
  } else if (!isExposed || sendsOverPlainHttp) {
    const own = await send('with your key', withKey(key));
    findings.push(...explainOwnKey(own, url, parsed?.keyId).findings);
  }
}

const isLoopback = (hostname: string) => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname);

const plainHttp = (isSent: boolean): Finding => ({
  severity: 'warning',
  code: 'plain_http',
  message: `Over plain HTTP everybody on the way reads the key${isSent ? '' : ', so yours was not sent'}.`,
  remedy: isSent
    ? 'call https://'
    : 'call https://, or give --dangerously-send-over-http in a network of your own',
});
