import { control } from '../suites/http.js';
import { judge } from './goals.js';
import { microseconds, number, spread, table } from './words.js';

/** The report in Markdown: nothing stands in it that was not measured. */
export function renderReport(measured, { isQuick }) {
  const { machine, nodes, judged } = measured;
  const sections = [
    '# Benchmarks',
    isQuick ? '**A quick run: it shows that everything works, its numbers mean nothing.**' : '',
    `${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.at}; Node ${inWords(nodes)}. Made by \`npm run bench\`; [how it measures](../README.md).
Figures are medians, in brackets the least and the greatest of the processes or rounds they are the median of.`,
    '## Goals',
    `They are for Node ${judged}; the other Nodes are here to compare.`,
    goals(measured),
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
    '## SQLite beside PostgreSQL',
    sqlite(measured),
    '## Memory and start',
    ...nodes.map((version) => start(measured, version)),
    '## Revocation and floods',
    ...nodes.map((version) => growth(measured, version)),
  ];
  return sections.filter(Boolean).join('\n\n');
}

const inWords = (nodes) => nodes.join(', ').replace(/, ([^,]+)$/, ' and $1');

function goals(measured) {
  const judged = measured.nodes.map((version) => judge(measured, version));
  const cell = ({ value, outcome }) =>
    value ? `${spread(value)}, ${outcome === 'missed' ? '**missed**' : outcome}` : 'not measured';
  const rows = judged[0].map(({ what, goal }, at) =>
    [what, goal].concat(judged.map((node) => cell(node[at]))),
  );
  return table(['', 'goal', ...measured.nodes.map((version) => `Node ${version}`)], rows);
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
  const { pairs, attempts, isValid, controlRange } = found;
  const rows = pairs.map(({ name, against, ratio, perRequestUs, windows }) => [
    name === control ? '**bare again: the control**' : name,
    against,
    spread(ratio),
    `${number(perRequestUs.median)} µs`,
    `${ratio.count} × ${Math.round(windows / ratio.count)}`,
  ]);
  const range = controlRange.join(' to ');
  const verdict = isValid
    ? `The control is within ${range}.`
    : `**The control was outside ${range} in each of ${attempts} attempts: nothing else is published.**`;
  const again = isValid && attempts > 1 ? ` It was not at first: this is attempt ${attempts}.` : '';
  const head = [
    'app',
    'against',
    'ratio',
    'CPU a request',
    'processes × windows of 1,000 requests',
  ];
  return `### Node ${version}\n\n${table(head, rows)}\n\n${verdict}${again}`;
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
        each.name.includes('SQLite') ? '' : number(each.queriesPerRequest.median),
        each.walBytesPerThousand === undefined ? '' : number(each.walBytesPerThousand),
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

The last two columns are against one pooled \`select\` a key. Queries of the application's own on the same pool, one at a time, keep ${spread(found.own.kept)} of their rate during a flood of made-up keys, 1,000 under way: at the median one takes ${number(found.own.floodedP50Ms.median)} ms, before ${number(found.own.quietP50Ms.median)} ms.`;
}

function sqlite(measured) {
  const rows = measured.nodes
    .filter((version) => measured.warm?.[version] && measured.polling?.[version])
    .map((version) => {
      const { postgresNs, sqliteNs } = measured.warm[version];
      const { working, resting, timer } = measured.polling[version];
      const percent = ({ median, low, high }) =>
        `${spread({ median: 100 * median, low: 100 * low, high: 100 * high })} %`;
      return [
        version,
        `${number(postgresNs.median)} ns`,
        `${number(sqliteNs.median)} ns`,
        percent(working),
        percent(resting),
        percent(timer),
      ];
    });
  const head = [
    'Node',
    'guard, warm, PostgreSQL',
    'guard, warm, SQLite',
    'polling, of a core, at work',
    'polling, at rest',
    'a bare timer as often, at rest',
  ];
  return rows.length === 0 ? '' : table(head, rows);
}

function start(measured, version) {
  const found = measured.start?.[version];
  if (!found) return '';
  const { memory } = found;
  const { libraryMs, expressMs, againstExpress } = found.start;
  const { flood } = memory;
  const rows = [
    ['heap for each listed key', `${number(memory.environment)} bytes`],
    ['heap for each cached managed key', `${number(memory.managed)} bytes`],
    [
      `heap after a flood of ${flood.sent.toLocaleString('en')} made-up keys`,
      `${number(flood.heapBytes)} bytes more`,
    ],
    ['queries for 1,000 known keys after that flood', number(flood.queriesOfKnownKeys)],
    ['import of the library and first guard', `${spread(libraryMs)} ms`],
    ['import of Express', `${spread(expressMs)} ms`],
    ['the one against the other', spread(againstExpress)],
  ];
  return `### Node ${version}\n\n${table(['', ''], rows)}`;
}

function growth(measured, version) {
  const found = measured.growth?.[version];
  if (!found) return '';
  const { flood } = found;
  const { postgres: onPostgres, sqlite: onSqlite } = found.revocation;
  const p50 = ({ p50Ms }) => `p50 ${number(p50Ms)} ms`;
  const both = ({ p50Ms, p99Ms }) => `p50 ${number(p50Ms)} ms, p99 ${number(p99Ms)} ms`;
  const rows = [
    [
      `revocation to refusal in another process, PostgreSQL, ${onPostgres.count} times`,
      both(onPostgres.revocation),
    ],
    ['of that, the call of `revoke` until it resolves', p50(onPostgres.revokeCall)],
    ['a bare NOTIFY between the same processes', both(onPostgres.notification)],
    [
      `revocation to refusal in another process, SQLite, ${onSqlite.count} times`,
      both(onSqlite.revocation),
    ],
    ['of that, the call of `revoke` until it resolves', p50(onSqlite.revokeCall)],
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
