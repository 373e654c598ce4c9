import { isValid } from '../suites/http.js';

const atMost = (goal, text) => ({
  text: text ?? `at most ${goal}`,
  isMet: (value) => value <= goal,
});
const atLeast = (goal, text) => ({
  text: text ?? `at least ${goal}`,
  isMet: (value) => value >= goal,
});
const only = (median) => ({ median, low: median, high: median });

const named = (list, name, against = 'bare') =>
  list?.find((entry) => entry.name === name && (entry.against ?? against) === against);

/** Each goal with what was measured for it on one Node version; nothing where that part was not run. */
export function judge(measured, version) {
  const { guard, peers, http, postgres, cold, growth } = Object.fromEntries(
    ['guard', 'peers', 'http', 'postgres', 'cold', 'growth'].map((part) => [
      part,
      measured[part]?.[version],
    ]),
  );
  const pair = (name, against) => named(http, name, against)?.ratio;
  const isVoid = http !== undefined && !isValid(http);
  const many = postgres?.at(-1).contestants;
  const managed = many && named(many, 'managed, warm');
  const refused = many && named(many, 'managed, made up');
  const at64 = cold?.byCount.find(({ count }) => count === 64).contestants;
  const known = named(at64, 'a key in the table');
  const madeUp = named(at64, 'a made-up key');
  const ratio = (above, below) => only(above.median / below.median);
  const last = (source) => guard?.[source].bySize.at(-1);
  const peer = (name) => peers?.find((entry) => entry.peer === name)?.againstGuard;
  const rows = [
    [
      'guard, admitted, environment, against the floor',
      guard?.environment.bySize[0].againstFloor,
      atMost(1.25),
    ],
    [
      'guard, admitted, managed and warm, against the floor',
      guard?.managed.bySize[0].againstFloor,
      atMost(1.25),
    ],
    ['the most keys against one key, environment', last('environment')?.againstOneKey, atMost(1.5)],
    ['the most keys against one key, managed', last('managed')?.againstOneKey, atMost(1.5)],
    [
      'guard against passport-headerapikey with a map, in an app',
      pair('guarded, environment', 'passport-headerapikey'),
      atMost(0.85),
      isVoid,
    ],
    ['better-auth’s verify against the guard', peer('better-auth verifyApiKey'), atLeast(300)],
    [
      'hono bearerAuth with 100 tokens against the guard',
      peer('hono bearerAuth'),
      atLeast(2_000, 'at least 2,000'),
    ],
    [
      'server CPU, admitted, environment, against bare Express',
      pair('guarded, environment'),
      atMost(1.1, 'at most 1.10'),
      isVoid,
    ],
    [
      'server CPU, admitted, managed and warm, against bare Express',
      pair('guarded, managed'),
      atMost(1.1, 'at most 1.10'),
      isVoid,
    ],
    [
      'server CPU, refused, against an admitted bare request',
      pair('guarded, refused'),
      atMost(0.92),
      isVoid,
    ],
    [
      'managed and warm, requests per second, as a share of bare Express',
      managed?.shareOfBare,
      atLeast(0.85),
    ],
    [
      'managed and warm against the naive way, requests per second',
      managed?.againstNaive,
      atLeast(50),
    ],
    [
      'managed and warm against better-auth, requests per second',
      managed && ratio(managed.perSecond, named(many, 'better-auth').perSecond),
      atLeast(20),
    ],
    [
      'cold keys, 64 under way, rate against a pooled select',
      known?.rateAgainstSelect,
      atLeast(1.3),
    ],
    ['cold keys, 64 under way, CPU against a pooled select', known?.cpuAgainstSelect, atMost(0.6)],
    [
      'made-up keys, 64 under way, rate against a pooled select',
      madeUp?.rateAgainstSelect,
      atLeast(3),
    ],
    [
      'made-up keys, 64 under way, CPU against a pooled select',
      madeUp?.cpuAgainstSelect,
      atMost(0.3),
    ],
    [
      'server CPU of a made-up key over HTTP against an admitted warm one',
      refused && ratio(refused.cpuUsPerRequest, managed.cpuUsPerRequest),
      atMost(1.5),
    ],
    ['queries per warm request', managed?.queriesPerRequest, atMost(0, '0')],
    [
      'revocation to refusal elsewhere, p99 in ms',
      growth && only(growth.revocation.revocation.p99Ms),
      { text: 'under 50', isMet: (value) => value < 50 },
    ],
    [
      'revocation to refusal elsewhere, median, against a bare NOTIFY',
      growth && only(growth.revocation.revocation.p50Ms / growth.revocation.notification.p50Ms),
      atMost(2),
    ],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([what, value, goal, isVoided = false]) => ({
      what,
      value,
      goal: goal.text,
      outcome: outcomeOf(value, goal, isVoided),
    }));
}

function outcomeOf({ median }, goal, isVoided) {
  if (isVoided) return 'void';
  return goal.isMet(median) ? 'met' : 'missed';
}
