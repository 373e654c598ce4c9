import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './audio-api.js';

/** The command line as it is published. */
export const cliFile = resolve('dist/esm/cli.js');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on standard input; `null`: it stays open. Default: nothing. */
  readonly input?: string | Buffer | null;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/**
 * Starts a program that sees nothing of the environment of the tests, save where programs are
 * found.
 */
export function startProcess(
  command: string,
  args: readonly string[],
  options: CliOptions = {},
): RunningCli {
  const { cwd = tmpdir(), env = {}, input = '' } = options;
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TZ: 'UTC', ...env },
    stdio: 'pipe',
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // A program that needs no input may have gone before it is written.
  child.stdin.on('error', () => {});
  if (input !== null) child.stdin.end(input);
  onTestFinished(() => void child.kill('SIGKILL'));
  const finished = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    ...output,
  }));
  return { child, finished };
}

export const startCli = (args: readonly string[], options?: CliOptions) =>
  startProcess(process.execPath, [cliFile, ...args], options);

/** Runs the command line to its end. */
export const cli = (args: readonly string[], options?: CliOptions): Promise<Finished> =>
  startCli(args, options).finished;

/** Runs one shell command line, in which `$CLI` is the command line. */
export const shell = (line: string, options: CliOptions = {}): Promise<Finished> =>
  startProcess('sh', ['-c', line], {
    ...options,
    env: { ...options.env, CLI: `${process.execPath} ${cliFile}` },
  }).finished;

/** The same on a terminal of this many columns; all that is shown is on `stdout`. */
export function startTerminal(line: string, { env, ...options }: CliOptions = {}, columns = 80) {
  const args = ['-qec', `stty cols ${columns}; ${line}`, '/dev/null'];
  const { child, finished } = startProcess('script', args, {
    ...options,
    input: null,
    env: { ...env, CLI: `${process.execPath} ${cliFile}`, SHELL: '/bin/sh' },
  });
  let shown = '';
  child.stdout!.on('data', (text: string) => (shown += text));
  return {
    finished,
    /** Resolves once this is shown. */
    prompted: (text: string) =>
      eventually(() => shown.includes(text), `the terminal shows ${text}`),
    write: (text: string) => void child.stdin!.write(text),
  };
}

export const terminal = (...args: Parameters<typeof startTerminal>): Promise<Finished> =>
  startTerminal(...args).finished;

/** A folder of the test's own, with these files. */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'require-api-key-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(path, name), text, { mode: 0o600 });
  return path;
}
