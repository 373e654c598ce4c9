/** Numbers as people read them: three digits that mean something. */
export function number(value) {
  if (value === 0) return '0';
  if (Math.abs(value) >= 1_000)
    return new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(value);
  return String(Number(value.toPrecision(value < 1 ? 2 : 3)));
}

/** A median with its least and greatest value. */
export const spread = ({ median, low, high }) =>
  `${number(median)} (${number(low)} to ${number(high)})`;

export const microseconds = ({ median }) => `${number(median / 1_000)} µs`;

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
