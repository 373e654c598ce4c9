import { runOnce, spreadOf } from './processes.js';

const select = 'pooled select';
const known = 'a key in the table';

/** Keys that a process has not met, by how many are under way at a time. */
export async function measureCold(
  { url, sqlitePath, keys },
  { underWay, rounds, durationMs },
  place,
) {
  const options = { url, sqlitePath, keys, underWay, rounds, durationMs };
  const { found, own } = await runOnce('postgres/cold-worker.js', options, place);
  const byCount = underWay.map((count) => {
    const turns = found.filter((each) => each.count === count).map(({ results }) => results);
    const contestants = Object.keys(turns[0]).map((name) => {
      const spread = (field) => spreadOf(turns.map((turn) => turn[name][field]));
      const against = (other, field) =>
        spreadOf(turns.map((turn) => turn[name][field] / turn[other][field]));
      return {
        name,
        perSecond: spread('perSecond'),
        cpuUs: spread('cpuUs'),
        statements: spread('statements'),
        p50Ms: spread('p50Ms'),
        rateAgainstSelect: against(select, 'perSecond'),
        cpuAgainstSelect: against(select, 'cpuUs'),
        rateAgainstKnown: against(known, 'perSecond'),
      };
    });
    return { count, contestants };
  });
  const kept = spreadOf(own.map(({ quiet, flooded }) => flooded.perSecond / quiet.perSecond));
  const p50Ms = (turn) => spreadOf(own.map((each) => each[turn].p50Ms));
  return { byCount, own: { kept, quietP50Ms: p50Ms('quiet'), floodedP50Ms: p50Ms('flooded') } };
}
