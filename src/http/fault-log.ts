import { errorsWithin, isError } from '../lib/errors.js';
import { maskSecrets } from '../lib/mask.js';

/** An error under the code that its client was answered. */
interface Fault extends Error {
  readonly code: string;
}

const quietMs = 60_000;
/** Characters of one entry; a chain of causes can run in circles. */
const maxLength = 20_000;
const maxCauses = 5;
const lines = new Map<string, { quietUntil: number; unsaid: number }>();

/**
 * Logs a 503 the way Express logs its own errors, with its cause. An outage refuses thousands of requests for one reason,
 * so each code is logged at most once a minute in this process, with a count of those between.
 */
export function logFault(error: Fault, presentedKey: string | undefined): void {
  // Monotonic: a clock set back must not silence the log.
  const now = performance.now();
  const line = lines.get(error.code);
  if (line && now < line.quietUntil) {
    line.unsaid++;
    return;
  }
  const between = line?.unsaid ? ` (and ${line.unsaid} more since this was last logged)` : '';
  lines.set(error.code, { quietUntil: now + quietMs, unsaid: 0 });
  const described = describeError(error, error.code === 'api_key_not_configured');
  // Masked before it is cut: half a key would not be found.
  const text = `${error.code}${between}: ${mask(described, presentedKey).slice(0, maxLength)}`;
  try {
    console.error(text);
  } catch {
    // A closed pipe behind stderr must not keep the refusal from being answered.
  }
}

/**
 * Messages and stacks of an error and of all below it. Other properties stay out: drivers put rows, parameters and
 * connection strings there.
 */
function describeError(error: unknown, isConfiguration: boolean, depth = 0): string {
  if (depth > 5) return '...';
  try {
    if (!isError(error)) return typeof error === 'string' ? error : `a thrown ${typeof error}`;
    // A driver's code, such as ECONNREFUSED, often says more than its message.
    const code =
      depth > 0 && 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : '';
    const below = [
      ...(error.cause === undefined ? [] : [error.cause]),
      ...errorsWithin(error),
    ].slice(0, maxCauses);
    const causes = below.map(
      (each) => `\n  caused by ${describeError(each, isConfiguration, depth + 1)}`,
    );
    // Where this library found a configuration missing tells nothing; where a source failed tells all.
    const hasStack = !(depth === 0 || isConfiguration);
    return `${(hasStack && error.stack) || error.message}${code}${causes.join('')}`;
  } catch {
    // Getters and proxies may throw whatever one does with them.
    return 'an error that cannot be read';
  }
}

/** Keys reach error messages through drivers and templates: as they are, quoted, or encoded in one way or another. */
function mask(text: string, presentedKey: string | undefined): string {
  // Anybody's keys and digests: the error at hand may have come of another request.
  const masked = presentedKey === undefined ? text : maskPresentedKey(text, presentedKey);
  return maskSecrets(masked, (what) => `[${what}]`);
}

function maskPresentedKey(text: string, key: string): string {
  const forms = [
    key,
    JSON.stringify(key).slice(1, -1),
    encodeURIComponent(key),
    new URLSearchParams([[key, '']]).toString().slice(0, -1),
    key.replaceAll("'", "''"),
    ...(['base64', 'base64url', 'hex'] as const).map((encoding) =>
      Buffer.from(key).toString(encoding),
    ),
  ];
  // One pass, so that a short key is not found again in what stands in for it.
  return text.replace(new RegExp(forms.map(escapeRegExp).join('|'), 'g'), '[presented key]');
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
