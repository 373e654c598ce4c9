import { CommanderError } from 'commander';
import { isArgumentError } from '../lib/options.js';
import { ClaimError } from '../stores/claim-store.js';
import { KeyStoreError } from '../stores/key-store-error.js';
import { Failure } from './failure.js';
import { inOptionWords } from './option-words.js';
import { mask } from './secrets.js';

export interface ExitMessage {
  /** Absent if everything was said already. */
  readonly sentence?: string;
  readonly exitCode: number;
}

/** What to say of an error, and how the process ends. */
export function explainError(error: unknown): ExitMessage {
  if (error instanceof CommanderError) return explainUsage(error);
  if (error instanceof Failure) return { sentence: error.message, exitCode: error.exitCode };
  if (!(error instanceof Error))
    return { sentence: 'it failed without giving a reason', exitCode: 1 };
  if (error instanceof KeyStoreError || error instanceof ClaimError)
    return { sentence: error.message, exitCode: 1 };
  // The library's own checks of arguments begin with the name of what was called.
  const [, problem] = /^\w+: (.+)$/s.exec(error.message) ?? [];
  if (isArgumentError(error) && problem !== undefined)
    return { sentence: inOptionWords(problem), exitCode: 2 };
  return { sentence: mask(problem ?? error.message), exitCode: 1 };
}

function explainUsage({ code, message, exitCode }: CommanderError): ExitMessage {
  if (exitCode === 0) return { exitCode: 0 };
  if (code === 'commander.help') return { exitCode: 2 };
  const sentence = message
    .replace(/^error: /, '')
    .replace(
      /\s*\n\((Did you mean .+\?)\)$/s,
      (_, hint: string) => `; ${hint.charAt(0).toLowerCase()}${hint.slice(1)}`,
    )
    // Only what looks like a name is repeated. Anything else may be a key in the wrong place.
    .replaceAll(/'(-{0,2}[\w-]+)=[^']*'/g, "'$1'")
    .replaceAll(/'([^' <[]{33,})'/g, "'...'");
  const isKeyAsArgument = /unknown option '(-k|--(api-?)?key)'/.test(sentence);
  const advice = isKeyAsArgument
    ? ' A key is never read from the arguments, only from standard input or a file.'
    : '';
  return { sentence: mask(sentence) + advice, exitCode: 2 };
}
