const width = 860;
const labelWidth = 290;
const valueWidth = 150;
const rowHeight = 30;
const top = 64;

const escape = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

/**
 * A chart of horizontal bars, each from the axis to a median, with a line from its least to its
 * greatest value.
 *
 * @param bars `{ label, median, low, high, isOurs }`
 * @param scale `log`, from the power of ten below the least value, or `linear`, from 0
 */
export function barChart({ title, subtitle, bars, scale, format }) {
  const place = placement(bars, scale);
  const height = top + bars.length * rowHeight + 16;
  const rows = bars.map((bar, index) => row(bar, top + index * rowHeight, place, format));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .subtitle { fill: #59636e }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  .spread { stroke: #1f2328 }
</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text class="title" x="16" y="26">${escape(title)}</text>
<text class="subtitle" x="16" y="46">${escape(subtitle)}</text>
${rows.join('\n')}
</svg>
`;
}

function placement(bars, scale) {
  const room = width - labelWidth - valueWidth;
  const greatest = Math.max(...bars.map(({ high }) => high));
  if (scale === 'linear') return (value) => (room * value) / greatest;
  const from = Math.floor(Math.log10(Math.min(...bars.map(({ low }) => low))));
  const decades = Math.log10(greatest) - from;
  return (value) => (room * (Math.log10(value) - from)) / decades;
}

function row({ label, median, low, high, isOurs }, y, place, format) {
  const [start, end, least, greatest] = [0, place(median), place(low), place(high)].map((x) =>
    Number((labelWidth + x).toFixed(1)),
  );
  const middle = y + rowHeight / 2;
  return `<text x="${labelWidth - 10}" y="${middle + 4}" text-anchor="end">${escape(label)}</text>
<rect class="${isOurs ? 'ours' : 'bar'}" x="${start}" y="${y + 5}" width="${(end - start).toFixed(1)}" height="${rowHeight - 10}"/>
<line class="spread" x1="${least}" x2="${greatest}" y1="${middle}" y2="${middle}"/>
<text x="${Math.max(end, greatest) + 8}" y="${middle + 4}">${escape(format(median))}</text>`;
}
