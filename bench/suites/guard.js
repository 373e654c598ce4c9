import { median } from '../report/statistics.js';
import { runOnce, shuffled, spreadOf } from './processes.js';

/**
 * Young space large enough that the collector seldom comes during a batch; room for a million keys
 * twice.
 */
const flags = ['--min-semi-space-size=16', '--max-old-space-size=6000'];

const sources = ['environment', 'managed'];

/** The guard without sockets, on tables of several sizes, against the floor. */
export async function measureGuard({ processes, sizes, warmMs, rounds }, place) {
  const runs = { environment: [], managed: [] };
  for (let count = 0; count < processes; count++) {
    for (const source of shuffled(sources)) {
      const options = { source, sizes, warmMs, rounds };
      runs[source].push(await runOnce('micro/guard-worker.js', options, { ...place, flags }));
    }
  }
  return Object.fromEntries(sources.map((source) => [source, summarize(runs[source], sizes)]));
}

function summarize(runs, sizes) {
  const [one] = sizes;
  const ratio = (above, below) =>
    spreadOf(
      runs.map((run) => median(run[above].wallNs.map((ns, at) => ns / run[below].wallNs[at]))),
    );
  const times = Object.fromEntries(
    Object.keys(runs[0]).map((name) => [
      name,
      {
        wallNs: spreadOf(runs.map((run) => median(run[name].wallNs))),
        cpuNs: spreadOf(runs.map((run) => median(run[name].cpuNs))),
      },
    ]),
  );
  return {
    times,
    headersAgainstNone: ratio(`floor, ${one}`, `floor without headers, ${one}`),
    bySize: sizes.map((size) => ({
      size,
      againstFloor: ratio(`guard, ${size}`, `floor, ${size}`),
      refusedAgainstFloor: ratio(`guard refused, ${size}`, `floor refused, ${size}`),
      againstOneKey: ratio(`guard, ${size}`, `guard, ${one}`),
      floorAgainstOneKey: ratio(`floor, ${size}`, `floor, ${one}`),
    })),
  };
}
