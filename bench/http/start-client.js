import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';

/**
 * Starts one of the clients of this folder in a process of its own, on this core where the system
 * can do that.
 */
export function startClient(file, options, core) {
  const script = [join(import.meta.dirname, file), JSON.stringify(options)];
  const [command, ...args] = onCore(core, [process.execPath, ...script]);
  // Without the server's environment, which may hold a million keys.
  const env = { PATH: process.env.PATH };
  return spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** The command, bound to one core where the system can do that. */
export function onCore(core, command) {
  const canPin = process.platform === 'linux' && core !== undefined && core < cpus().length;
  return canPin ? ['taskset', '--cpu-list', String(core), ...command] : command;
}
