// Numbers and times as people read them.

/** A probability: never 0 % or 100 %, which nobody can promise. */
export function percent(share) {
  if (share === null || share === undefined) return "unknown";
  if (share > 0.995) return "over 99\u00a0%";
  if (share < 0.005) return "under 1\u00a0%";
  return `${Math.round(share * 100)}\u00a0%`;
}

/** A whole number with its thousands apart. */
export const number = (value) => value.toLocaleString("en");

/** A number with some decimals, with a real minus and never "-0.0". */
export const decimal = (value, digits = 1) => (Number(value.toFixed(digits)) + 0).toFixed(digits).replace("-", "\u2212");

/** "1 photograph", "2 photographs". */
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** A p-value or q-value by its name; never 0, which no shuffling can find. */
export const chance = (name, value) => (value < 0.0005 ? `${name} < 0.001` : `${name} = ${value.toFixed(3)}`);

/** A day, or nothing. */
export function day(timestamp) {
  if (!timestamp) return "";
  return new Date(timestamp).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

/** The last part of a path. */
export const fileName = (path) => path.split("/").pop();

/** What a picture shows, for those who do not see it. */
export function describe(image) {
  const about = [image.label && `labelled ${image.label}`, image.author && `by ${image.author}`, day(image.timestamp)];
  return [`Photograph ${fileName(image.name)}`, ...about.filter(Boolean)].join(", ");
}
