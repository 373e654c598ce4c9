import { runOnce, shuffled, spreadOf } from './processes.js';

export const control = 'bare again';

const pairs = [
  ['bare', control],
  ['bare', 'an empty layer'],
  ['bare', 'guarded, environment'],
  ['bare', 'guarded, managed'],
  ['bare', 'guarded, refused'],
  ['bare', 'passport-headerapikey'],
  ['passport-headerapikey', 'guarded, environment'],
  ['bare', 'better-auth'],
];

/** What a request costs a server in CPU time, two apps at a time in one process. */
export async function measureHttp({ processes, warmMs, measureMs }, place, progress) {
  const runs = new Map(pairs.map((names) => [names.join('|'), []]));
  for (let count = 0; count < processes; count++) {
    for (const names of shuffled(pairs)) {
      const options = { names, warmMs, measureMs, clientCore: place.clientCore };
      runs.get(names.join('|')).push(await runOnce('http/pair-server.js', options, place));
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

/** Whether bare against bare is so near 1 that the other ratios mean something. */
export function isValid(results) {
  const { median } = results.find(({ name }) => name === control).ratio;
  return median >= 0.97 && median <= 1.03;
}
