import { createElement } from './page.js';

const dayMs = 86_400_000;
const [barWidth, gap, height] = [3, 1, 28];
const numbers = new Intl.NumberFormat();
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });

function createSvg(tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** The counts of an answer of `usage`, by key id. */
export function groupUsage({ usage, from, to }) {
  const byKey = new Map();
  for (const count of usage) {
    const counts = byKey.get(count.keyId) ?? new Map();
    byKey.set(count.keyId, counts.set(count.day, count));
  }
  const days = [];
  for (let ms = Date.parse(from); ms <= Date.parse(to); ms += dayMs)
    days.push(new Date(ms).toISOString().slice(0, 10));
  return { byKey, days };
}

/**
 * The uses of a key by day: a picture, and its figures as text beside it. Nothing if there are
 * none.
 */
export function createChart({ byKey, days }, keyId) {
  const counts = byKey.get(keyId);
  if (!counts) return undefined;
  const read = (day) => counts.get(day) ?? { admitted: 0, refused: 0 };
  const highest = Math.max(...days.map((day) => read(day).admitted + read(day).refused));
  const sumOf = (field) => days.reduce((sum, day) => sum + read(day)[field], 0);
  const bars = days.flatMap((day, index) => {
    const { admitted, refused } = read(day);
    const [tall, low] = [admitted + refused, refused].map((count) =>
      count === 0 ? 0 : Math.max(1, Math.round((count / highest) * height)),
    );
    const x = index * (barWidth + gap);
    return [
      createBar('admitted', { x, y: height - tall, height: tall - low }),
      createBar('refused', { x, y: height - low, height: low }),
    ];
  });
  const width = days.length * (barWidth + gap) - gap;
  const picture = createSvg(
    'svg',
    { class: 'chart', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    ...bars.filter((bar) => bar !== undefined),
  );
  const used = days.filter((day) => counts.has(day)).toReversed();
  return createElement(
    'details',
    { className: 'uses' },
    createElement(
      'summary',
      {},
      picture,
      createElement(
        'span',
        {},
        `${describeCounts(sumOf('admitted'), sumOf('refused'))} in ${days.length} days`,
      ),
    ),
    createElement(
      'ul',
      { role: 'list' },
      ...used.map((day) => {
        const { admitted, refused } = read(day);
        return createElement(
          'li',
          {},
          `${dayFormat.format(new Date(day))}: ${describeCounts(admitted, refused)}`,
        );
      }),
    ),
  );
}

const createBar = (name, place) =>
  place.height > 0 ? createSvg('rect', { class: name, width: barWidth, ...place }) : undefined;

function describeCounts(admitted, refused) {
  const uses = `${numbers.format(admitted)} ${admitted === 1 ? 'use' : 'uses'}`;
  return refused === 0 ? uses : `${uses}, ${numbers.format(refused)} refused`;
}
