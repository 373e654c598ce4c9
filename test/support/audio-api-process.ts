import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from './audio-api.js';
import { compiled } from './compiled.js';

const inProject = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Nothing of the environment that the tests run in reaches the programs, save where programs are
 * found.
 */
function cleanEnv(extra: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], ...extra };
}

function start(command: string, args: string[], cwd: string, env: Record<string, string>) {
  const child = spawn(command, args, {
    cwd,
    env: cleanEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // A program that was expected to end by itself must not outlive a test that failed.
  onTestFinished(() => void child.kill());
  const finished = once(child, 'close').then(([code]): Finished => ({
    code: code as number | null,
    ...output,
  }));
  return { child, output, finished };
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: string[],
  { cwd = inProject('.'), env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Finished> {
  return start(command, args, cwd, env).finished;
}

export interface RunningServer {
  url: string;
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  finished: Promise<Finished>;
  stop: (signal?: NodeJS.Signals) => Promise<Finished>;
}

/** Compiled; or the source itself through tsx, as `npm start` runs it. */
type Script = 'server' | 'server.ts' | 'start-postgres';

export function runServer(
  cwd: string,
  env: Record<string, string> = {},
  script: Script = 'server',
): Promise<Finished> {
  return startScript(script, cwd, env).finished;
}

function startScript(script: Script, cwd: string, env: Record<string, string>) {
  const args =
    script === 'server.ts'
      ? ['--import', import.meta.resolve('tsx'), inProject('examples/audio-api/server.ts')]
      : [compiled(`examples/audio-api/${script}.ts`)];
  return start(process.execPath, args, cwd, env);
}

/**
 * Starts the example's server in a folder, on a free port, and waits until it has said all it says
 * at the start.
 */
export async function startServer(
  cwd: string,
  env: Record<string, string> = {},
  script: Script = 'server',
): Promise<RunningServer> {
  const server = startScript(script, cwd, { PORT: '0', ...env });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    server.child.kill(signal);
    return server.finished;
  };
  onTestFinished(async () => void (await stop('SIGTERM')));
  await eventually(
    () => /^curl .*\n/m.test(server.output.stdout) || server.child.exitCode !== null,
    'the server printed a curl line',
    // On a busy machine the first start of a PostgreSQL takes its time.
    30_000,
  );
  const url = /http:\/\/localhost:\d+/.exec(server.output.stdout)?.[0];
  if (url === undefined) throw new Error(`the server did not start: ${server.output.stderr}`);
  return { ...server, url, stop };
}

/** What the server tells its reader to type. */
export function printedCurl(stdout: string): string {
  return stdout
    .split('\n')
    .filter((line) => /^(curl|API_KEY=)/.test(line))
    .join('\n');
}
