import type { Command } from 'commander';
import { Misuse } from './failure.js';
import { quote } from './paste-line.js';
import { isShowableName } from './secrets.js';

/**
 * @throws {Misuse} if there are more arguments than the command takes. The message says where
 *   they most likely belong
 */
export function refuseExcess(command: Command): void {
  const taken = command.registeredArguments;
  const [first] = command.args.slice(taken.length);
  if (first === undefined) return;
  const names = taken.map((argument) => `<${argument.name()}>`).join(' ');
  throw new Misuse(
    `too many arguments: ${command.name()} takes ${names === '' ? 'none' : `only ${names}`}; ` +
      advise(command, first),
  );
}

function advise(command: Command, excess: string): string {
  const has = (flag: string) => command.options.some(({ long }) => long === flag);
  // What may be a key is not repeated.
  if (has('--key-file') || !isShowableName(excess))
    return 'a key is never read from the arguments, only from standard input or a file';
  const name = command.name();
  if (command.registeredArguments.length > 0) return `run ${name} once for each`;
  if (!has('--user')) return `see ${name} --help`;
  return `write ${name}${has('--env') ? ' --env API_KEYS' : ''} --user ${quote(excess)}`;
}
