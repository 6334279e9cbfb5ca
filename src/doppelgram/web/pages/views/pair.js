// Two photographs side by side: skeletons, what covers the place, lines of the same view, and the verdict in words.
import { get } from "../lib/api.js";
import { emptyPage, fill, h, note } from "../lib/dom.js";
import { bar, largePicture } from "../lib/photos.js";
import { state } from "../lib/state.js";
import { describe, fileName, percent } from "../lib/words.js";

// Joints as the server orders them: nose, neck, right arm, left arm, right leg, left leg, eyes, ears.
const BONES = [[1, 2], [2, 3], [3, 4], [1, 5], [5, 6], [6, 7], [1, 8], [8, 9], [9, 10], [1, 11], [11, 12], [12, 13], [1, 0], [0, 14], [14, 16], [0, 15], [15, 17]];
const LAYERS = [["skeletons", "Skeletons"], ["covered", "Covered by people"], ["lines", "Same view"]];

export async function show(root, context) {
  const asked = state();
  if (!asked.b || !(asked.a || asked.query)) {
    fill(root, emptyPage("No two photographs yet", ["Search for look-alikes and choose “Why?” under one of them."]));
    return undefined;
  }
  fill(root, h("p", { class: "lead", role: "status" }, "Comparing the two photographs …"));
  const about = (id) => get(`/images/${encodeURIComponent(id)}/facts`);
  const second = await about(asked.b);
  const first = asked.a ? await about(asked.a) : null;
  const found = asked.a
    ? await get(`/pair/${encodeURIComponent(asked.a)}/${encodeURIComponent(asked.b)}`)
    : await get(`/pair/${encodeURIComponent(asked.b)}`, { query: asked.query });
  const sides = [first ? side(first) : broughtSide(context), side(second)];
  const canvas = h("canvas", { "aria-hidden": "true" });
  const shown = new Set(LAYERS.map(([name]) => name).filter((name) => name !== "covered"));
  const pair = h("div", { class: "pair" }, ...sides.map((one) => one.figure), canvas);
  const draw = () => paint(canvas, pair, sides, found, shown);
  const there = { skeletons: found.sides.some((one) => one.people.length), covered: found.sides.some((one) => one.covered.length), lines: found.lines.length };
  const layers = LAYERS.filter(([name]) => there[name]).map(([name, title]) => {
    const box = h("input", { type: "checkbox", checked: shown.has(name), change: () => { if (box.checked) shown.add(name); else shown.delete(name); draw(); } });
    return h("label", { class: "row" }, box, title);
  });
  fill(root,
    h("div", { class: "verdict" }, h("h1", {}, found.verdict), found.probability === null ? null : h("span", { class: "lead" }, `${percent(found.probability)} likely the same`)),
    layers.length ? h("div", { class: "row", role: "group", "aria-label": "What is drawn over the photographs" }, layers) : null,
    pair,
    found.missing ? note(found.missing) : null,
    measures(found),
    h("div", { class: "columns" },
      h("section", {}, h("h2", {}, "Why"), ...found.why.map((text) => h("p", {}, text)), found.mirrored ? h("p", {}, "The second person was compared as in a mirror.") : null),
      found.limbs.length ? table("Limbs", "Degrees between the directions of the same limb in both photographs; below 25 is alike.", ["limb", "degrees"], found.limbs.map((limb) => [limb.name, Math.round(limb.degrees)])) : null,
      found.joints.length ? table("Joints", "How far each joint is from its partner, torsos laid over each other, in lengths of the torso.", ["joint", "distance"], found.joints.map((joint) => [joint.name.replace(/^r_/, "right ").replace(/^l_/, "left "), joint.distance.toFixed(2)])) : null));
  const observer = new ResizeObserver(draw);
  observer.observe(pair);
  for (const one of sides) one.image.addEventListener("load", draw);
  return () => observer.disconnect();
}

function side(facts) {
  const image = largePicture(facts);
  return { image, figure: h("figure", {}, h("div", { class: "frame" }, image), h("figcaption", {}, describe(facts), facts.here ? null : h("span", { class: "quiet" }, ". The photograph itself is gone; this is the small picture that the catalog keeps."))) };
}

