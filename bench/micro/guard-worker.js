// One process: the floor and the guard on tables of several sizes, admitted and refused.
import { environmentGuard, floor, managedGuard } from './handlers.js';
import { makeKeys } from './keys.js';
import { measure } from './measure.js';
import { requestMaker } from './requests.js';

const { source, sizes, ...options } = JSON.parse(process.argv[2]);

let admitted = 0;
const next = () => {
  admitted++;
};

const subject = (name, handler, prepare, isAdmitted) => ({
  name,
  prepare,
  run(inputs) {
    for (const { req, res } of inputs) handler(req, res, next);
  },
  check(inputs) {
    if (admitted !== (isAdmitted ? inputs.length : 0))
      throw new Error(`${name}: ${admitted} admitted`);
    admitted = 0;
  },
});

const unknownKeys = makeKeys(10_000);
const presentUnknown = requestMaker(unknownKeys);
const subjects = [];
for (const size of sizes) {
  const keys = makeKeys(size);
  const present = requestMaker(keys);
  const byHand = floor(keys);
  const guard =
    source === 'environment'
      ? environmentGuard(keys, `BENCH_${size}_KEYS`)
      : await managedGuard(keys, unknownKeys);
  subjects.push(
    subject(`floor, ${size}`, byHand, present, true),
    subject(`guard, ${size}`, guard, present, true),
    subject(`floor refused, ${size}`, byHand, presentUnknown, false),
    subject(`guard refused, ${size}`, guard, presentUnknown, false),
  );
  if (size === sizes[0]) {
    subjects.push(
      subject(`floor without headers, ${size}`, floor(keys, { setsHeaders: false }), present, true),
    );
  }
}
process.send(await measure(subjects, options));
process.disconnect();
