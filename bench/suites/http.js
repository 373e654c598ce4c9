import { runOnce, shuffled, spreadOf } from './processes.js';

export const control = 'bare again';

/** What the goals need. */
const judged = [
  ['bare', control],
  ['bare', 'guarded, environment'],
  ['bare', 'guarded, managed'],
  ['bare', 'guarded, refused'],
  ['by hand', 'guarded, environment'],
  ['by hand', 'guarded, managed'],
  ['one listed key', 'many listed keys, few in use'],
  ['one listed key', 'many listed keys, all in use'],
];
/** What explains them. */
const others = [
  ['bare', 'an empty layer'],
  ['bare', 'by hand'],
  ['bare', 'passport-headerapikey'],
  ['by hand, many keys in flat memory', 'by hand, many keys in a Map'],
];

/**
 * What a request costs a server in CPU time, two apps at a time in one process. If bare against
 * bare is so far from 1 that no ratio means anything, all is measured again, and in the end nothing
 * but that is kept.
 */
export async function measureHttp(options, place, progress) {
  for (let attempt = 1; ; attempt++) {
    const pairs = await measurePairs(options, place, progress);
    const own = pairs.find(({ name }) => name === control);
    const [least, most] = options.controlRange;
    const isValid = own.ratio.median >= least && own.ratio.median <= most;
    const found = { attempts: attempt, isValid, controlRange: options.controlRange };
    if (isValid) return { ...found, pairs };
    progress(`HTTP, Node ${place.version}: void, the control is ${own.ratio.median.toFixed(2)}`);
    if (attempt === options.attempts) return { ...found, pairs: [own] };
  }
}

async function measurePairs({ processes, isWhole, ...options }, place, progress) {
  const pairs = isWhole ? [...judged, ...others] : judged;
  const runs = new Map(pairs.map((names) => [names.join('|'), []]));
  for (let count = 0; count < processes; count++) {
    for (const names of shuffled(pairs)) {
      const own = { ...options, names, clientCore: place.clientCore };
      const flags = ['--max-old-space-size=6000'];
      runs
        .get(names.join('|'))
        .push(await runOnce('http/pair-server.js', own, { ...place, flags }));
    }
    progress(`HTTP, Node ${place.version}: ${count + 1} of ${processes} processes for each app`);
  }
  return pairs.map(([against, name]) => {
    const own = runs.get(`${against}|${name}`);
    return {
      against,
      name,
      ratio: spreadOf(own.map(({ ratio }) => ratio)),
      perRequestUs: spreadOf(own.map(({ perRequestUs }) => perRequestUs[1])),
      windows: own.reduce((sum, { windows }) => sum + windows, 0),
    };
  });
}
