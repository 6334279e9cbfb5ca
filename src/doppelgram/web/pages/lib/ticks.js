// Where the strokes of an axis stand: few of them, at round numbers and dates.

const DAY = 86400000;
const MONTH = { month: "short", year: "numeric", timeZone: "UTC" };

/** Round numbers between two ends, about so many. */
export function ticks(low, high, count = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/** Round moments between two, in milliseconds, with what is written there: [[moment, text]]. */
export function timeTicks(first, last, count = 5) {
  const days = (last - first) / DAY / count;
  const found = [];
  if (days < 25) {
    const step = [1, 2, 5, 10, 14].find((size) => size >= days) ?? 14;
    for (let at = Math.ceil(first / DAY) * DAY; at <= last; at += step * DAY) {
      found.push([at, new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" })]);
    }
    return found;
  }
  const months = [1, 2, 3, 6, 12, 24, 60, 120].find((size) => size * 30.4 >= days) ?? 240;
  const start = new Date(first);
  for (let month = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months; ; month += months) {
    const moment = Date.UTC(Math.floor(month / 12), month % 12);
    if (moment > last) break;
    if (moment >= first) found.push([moment, months % 12 ? new Date(moment).toLocaleDateString("en-GB", MONTH) : String(Math.floor(month / 12))]);
  }
  return found;
}
