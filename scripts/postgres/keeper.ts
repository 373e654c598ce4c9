import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Runs the command given to it until the pipe on descriptor 3 closes, and then ends it as
 * PostgreSQL likes to be ended: SIGINT waits for no client. The pipe closes with this process,
 * however that ends, SIGKILL included.
 */
const script = `
  "$@" 3<&- &
  server=$!
  { read -r _ <&3; kill -INT "$server"; } &
  watcher=$!
  wait "$server"
  code=$?
  kill "$watcher" 2> /dev/null
  exit "$code"`;

/** A program that does not outlive this process, and does not keep it alive either. */
export class Keeper {
  readonly #shell: ChildProcess;
  readonly #pipe: Writable;
  readonly #ended: Promise<unknown>;

  constructor(command: readonly string[], log: number, options: SpawnOptions) {
    this.#shell = spawn('sh', ['-c', script, 'sh', ...command], {
      ...options,
      // In a session of its own: a terminal's Ctrl-C is for this process, which still has last uses
      // to write.
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    this.#shell.unref();
    this.#pipe = this.#shell.stdio[3] as Writable;
    (this.#pipe as Writable & { unref(): void }).unref();
    this.#ended = once(this.#shell, 'exit');
  }

  get hasEnded(): boolean {
    return this.#shell.exitCode !== null || this.#shell.signalCode !== null;
  }

  async stop(): Promise<void> {
    this.#shell.ref();
    this.#pipe.end();
    await this.#ended;
  }
}