function broughtSide(context) {
  const image = h("img", { src: context.brought?.address ?? "", alt: "The photograph that you brought" });
  return { image, figure: h("figure", {}, h("div", { class: "frame" }, image), h("figcaption", {}, context.brought ? fileName(context.brought.name) : "The photograph that you brought")) };
}

function measures(found) {
  const rows = [...Object.entries(found.parts).map(([name, share]) => [`Same ${name}`, share, null]), ["Both", found.probability, found.threshold]];
  if (found.probability === null) return null;
  return h("div", { class: "measures" }, rows.map(([name, share, mark]) => h("div", {}, h("strong", {}, `${found.parts.place === undefined && name === "Both" ? "The same" : name}: ${percent(share)}`), bar(share, mark), mark === null ? null : h("span", { class: "small quiet" }, "the stroke: from here on the same"))));
}

function table(title, text, heads, rows) {
  return h("section", {}, h("h2", {}, title), h("p", { class: "quiet small" }, text), h("div", { class: "wide" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((head, column) => h("th", { scope: "col", class: column ? "n" : "" }, head)))), h("tbody", {}, rows.map(([name, value]) => h("tr", {}, h("td", {}, name), h("td", { class: "n" }, String(value))))))));
}

/** Where the photograph itself lies within its frame, in pixels of the pair. */
function placeOf(image, origin) {
  const box = image.getBoundingClientRect();
  const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
  const width = image.naturalWidth * scale, height = image.naturalHeight * scale;
  return { x: box.left - origin.left + (box.width - width) / 2, y: box.top - origin.top + (box.height - height) / 2, width, height };
}

function paint(canvas, pair, sides, found, shown) {
  const origin = pair.getBoundingClientRect();
  const ratio = devicePixelRatio || 1;
  canvas.width = origin.width * ratio;
  canvas.height = origin.height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  if (sides.some((one) => !one.image.naturalWidth)) return;
  const places = sides.map((one) => placeOf(one.image, origin));
  found.sides.forEach((one, number) => {
    const at = places[number];
    if (shown.has("covered")) veil(pen, at, one.covered);
    if (shown.has("skeletons")) one.people.forEach((person, index) => skeleton(pen, at, person, index === one.shown));
  });
  if (!shown.has("lines")) return;
  pen.lineWidth = 1;
  found.lines.forEach(([xa, ya, xb, yb], index) => {
    pen.strokeStyle = pen.fillStyle = `hsl(${(index * 47) % 360} 90% 62%)`;
    const from = [places[0].x + xa * places[0].width, places[0].y + ya * places[0].height];
    const to = [places[1].x + xb * places[1].width, places[1].y + yb * places[1].height];
    pen.globalAlpha = 0.75;
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
    pen.globalAlpha = 1;
    for (const point of [from, to]) { pen.beginPath(); pen.arc(...point, 2.5, 0, 7); pen.fill(); }
  });
}

function veil(pen, at, rows) {
  if (!rows.length) return;
  pen.fillStyle = "rgb(11 87 164 / 55%)";
  const width = at.width / rows[0].length, height = at.height / rows.length;
  rows.forEach((row, y) => [...row].forEach((cell, x) => { if (cell === "1") pen.fillRect(at.x + x * width, at.y + y * height, width + 0.5, height + 0.5); }));
}

function skeleton(pen, at, person, compared) {
  const point = (joint) => joint && [at.x + joint[0] * at.width, at.y + joint[1] * at.height];
  pen.lineCap = "round";
  // A dark edge under a light line is seen on every photograph.
  for (const [colour, width] of [["rgb(0 0 0 / 65%)", compared ? 7 : 4], [compared ? "#ffd24d" : "#cfd6dd", compared ? 4 : 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    for (const [from, to] of BONES) {
      if (!person[from] || !person[to]) continue;
      pen.beginPath();
      pen.moveTo(...point(person[from]));
      pen.lineTo(...point(person[to]));
      pen.stroke();
    }
  }
}
