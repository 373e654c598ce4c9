import type { ApiKeyError, ApiKeyErrorCode } from '../api-key-error.js';
import { sha256Hex } from './digest.js';

const quietMs = 60_000;
const lines = new Map<ApiKeyErrorCode, { quietUntil: number; unsaid: number }>();

/**
 * Logs a 503 the way Express logs its own errors, with its cause. An outage refuses thousands of requests for one reason,
 * so each code is logged at most once a minute in this process, with a count of those between.
 */
export function logFault(error: ApiKeyError, presentedKey: string | undefined): void {
  // Monotonic: a clock set back must not silence the log.
  const now = performance.now();
  const line = lines.get(error.code);
  if (line && now < line.quietUntil) {
    line.unsaid++;
    return;
  }
  const between = line?.unsaid ? ` (and ${line.unsaid} more since this was last logged)` : '';
  lines.set(error.code, { quietUntil: now + quietMs, unsaid: 0 });
  const text = `${error.code}${between}: ${mask(describeError(error), presentedKey)}`;
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
function describeError(error: unknown, depth = 0): string {
  if (depth > 5) return '...';
  try {
    if (!(error instanceof Error)) return typeof error === 'string' ? error : `a thrown ${typeof error}`;
    // A driver's code, such as ECONNREFUSED, often says more than its message.
    const code = depth > 0 && 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : '';
    const several = error instanceof AggregateError && Array.isArray(error.errors) ? error.errors : [];
    const below = [...(error.cause === undefined ? [] : [error.cause]), ...several];
    const causes = below.map((each) => `\n  caused by ${describeError(each, depth + 1)}`);
    return `${error.stack ?? String(error)}${code}${causes.join('')}`;
  } catch {
    // Getters and proxies may throw whatever one does with them.
    return 'an error that cannot be read';
  }
}

/** Keys reach error messages through drivers and templates: as they are, quoted, encoded for a URL, or as their digest. */
function mask(text: string, presentedKey: string | undefined): string {
  if (presentedKey === undefined) return text;
  const forms = [presentedKey, JSON.stringify(presentedKey).slice(1, -1), encodeURIComponent(presentedKey)];
  const pattern = [...forms, sha256Hex(presentedKey)].map(escapeRegExp).join('|');
  // One pass, so that a short key is not found again in what stands in for it.
  return text.replace(new RegExp(pattern, 'g'), '[presented key]');
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
