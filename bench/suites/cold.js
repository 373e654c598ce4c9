import { runOnce, spreadOf } from './processes.js';

const select = 'pooled select';

/** Keys that a process has not met, by how many are under way at a time. */
export async function measureCold({ url, keys }, { underWay, rounds, durationMs }, place) {
  const options = { url, keys, underWay, rounds, durationMs };
  const { found, own } = await runOnce('postgres/cold-worker.js', options, place);
  const byCount = underWay.map((count) => {
    const turns = found.filter((each) => each.count === count).map(({ results }) => results);
    const contestants = Object.keys(turns[0]).map((name) => {
      const spread = (field) => spreadOf(turns.map((turn) => turn[name][field]));
      const against = (field) =>
        spreadOf(turns.map((turn) => turn[name][field] / turn[select][field]));
      return {
        name,
        perSecond: spread('perSecond'),
        cpuUs: spread('cpuUs'),
        statements: spread('statements'),
        p50Ms: spread('p50Ms'),
        rateAgainstSelect: against('perSecond'),
        cpuAgainstSelect: against('cpuUs'),
      };
    });
    return { count, contestants };
  });
  const kept = spreadOf(own.map(({ quiet, flooded }) => flooded.perSecond / quiet.perSecond));
  return { byCount, own: { kept, p50Ms: spreadOf(own.map(({ flooded }) => flooded.p50Ms)) } };
}
