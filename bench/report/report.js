import { control, isValid } from '../suites/http.js';
import { judge } from './goals.js';
import { microseconds, number, spread, table } from './words.js';

/** The report in Markdown: nothing stands in it that was not measured. */
export function renderReport(measured, { isQuick }) {
  const { machine, nodes } = measured;
  const sections = [
    '# Benchmarks',
    isQuick ? '**A quick run: it shows that everything works, its numbers mean nothing.**' : '',
    `${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.at}; Node ${nodes.join(' and ')}. Made by \`npm run bench\`; [how it measures](../README.md).
Figures are medians, in brackets the least and the greatest of the processes or rounds they are the median of.`,
    '## Goals',
    ...nodes.map((version) => `### Node ${version}\n\n${goals(measured, version)}`),
    '## The guard itself, without sockets',
    ...nodes.map((version) => guard(measured, version)),
    '## Peers on the same work, without sockets',
    ...nodes.map((version) => peers(measured, version)),
    '## Over HTTP: server CPU time of a request',
    ...nodes.map((version) => http(measured, version)),
    '## PostgreSQL',
    measured.postgresSettings
      ? `The server’s settings: ${measured.postgresSettings.join(', ')}. Autovacuum is off on the tables.`
      : '',
    ...nodes.map((version) => postgres(measured, version)),
    '## Keys that a process has not met',
    ...nodes.map((version) => cold(measured, version)),
    '## Growth',
    ...nodes.map((version) => growth(measured, version)),
  ];
  return sections.filter(Boolean).join('\n\n');
}

function goals(measured, version) {
  const rows = judge(measured, version).map(({ what, value, goal, outcome }) => [
    what,
    spread(value),
    goal,
    outcome,
  ]);
  return table(['', 'measured', 'goal', ''], rows);
}

function guard(measured, version) {
  const found = measured.guard?.[version];
  if (!found) return '';
  return ['environment', 'managed']
    .map((source) => {
      const { times, bySize, headersAgainstNone } = found[source];
      const one = bySize[0].size;
      const cpu = (name) => `${number(times[name].cpuNs.median)} ns`;
      const wall = (name) => `${number(times[name].wallNs.median)} ns`;
      const rows = bySize.map(
        ({ size, againstFloor, refusedAgainstFloor, againstOneKey, floorAgainstOneKey }) => [
          size.toLocaleString('en'),
          wall(`floor, ${size}`),
          wall(`guard, ${size}`),
          cpu(`guard, ${size}`),
          spread(againstFloor),
          spread(againstOneKey),
          spread(floorAgainstOneKey),
          wall(`guard refused, ${size}`),
          spread(refusedAgainstFloor),
        ],
      );
      const head = [
        'keys',
        'floor',
        'guard',
        'guard, CPU',
        'against the floor',
        'against one key',
        'floor against one key',
        'refused',
        'refused, against the floor',
      ];
      return `### Node ${version}, ${source} source\n\n${table(head, rows)}

Without the two response headers (\`Vary\`, \`Cache-Control: private\`) the floor takes ${wall(`floor without headers, ${one}`)}; they make it ${spread(headersAgainstNone)} times as much.`;
    })
    .join('\n\n');
}

function peers(measured, version) {
  const found = measured.peers?.[version];
  if (!found) return '';
  const rows = found.map(({ peer, wallNs, cpuNs, guardNs, againstGuard }) => [
    peer,
    microseconds(wallNs),
    microseconds(cpuNs),
    microseconds(guardNs),
    spread(againstGuard),
  ]);
  const head = ['peer', 'wall', 'CPU', 'the guard beside it', 'against the guard'];
  return `### Node ${version}\n\n${table(head, rows)}`;
}

function http(measured, version) {
  const found = measured.http?.[version];
  if (!found) return '';
  const rows = found.map(({ name, against, ratio, perRequestUs, windows }) => [
    name === control ? '**bare again: the control**' : name,
    against,
    spread(ratio),
    `${number(perRequestUs.median)} µs`,
    `${ratio.count} × ${Math.round(windows / ratio.count)}`,
  ]);
  const verdict = isValid(found)
    ? 'The control is within 0.97 to 1.03.'
    : '**The control is outside 0.97 to 1.03: this part of the run is void.**';
  const head = [
    'app',
    'against',
    'ratio',
    'CPU a request',
    'processes × windows of 1,000 requests',
  ];
  return `### Node ${version}\n\n${table(head, rows)}\n\n${verdict}`;
}

