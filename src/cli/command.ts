import type { Command } from 'commander';
import { refuseExcess } from './excess-arguments.js';
import { programName } from './paste-line.js';

/**
 * Options of every command. Commander's `conflicts` has no effect between one of them and an option
 * of the command: throw a `Misuse`.
 */
export interface GlobalOptions {
  readonly json?: true;
  readonly debug?: true;
}

export interface CommandHelp {
  /** What it does, in a sentence. */
  readonly about: string;
  /** Command lines that run as they are, behind the name of the program. */
  readonly examples: readonly string[];
}

/** A command of the program, with its examples below its options. */
export function addCommand(
  program: Command,
  name: string,
  { about, examples }: CommandHelp,
): Command {
  const title = examples.length === 1 ? 'Example' : 'Examples';
  return program
    .command(name)
    .description(about)
    .allowExcessArguments()
    .hook('preAction', refuseExcess)
    .addHelpText(
      'after',
      `\n${title}:\n${examples.map((line) => `  $ ${programName} ${line}`).join('\n')}`,
    );
}
