import { InvalidArgumentError, Option, type Command } from 'commander';
import { mustBeHeaderName, mustBeToken } from '../../lib/options.js';
import { checkServer, type Report } from '../check/check-server.js';
import type { Expectation } from '../check/challenge.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { Misuse } from '../failure.js';
import { formatFinding, isProblem, maskFinding, type Finding } from '../finding.js';
import { readKey } from '../key-input.js';
import { mask } from '../secrets.js';
import { print, printJson } from '../terminal/output.js';
import { argumentOf, collect } from '../values/arguments.js';
import { durationBetween } from '../values/duration.js';

interface Options extends GlobalOptions {
  /** `false`: no key is read. */
  readonly key: boolean;
  readonly keyFile?: string;
  readonly header?: readonly string[];
  readonly scheme?: string;
  readonly method: string;
  readonly origin?: string;
  readonly timeout: number;
  readonly dangerouslySendOverHttp?: true;
}

export function addCheck(program: Command): void {
  addCommand(program, 'check', {
    about:
      'Call a live server without a key, with a wrong key and with yours, using GET unless you ' +
      'give --method, and say what came back. Your key is read from standard input, never from ' +
      'the arguments.',
    examples: [
      'check https://api.example/hello < alice.key',
      'check http://localhost:3000/hello --key-file alice.key --header X-Internal-Api-Key',
      'check https://api.example/hello --no-key --origin https://app.example',
      'check https://api.example/hello --header X-API-Key ' +
        "--header 'Authorization: Bearer' < alice.key",
    ],
  })
    .argument(
      '<url>',
      'a guarded address that is safe to call, because its handler runs',
      urlArgument,
    )
    .option('--key-file <file>', 'read the key from a file instead')
    .option('--no-key', 'send no key of yours: only call without a key and with a wrong one')
    .option(
      '--header <name>',
      "the header that carries the key, with a scheme as 'Authorization: Bearer'; repeat for " +
        'each header of the guard (default: X-API-Key)',
      collect(argumentOf(mustBePlace)),
    )
    .option(
      '--scheme <scheme>',
      'the word in front of the key, such as Bearer',
      argumentOf(mustBeToken),
    )
    .addOption(
      new Option(
        '--method <method>',
        'how to call the address; its handler really runs, so POST, PUT, PATCH and DELETE may ' +
          'change data',
      )
        .argParser(methodArgument)
        .default('GET'),
    )
    .option(
      '--origin <origin>',
      'the origin of a web page that must be able to call it',
      originArgument,
    )
    .addOption(
      new Option('--timeout <duration>', 'how long each call may take, 1s to 1h')
        .argParser(durationBetween('1s', '1h'))
        .default(10_000, '10s'),
    )
    .option('--dangerously-send-over-http', 'send the key over plain HTTP to another machine')
    .action(async (url: URL, _options: unknown, self: Command) =>
      check(url, self.optsWithGlobals<Options>()),
    );
}

async function check(url: URL, options: Options): Promise<void> {
  const { method, origin, timeout } = options;
  const common = {
    url,
    method,
    ...(origin !== undefined && { origin }),
    timeoutMs: timeout,
    sendsOverPlainHttp: options.dangerouslySendOverHttp ?? false,
  };
  // A file is read before the requests. Standard input, which may prompt somebody, is only read
  // when the key is needed.
  const filed =
    options.key && options.keyFile !== undefined ? await readGivenKey(options.keyFile) : undefined;
  let typed: Promise<string> | undefined;
  const readOnce = async () => (options.key ? (filed ?? (typed ??= readGivenKey(undefined))) : '');
  const places = placesOf(options);
  const calls: Report['calls'][number][] = [];
  const found: Finding[] = [];
  for (const place of places) {
    const report = await checkServer({ ...common, ...place }, readOnce);
    const behind = places.length > 1 ? ` (${place.header})` : '';
    calls.push(...report.calls.map((each) => ({ ...each, call: each.call + behind })));
    // What is wrong with the server or the key shows in each header.
    const isNew = (finding: Finding) => !found.some(({ message }) => message === finding.message);
    found.push(...report.findings.filter(isNew));
  }
  const findings = found.map(maskFinding);
  const isFine = !findings.some(isProblem);
  if (!isFine) process.exitCode = 1;
  if (options.json) {
    return printJson({ ok: isFine, url: mask(url.origin + url.pathname), calls, findings });
  }
  const isUsed =
    calls.some(({ call }) => call.startsWith('with your key')) &&
    !findings.some(({ code }) => code === 'not_found');
  const width = Math.max(24, ...calls.map(({ call }) => call.length + 2));
  const lines = [
    ...calls.map(
      (each) =>
        `${each.call.padEnd(width)}${each.status}${each.code === undefined ? '' : ` ${each.code}`}`,
    ),
    ...findings.map(formatFinding),
    ...(isFine && isUsed ? ['The key works here.'] : []),
  ];
  await print(lines.join('\n'));
}

/** An empty file is a mistake. If it counted as no key, a check that proves nothing would pass. */
async function readGivenKey(file: string | undefined): Promise<string> {
  const key = await readKey(file);
  if (key !== '') return key;
  const name = file === undefined || file === '-' ? 'standard input' : file;
  throw new Misuse(`${name} holds no key: give a key, or check without one: --no-key`);
}

/** A header by its name, or with the scheme that stands before the key: `Authorization: Bearer`. */
const mustBePlace = (value: unknown): string | undefined => {
  const [header, scheme] = splitPlace(String(value));
  return mustBeHeaderName(header) ?? (scheme === undefined ? undefined : mustBeToken(scheme));
};

const splitPlace = (text: string) => text.split(/:\s*/, 2) as [string, string?];

/** @throws {Misuse} if it cannot be told which header `--scheme` belongs to. */
function placesOf({ header = ['X-API-Key'], scheme }: Options): Expectation[] {
  const places = header.map(splitPlace);
  const isAmbiguous = places.length > 1 || places.some(([, own]) => own !== undefined);
  if (scheme !== undefined && isAmbiguous)
    throw new Misuse("write the scheme with its header: --header 'Authorization: Bearer'");
  return places.map(([name, own = scheme]) =>
    own === undefined ? { header: name } : { header: name, scheme: own },
  );
}

function urlArgument(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new InvalidArgumentError('Write https://host/path.');
  if (url.username !== '' || url.password !== '')
    throw new InvalidArgumentError('Remove the user and the password.');
  return url;
}

function originArgument(text: string): string {
  const url = urlArgument(text);
  if (url.pathname !== '/' || url.search !== '')
    throw new InvalidArgumentError('Write https://host.');
  return url.origin;
}

function methodArgument(text: string): string {
  const method = text.toUpperCase();
  if (!/^(GET|HEAD|POST|PUT|PATCH|DELETE)$/.test(method)) {
    throw new InvalidArgumentError('Write GET, HEAD, POST, PUT, PATCH or DELETE.');
  }
  return method;
}
