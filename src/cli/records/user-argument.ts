import { Option, type Command } from 'commander';
import { Misuse } from '../failure.js';
import { quote } from '../paste-line.js';
import { isShowableName } from '../secrets.js';

/**
 * Whose key it is, as an argument; where it is given as an option, as other commands take it, it
 * is said how to write it.
 *
 * @param form `<user>`, or `[user]` where it may be left out
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
