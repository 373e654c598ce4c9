import { warnOnce } from '../../lib/warn.js';

/** Warns, once for each cause, that something is not written in the background. */
export function warnNotWritten(what: string, error: unknown): void {
  const code = codeOf(error);
  const named = code === undefined ? '' : ` (${code})`;
  const next =
    code === '42501'
      ? 'the role has no right: see npx require-api-key doctor'
      : 'it is tried again';
  warnOnce(`${what} could not be written${named}; requests are not affected, ${next}.`);
}

/**
 * Only the code of the error or its cause, if it looks like one, because a driver's message may
 * hold anything.
 */
function codeOf(error: unknown): string | undefined {
  for (const each of [error, (error as { cause?: unknown } | null | undefined)?.cause]) {
    const code = (each as { code?: unknown } | null | undefined)?.code;
    if (typeof code === 'string' && /^\w{1,40}$/.test(code)) return code;
  }
  return undefined;
}
