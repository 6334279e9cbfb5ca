// Charts of lines: few strokes on the axes, values read by pointing or with the arrow keys.
import { fill, h } from "./dom.js";
import { path, s } from "./svg.js";
import { ticks } from "./ticks.js";

const LEFT = 46, RIGHT = 12, TOP = 10, BOTTOM = 26;

/**
 * A chart that fits itself to its width.
 *
 * lines: [{name, points: [[x, y]], look: number or word, dashed}]; band: [[x, low, high]] or null.
 * x, y: {format, marks(low, high) -> [[value, text]]}; both may be left out. label says what it is to those who do not see it.
 * Returns {element, update(lines), close}; `update` draws other values and keeps what is being read.
 */
export function lineChart({ lines, band = null, x = {}, y = {}, label, height = 220, fromZero = false }) {
  const xOf = x.format ?? ((value) => String(value));
  const yOf = y.format ?? ((value) => (Math.abs(value) < 1000 ? String(Number(value.toPrecision(3))) : Math.round(value).toLocaleString("en")));
  const drawing = s("svg", { class: "chart-drawing", role: "img", tabindex: "0", "aria-label": label, height });
  const readout = h("p", { class: "readout small", "aria-live": "polite" }, "\u00a0");
  const legend = h("ul", { class: "legend" });
  const element = h("figure", { class: "chart" }, drawing, legend, readout);
  let xs = [], left = 0, right = 1, low = 0, high = 1;
  let dots = [];

  function take(given) {
    lines = given;
    fill(legend, lines.map((line) => h("li", {}, swatch(line), line.name)), band ? h("li", {}, h("span", { class: "swatch band" }), "95 % of the shuffles") : null);
    dots = lines.map((line) => s("circle", { r: 3.5, class: `dot ${look(line)}` }));
    const known = lines.flatMap((line) => line.points.filter(([, value]) => value !== null));
    const every = [...known.map(([, value]) => value), ...(band ?? []).flatMap(([, least, most]) => [least, most])];
    xs = [...new Set(known.map(([at]) => at))].sort((a, b) => a - b);
    if (!xs.length) return;
    [left, right] = [xs[0], xs.at(-1) > xs[0] ? xs.at(-1) : xs[0] + 1];
    [low, high] = [Math.min(...every), Math.max(...every)];
    if (fromZero) low = Math.min(0, low);
    if (high <= low) high = low + 1;
    const room = (high - low) * 0.06;
    [low, high] = [low === 0 ? 0 : low - room, high + room];
  }
  let width = 0;
  const across = (value) => LEFT + ((value - left) / (right - left)) * (width - LEFT - RIGHT);
  const up = (value) => height - BOTTOM - ((value - low) / (high - low)) * (height - TOP - BOTTOM);
  const cursor = s("line", { class: "cursor", y1: TOP, y2: height - BOTTOM });
  let at = -1;

  function draw() {
    if (!width) return;
    const rows = ticks(low, high, 4);
    const columns = x.marks ? x.marks(left, right, Math.max(2, Math.floor(width / 110))) : ticks(left, right, Math.max(2, Math.floor(width / 110))).map((value) => [value, xOf(value)]);
    drawing.setAttribute("width", width);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.replaceChildren(
      ...rows.map((value) => s("g", {}, s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: up(value), y2: up(value) }), s("text", { class: "axis", x: LEFT - 6, y: up(value) + 4, "text-anchor": "end" }, yOf(value)))),
      ...columns.map(([value, text]) => s("text", { class: "axis", x: across(value), y: height - 8, "text-anchor": across(value) > width - 40 ? "end" : across(value) < LEFT + 10 ? "start" : "middle" }, text)),
      ...(band ? [s("path", { class: "band", d: `${path([...band.map(([when, , most]) => [across(when), up(most)]), ...[...band].reverse().map(([when, least]) => [across(when), up(least)])])}Z` })] : []),
      ...lines.map((line) => s("path", { class: `line ${look(line)}`, "stroke-dasharray": line.dashed ? "5 4" : null, d: path(line.points.map(([when, value]) => [across(when), value === null ? null : up(value)])) })),
      ...lines.filter((line) => line.points.length === 1).map((line) => s("circle", { r: 3, class: `dot ${look(line)}`, cx: across(line.points[0][0]), cy: up(line.points[0][1] ?? low) })),
    );
    if (at >= 0) read(at);
    else readout.textContent = said(xs.length - 1);
  }

  /** The values at one step, in words. */
  function said(index) {
    if (!xs.length) return "Nothing to draw yet.";
    const when = xs[index];
    const values = lines.map((line) => [line.name, line.points.find(([value]) => value === when)?.[1] ?? null]).filter(([, value]) => value !== null).map(([name, value]) => `${name} ${yOf(value)}`);
    const between = (band ?? []).find(([value]) => value === when);
    return [`${xOf(when)}: ${values.join(", ")}`, between ? `95 % of the shuffles ${yOf(between[1])} to ${yOf(between[2])}` : ""].filter(Boolean).join("; ");
  }

  /** Mark one step, and say its values. */
  function read(index) {
    if (!xs.length) return;
    at = Math.max(0, Math.min(xs.length - 1, index));
    const when = xs[at];
    readout.textContent = said(at);
    cursor.setAttribute("x1", across(when));
    cursor.setAttribute("x2", across(when));
    drawing.append(cursor);
    lines.forEach((line, number) => {
      const value = line.points.find(([each]) => each === when)?.[1] ?? null;
      if (value === null) { dots[number].remove(); return; }
      dots[number].setAttribute("cx", across(when));
      dots[number].setAttribute("cy", up(value));
      drawing.append(dots[number]);
    });
  }

  drawing.addEventListener("pointermove", (event) => {
    const value = left + ((event.clientX - drawing.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT)) * (right - left);
    read(xs.reduce((best, each, index) => (Math.abs(each - value) < Math.abs(xs[best] - value) ? index : best), 0));
  });
  drawing.addEventListener("keydown", (event) => {
    const last = xs.length - 1;
    const next = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at < 0 ? last : at + 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    read(next);
  });
  const observer = new ResizeObserver(() => {
    const now = Math.max(220, Math.floor(element.clientWidth));
    if (now === width) return;
    width = now;
    draw();
  });
  observer.observe(element);
  take(lines);
  return { element, update: (given) => { take(given); draw(); }, close: () => observer.disconnect() };
}

const look = (line) => `look-${line.look ?? 0}`;
const swatch = (line) => s("svg", { class: "swatch", width: 22, height: 10, "aria-hidden": "true" }, s("path", { class: `line ${look(line)}`, "stroke-dasharray": line.dashed ? "5 4" : null, d: "M1 5L21 5" }));