function postgres(measured, version) {
  const found = measured.postgres?.[version];
  if (!found) return '';
  const head = [
    '',
    'requests/s',
    'share of bare',
    'times the naive way',
    'p50',
    'p99',
    'server CPU',
    'queries a request',
    'log bytes for 1,000',
  ];
  return found
    .map(({ rows, contestants }) => {
      const lines = contestants.map((each) => [
        each.name,
        spread(each.perSecond),
        spread(each.shareOfBare),
        spread(each.againstNaive),
        `${number(each.p50Ms.median)} ms`,
        `${number(each.p99Ms.median)} ms`,
        `${number(each.cpuUsPerRequest.median)} µs`,
        number(each.queriesPerRequest.median),
        number(each.walBytesPerThousand),
      ]);
      return `### Node ${version}, ${rows.toLocaleString('en')} rows\n\n${table(head, lines)}`;
    })
    .join('\n\n');
}

function cold(measured, version) {
  const found = measured.cold?.[version];
  if (!found) return '';
  const head = ['under way', '', 'a second', 'CPU', 'p50', 'statements a key', 'rate', 'CPU'];
  const rows = found.byCount.flatMap(({ count, contestants }) =>
    contestants.map((each) => [
      count.toLocaleString('en'),
      each.name,
      spread(each.perSecond),
      `${number(each.cpuUs.median)} µs`,
      `${number(each.p50Ms.median)} ms`,
      number(each.statements.median),
      spread(each.rateAgainstSelect),
      spread(each.cpuAgainstSelect),
    ]),
  );
  return `### Node ${version}\n\n${table(head, rows)}

The last two columns are against one pooled \`select\` a key. Queries of the application's own on the same pool, one at a time, keep ${spread(found.own.kept)} of their rate during a flood of made-up keys.`;
}

function growth(measured, version) {
  const found = measured.growth?.[version];
  if (!found) return '';
  const { memory, start, revocation, flood } = found;
  const { flood: floodMemory } = memory;
  const rows = [
    ['heap for each listed key', `${number(memory.environment)} bytes`],
    ['heap for each cached managed key', `${number(memory.managed)} bytes`],
    ['import of the library and first guard', `${spread(start.libraryMs)} ms`],
    ['import of Express, for scale', `${spread(start.expressMs)} ms`],
    [
      `revocation to refusal in another process, ${revocation.count} times`,
      `p50 ${number(revocation.revocation.p50Ms)} ms, p99 ${number(revocation.revocation.p99Ms)} ms`,
    ],
    [
      'of that, the call of `revoke` until it resolves',
      `p50 ${number(revocation.revokeCall.p50Ms)} ms`,
    ],
    [
      'a bare NOTIFY between the same processes',
      `p50 ${number(revocation.notification.p50Ms)} ms, p99 ${number(revocation.notification.p99Ms)} ms`,
    ],
    [
      `heap after a flood of ${floodMemory.sent.toLocaleString('en')} made-up keys`,
      `${number(floodMemory.heapBytes)} bytes more`,
    ],
    ['queries for 1,000 known keys after that flood', number(floodMemory.queriesOfKnownKeys)],
    ['normal requests/s over HTTP, quiet', spread(flood.quietPerSecond)],
    ['normal requests/s beside a flood', spread(flood.floodedPerSecond)],
    ['what normal traffic keeps', spread(flood.kept)],
    ['made-up keys/s meanwhile', spread(flood.floodPerSecond)],
    [
      'p99 of normal requests, quiet and beside a flood',
      `${number(flood.quietP99Ms.median)} ms, ${number(flood.floodedP99Ms.median)} ms`,
    ],
  ];
  return `### Node ${version}\n\n${table(['', ''], rows)}`;
}
