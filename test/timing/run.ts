// `npm run test:timing`: looks for leaks through time, and at whether it would see one. Minutes
// long, and no part of `npm test`.
import { comparisons } from './comparisons.js';
import { alarmAt, judge } from './judge.js';
import { repeat } from './repeat.js';

const repetitions = 8;
const tablesPerRepetition = Number(process.env['TIMING_TABLES'] ?? 200);

// Until everything is compiled.
await repeat(20);
const measured: Awaited<ReturnType<typeof repeat>>[] = [];
for (let repetition = 1; repetition <= repetitions; repetition++) {
  measured.push(await repeat(tablesPerRepetition));
  console.error(`${repetition} of ${repetitions}`);
}

const rows = comparisons.map(({ check, by, expected }, index) => {
  const { verdict, mean, standardError, t, alone } = judge(measured.map((each) => each[index]!));
  return {
    check,
    'classes differ in': by,
    expected: expected ?? '-',
    found: verdict,
    'last - first, ns': Number(mean.toFixed(2)),
    't together': Number(t.toFixed(1)),
    'would see, ns': Number((alarmAt * standardError).toFixed(2)),
    't of each repetition': alone.map((each) => each.toFixed(1)).join(' '),
  };
});
console.table(rows);
process.exitCode = rows.every(({ expected, found }) => expected === '-' || expected === found)
  ? 0
  : 1;
