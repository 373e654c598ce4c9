const atMost = (goal, text = `at most ${goal}`) => ({ text, isMet: (value) => value <= goal });
const atLeast = (goal, text = `at least ${goal}`) => ({ text, isMet: (value) => value >= goal });
const under = (goal, text = `under ${goal}`) => ({ text, isMet: (value) => value < goal });
const equal = { text: 'equal: 0.95 to 1.05', isMet: (value) => value >= 0.95 && value <= 1.05 };
const only = (median) => ({ median, low: median, high: median });

const named = (list, name) => list?.find((entry) => entry.name === name);

/** Each goal, with where its measure stands among what was measured on one Node. */
const goals = [
  [
    'without sockets, environment, against the handler by hand',
    ({ guard }) => guard?.environment.bySize[0].againstFloor,
    atMost(1.25),
  ],
  [
    'without sockets, managed and warm, against the handler by hand',
    ({ guard }) => guard?.managed.bySize[0].againstFloor,
    atMost(1.25),
  ],
  ...[
    ['environment, against the handler by hand', 'by hand', 'guarded, environment', 1.04],
    ['managed and warm, against the handler by hand', 'by hand', 'guarded, managed', 1.04],
    ['environment, against bare Express', 'bare', 'guarded, environment', 1.1, 'at most 1.10'],
    ['managed and warm, against bare Express', 'bare', 'guarded, managed', 1.1, 'at most 1.10'],
    ['refused, against bare Express', 'bare', 'guarded, refused', 0.92],
    [
      'a million listed keys, few in use, against one',
      'one listed key',
      'many listed keys, few in use',
      1.05,
    ],
    [
      'a million listed keys, all in use at random, against one',
      'one listed key',
      'many listed keys, all in use',
      1.05,
    ],
  ].map(([what, against, name, goal, text]) => [
    `CPU over HTTP: ${what}`,
    ({ http }) => http?.pairs.find((each) => each.name === name && each.against === against)?.ratio,
    atMost(goal, text),
  ]),
  [
    'cold managed keys on PostgreSQL, 64 under way, against a pooled select: rate',
    ({ known }) => known?.rateAgainstSelect,
    atLeast(1.3),
  ],
  ['... CPU', ({ known }) => known?.cpuAgainstSelect, atMost(0.6)],
  [
    'made-up keys, 64 under way, against a pooled select: rate',
    ({ madeUp }) => madeUp?.rateAgainstSelect,
    atLeast(3),
  ],
  ['... CPU', ({ madeUp }) => madeUp?.cpuAgainstSelect, atMost(0.3)],
  [
    'CPU over HTTP: a refused made-up key, against an admitted warm one',
    ({ many }) => named(many, 'managed, made up')?.cpuAgainstWarm,
    atMost(1.5),
  ],
  [
    'managed and warm over HTTP, requests a second, on the most rows: share of bare Express',
    ({ many }) => named(many, 'managed, warm')?.shareOfBare,
    atLeast(0.85),
  ],
  [
    '... against connect, select, update, close',
    ({ many }) => named(many, 'managed, warm')?.againstNaive,
    atLeast(50),
  ],
  [
    '... against better-auth',
    ({ many }) => named(many, 'managed, warm')?.againstBetterAuth,
    atLeast(20),
  ],
  [
    'cold key on SQLite, one at a time, against PostgreSQL: rate',
    ({ cold }) => named(cold?.byCount[0].contestants, 'a key in a SQLite file')?.rateAgainstKnown,
    atLeast(5),
  ],
  [
    'warm key on SQLite, without sockets, against PostgreSQL',
    ({ warm }) => warm?.sqliteAgainstPostgres,
    equal,
  ],
  [
    'polling of a SQLite file, percent of a core, in a process that works',
    ({ polling }) => polling && percent(polling.working),
    under(0.1),
  ],
  ['... in a process that rests', ({ polling }) => polling && percent(polling.resting), under(0.1)],
  [
    'revocation to refusal in another process on PostgreSQL, p99 in ms',
    ({ growth }) => growth && only(growth.revocation.postgres.revocation.p99Ms),
    under(50),
  ],
  [
    'revocation to refusal in another process on SQLite, p99 in polls',
    ({ growth }) => {
      const sqlite = growth?.revocation.sqlite;
      return sqlite && only(sqlite.revocation.p99Ms / sqlite.pollMs);
    },
    under(2),
  ],
  [
    '`import` and first guard, against `import "express"`',
    ({ start }) => start?.start.againstExpress,
    atMost(0.25),
  ],
];

/**
 * Each goal with what was measured for it on one Node; no value where that part was not run, or was
 * void.
 */
export function judge(measured, version) {
  const parts = Object.fromEntries(
    Object.entries(measured).map(([part, byVersion]) => [part, byVersion?.[version]]),
  );
  const at64 = parts.cold?.byCount.find(({ count }) => count === 64).contestants;
  const found = {
    ...parts,
    many: parts.postgres?.at(-1).contestants,
    known: named(at64, 'a key in the table'),
    madeUp: named(at64, 'a made-up key'),
  };
  return goals.map(([what, valueIn, { text, isMet }]) => {
    const value = valueIn(found);
    const outcome = value && (isMet(value.median) ? 'met' : 'missed');
    return { what, goal: text, value, outcome };
  });
}

const percent = ({ median, low, high }) => ({
  median: 100 * median,
  low: 100 * low,
  high: 100 * high,
});
