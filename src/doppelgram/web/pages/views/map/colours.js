// What points are coloured by: groups with a name, a colour and a count.
import { day } from "../../lib/words.js";

const OTHERS = "#8b949e";
const OLD_TO_NEW = ["#3b4fb8", "#2f7fc4", "#2a9fa3", "#4aa564", "#93a52f", "#cf9a2b", "#d4702f", "#c0433f"];
const NAMED = 10;
const PARTS = { train: "Trained on", val: "To choose the best epoch", test: "Kept for the test", extra: "Trained on, never judged" };
export const TITLES = { label: "Label", author: "Author", time: "Time", errors: "Nearest neighbour", part: "Part of the training" };

/** A number 0 to 255 for each point, and the groups that these stand for. */
export function coloured(points, map, by) {
  const numbers = new Uint8Array(points.count);
  let groups;
  if (by === "label" || by === "author") {
    const all = map[`${by}s`].slice(0, NAMED), column = points[by];
    for (let at = 0; at < points.count; at++) numbers[at] = Math.min(column[at], NAMED + 1);
    groups = [{ name: `No ${by}`, colour: OTHERS }, ...all, ...Array(NAMED - all.length).fill({ name: "", colour: OTHERS }), { name: `Other ${by}s`, colour: OTHERS }];
  } else if (by === "time") {
    const first = Date.parse(map.first) / 1000, length = (Date.parse(map.last) / 1000 - first) / OLD_TO_NEW.length || 1;
    for (let at = 0; at < points.count; at++) numbers[at] = points.time[at] ? Math.min(OLD_TO_NEW.length, Math.max(1, 1 + Math.floor((points.time[at] - first) / length))) : 0;
    const from = (bin) => day(new Date((first + bin * length) * 1000).toISOString());
    groups = [{ name: "Time not known", colour: OTHERS }, ...OLD_TO_NEW.map((colour, bin) => ({ name: `from ${from(bin)}`, colour }))];
  } else if (by === "errors") {
    for (let at = 0; at < points.count; at++) numbers[at] = points.flags[at] & 2 ? 2 : points.flags[at] & 1;
    groups = [{ name: "Not compared", colour: OTHERS }, { name: "Has the same label", colour: "#3b7dd8" }, { name: "Has another label", colour: "#c8503f" }];
  } else if (by === "part") {
    for (let at = 0; at < points.count; at++) numbers[at] = points.flags[at] >> 3;
    groups = [{ name: "Not known to the training", colour: OTHERS }, ...map.parts.map((name, at) => ({ name: PARTS[name] ?? name, colour: ["#3b7dd8", "#cf9a2b", "#c0433f", "#8a63c9"][at % 4] }))];
  } else groups = [{ name: "Photographs", colour: "#3b7dd8" }];
  const counts = new Uint32Array(groups.length);
  for (let at = 0; at < points.count; at++) if (!(points.flags[at] & 4)) counts[numbers[at]] += 1;
  return { numbers, groups: groups.map((group, number) => ({ ...group, number, count: counts[number] })) };
}

/** Show the points whose group is not hidden; those whose photograph is gone stay hidden. */
export function hide(points, numbers, hidden) {
  const seen = Uint8Array.from({ length: 256 }, (_, number) => (hidden.has(number) ? 0 : 1));
  for (let at = 0; at < points.count; at++) points.shown[at] = points.flags[at] & 4 ? 0 : seen[numbers[at]];
}
