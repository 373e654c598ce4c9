import { hash } from 'node:crypto';
import { errorsWithin, isError } from '../lib/errors.js';
import { maskSecrets } from '../lib/mask.js';

/** An error under the code that its client received. */
interface Fault extends Error {
  readonly code: string;
}

/** What is known about the request that met a fault. */
interface FaultOrigin {
  /** The key source that failed. */
  readonly source?: string | undefined;
  readonly presentedKey?: string | undefined;
}

const quietMs = 60_000;
/**
 * How many different faults are logged within `quietMs`. Messages with changing ids must not flood
 * the log.
 */
const maxDifferent = 20;
/** How long an entry may be, in characters. A chain of causes can be circular. */
const maxLength = 20_000;
const maxCauses = 5;
/** How many characters of a message count when two faults are compared. */
const maxCompared = 2_000;

/**
 * The faults of the last minute, with their repeats since the last entry. At most `maxDifferent`.
 */
const logged = new Map<string, { quietUntil: number; repeats: number }>();

/**
 * Logs a 503 with its cause. The same fault is logged at most once a minute, with a count of its
 * repeats. A different one is logged at once, but at most 20 different ones a minute.
 */
export function logFault(error: Fault, { source, presentedKey }: FaultOrigin = {}): void {
  const between = takeTurn(identify(error, source, presentedKey));
  if (between === undefined) return;
  const described = describeError(error, error.code === 'api_key_not_configured');
  // Masked before it is cut: half a key would not be recognized.
  const text = `${error.code}${between}: ${mask(described, presentedKey).slice(0, maxLength)}`;
  try {
    console.error(text);
  } catch {
    // A closed pipe behind stderr must not prevent the answer.
  }
}

/**
 * The same text for the same code, source and message of the cause. Hashed, because it may hold a
 * key.
 */
function identify({ code, cause }: Fault, source = '', presentedKey?: string): string {
  let message: string;
  try {
    message = String(isError(cause) ? cause.message || cause.name : cause);
  } catch {
    message = 'an error that cannot be read';
  }
  // Masked, so that requests with different keys count as the same fault.
  const masked = mask(message.slice(0, maxCompared), presentedKey);
  return hash('sha256', JSON.stringify([code, source, masked]));
}

/** A note of the repeats since this fault was last logged, or `undefined` if it must wait. */
function takeTurn(id: string): string | undefined {
  // Monotonic: a clock set back must not silence the log.
  const now = performance.now();
  const before = logged.get(id);
  if (before && now < before.quietUntil) {
    before.repeats++;
    return undefined;
  }
  if (!before) {
    for (const [each, { quietUntil }] of logged) if (quietUntil <= now) logged.delete(each);
    if (logged.size >= maxDifferent) return undefined;
  }
  logged.set(id, { quietUntil: now + quietMs, repeats: 0 });
  return before?.repeats ? ` (and ${before.repeats} more since this was last logged)` : '';
}

/**
 * Messages and stacks of an error and its causes. Other properties are left out: drivers put
 * rows, parameters and connection strings there.
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
    // The stack of a missing configuration tells nothing. The stack of a failed source tells
    // everything.
    const hasStack = !(depth === 0 || isConfiguration);
    return `${(hasStack && error.stack) || error.message}${code}${causes.join('')}`;
  } catch {
    // Getters and proxies may throw at any access.
    return 'an error that cannot be read';
  }
}

/** Keys reach error messages through drivers and templates: plain, quoted, or encoded. */
function mask(text: string, presentedKey: string | undefined): string {
  // Any key or digest is masked, because the error may come from another request.
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
  // In one pass, so that a short key is not found again in its replacement.
  return text.replace(new RegExp(forms.map(escapeRegExp).join('|'), 'g'), '[presented key]');
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
