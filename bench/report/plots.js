import { barChart } from './bars.js';
import { number } from './words.js';

/** The plots that can be made of what was measured, by file name; of the Node that is judged. */
export function renderPlots(measured) {
  const version = measured.judged;
  const plots = {};
  const guard = measured.guard?.[version];
  const peers = measured.peers?.[version];
  if (guard && peers) plots['verification.svg'] = verification(guard, peers, version);
  const postgres = measured.postgres?.[version];
  if (postgres) plots['postgres.svg'] = throughput(postgres.at(-1), version);
  return plots;
}

function verification({ environment, managed }, peers, version) {
  const [{ size }] = environment.bySize;
  const bars = [
    { label: 'floor: digest, Map.get, two headers', ...environment.times[`floor, ${size}`].wallNs },
    {
      label: 'floor without the headers',
      ...environment.times[`floor without headers, ${size}`].wallNs,
    },
    {
      label: 'requireApiKey, environment',
      isOurs: true,
      ...environment.times[`guard, ${size}`].wallNs,
    },
    { label: 'requireApiKey, managed', isOurs: true, ...managed.times[`guard, ${size}`].wallNs },
    ...peers.map(({ peer, wallNs }) => ({ label: peer, ...wallNs })),
  ];
  return barChart({
    title: 'Time to admit a request, without sockets',
    subtitle: `Median, least and greatest of the processes; logarithmic scale. Node ${version}`,
    bars: bars.toSorted((a, b) => a.median - b.median),
    scale: 'log',
    format: (ns) => (ns < 10_000 ? `${number(ns)} ns` : `${number(ns / 1_000)} µs`),
  });
}

function throughput({ rows, contestants }, version) {
  const bars = contestants.map(({ name, perSecond }) => ({
    label: name,
    isOurs: name.startsWith('managed'),
    ...perSecond,
  }));
  return barChart({
    title: `Requests per second of an Express app on a PostgreSQL table of ${rows.toLocaleString('en')} keys`,
    subtitle: `Median, least and greatest of the rounds. Node ${version}`,
    bars: bars.toSorted((a, b) => b.median - a.median),
    scale: 'linear',
    format: (perSecond) => `${number(perSecond)}/s`,
  });
}
