/** `2027-01-31 09:30 GMT+1`: local time, to the minute, with its zone. */
export function formatTime(instant: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((each) => each.type === type)?.value;
  return (
    `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} ` +
    `${part('timeZoneName')}`
  );
}
