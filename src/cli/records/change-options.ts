import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { changeChecks, withOrigin, type Attribution } from '../../manager/change-options.js';
import { argumentOf } from '../values/arguments.js';

export interface ChangeFlags {
  readonly by?: string;
  readonly reason?: string;
}

/** Who changes something and why, for the history. */
export function addChangeOptions(command: Command): Command {
  return command
    .option(
      '--by <who>',
      'who does this, for the history (default: your user name on this machine)',
      argumentOf(changeChecks.by),
    )
    .option('--reason <text>', 'why, for the history', argumentOf(changeChecks.reason));
}

/** The options of the manager that say who changes something from the command line, and why. */
export const changedBy = ({ by = systemUser(), reason }: ChangeFlags): Attribution =>
  withOrigin({ by, reason }, { via: 'cli' });

/** `undefined` if the system knows no user, as in some containers, or the name is unfit. */
function systemUser(): string | undefined {
  try {
    const { username } = userInfo();
    return changeChecks.by(username) === undefined ? username : undefined;
  } catch {
    return undefined;
  }
}
