import { Option, type Command } from 'commander';
import { Misuse } from '../failure.js';
import { quote } from '../paste-line.js';
import { isShowableName } from '../secrets.js';

/**
 * Adds an argument for the user of a key. If the user is given as an option, as for other
 * commands, the error says how to write it.
 *
 * @param form `<user>`, or `[user]` if it is optional
 */
export function addUserArgument(
  command: Command,
  form: '<user>' | '[user]',
  about: string,
): Command {
  const misplaced = new Option('--user <user>').hideHelp().argParser((text: string) => {
    const user = isShowableName(text) ? quote(text) : '<user>';
    throw new Misuse(`the user is an argument, not an option: write ${command.name()} ${user}`);
  });
  return command.argument(form, about).addOption(misplaced);
}
