import { isArgumentError } from '../../lib/options.js';
import { ClaimError } from '../../stores/claim-store.js';
import { KeyStoreError } from '../../stores/key-store-error.js';
import { WebProblem, type WebProblemCode } from './problem.js';

/** Refusals of the manager that have a code of their own here. Others are a `conflict`. */
const codes: Readonly<Partial<Record<string, WebProblemCode>>> = {
  unknown_key_id: 'not_found',
  unknown_claim_id: 'not_found',
  unknown_event_id: 'not_found',
  too_many_keys: 'too_many_keys',
  lifetime_too_long: 'lifetime_too_long',
};

/**
 * Asks the manager, and turns its refusal into an answer. Any other error is a fault of the
 * store.
 *
 * @throws {WebProblem} `malformed_request` for a wrong argument, with a detail that names the
 *   option and prints no value
 */
export async function askManager<Result>(work: () => Promise<Result> | Result): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isArgumentError(error)) throw malformed(error.option, error.expected, error.message);
    if (!(error instanceof KeyStoreError || error instanceof ClaimError)) throw error;
    const code = codes[error.code];
    throw code === undefined
      ? new WebProblem('conflict', { detail: sentence(error.message) })
      : new WebProblem(code);
  }
}

/** The page shows this detail beside the field that it names. */
const malformed = (
  option: string | undefined,
  expected: string | undefined,
  message: string,
): WebProblem =>
  new WebProblem('malformed_request', {
    detail:
      option === undefined || expected === undefined
        ? message
        : `"${option}" must be ${inJson(expected)}`,
  });

/** JSON has no dates: see instants.ts. */
const inJson = (expected: string) =>
  expected.replace('a valid Date', 'a time such as 2027-01-31T12:00:00Z');

const sentence = (message: string) => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
