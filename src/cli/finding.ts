import { maskKeys } from '../lib/mask.js';
import { plain } from './terminal/output.js';

/** `note`: nothing is wrong, but the operator should know. */
export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
  readonly severity: Severity;
  /** What was found, for machines: `short_key`. */
  readonly code: string;
  /** A sentence that holds no key. */
  readonly message: string;
  /** How to fix it. */
  readonly remedy?: string;
}

/** Masks keys in a finding. Other secrets were masked when the text was read. */
export function maskFinding({ message, remedy, ...rest }: Finding): Finding {
  return {
    ...rest,
    message: maskKeys(message),
    ...(remedy !== undefined && { remedy: maskKeys(remedy) }),
  };
}

export const isProblem = ({ severity }: Finding) => severity !== 'note';

export function formatFinding({ severity, message, remedy }: Finding): string {
  const indent = ' '.repeat(9);
  const advice = remedy === undefined ? '' : `\n${indent}-> ${plain(remedy)}`;
  return `${severity.padEnd(9)}${plain(message)}${advice}`;
}
