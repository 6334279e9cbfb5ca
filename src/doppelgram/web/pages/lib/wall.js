// Photographs along time: in equal parts of it, so that none covers another; where several fall together, a stack.
import { thumbnail } from "./api.js";
import { fill, h } from "./dom.js";
import { timeTicks } from "./ticks.js";
import { day, plural } from "./words.js";

/** Room that one photograph takes along the axis, in pixels. */
export const STEP = 48;

/** How many parts of time fit a width. */
export const partsOf = (width) => Math.max(4, Math.min(60, Math.floor(width / STEP)));

/** The axis of time: strokes at round dates, as shares of the width. */
export function axis(first, last, width) {
  const [from, to] = [new Date(first).getTime(), new Date(last).getTime()];
  const span = Math.max(1, to - from);
  const marks = timeTicks(from, to, Math.max(2, Math.floor(width / 120)));
  return h("div", { class: "time-axis", "aria-hidden": "true" }, marks.map(([at, text]) => h("span", { style: { left: `${((at - from) / span) * 100}%` } }, text)));
}

/** One photograph of a row, or a stack of several. `bin` is {at, posts, image, author, timestamp, origin}. */
export function pin(bin, parts, href, name) {
  const when = day(bin.timestamp);
  const said = bin.posts > 1 ? `${plural(bin.posts, "post")} from ${when} on, the ${bin.origin ? "likely origin" : "first"} by ${bin.author || "an unknown author"}` : `${bin.origin ? "Likely origin" : "Post"} by ${bin.author || "an unknown author"}, ${when}`;
  return h("a", { href, "data-route": true, class: `pin${bin.posts > 1 ? " stack" : ""}${bin.origin ? " origin" : ""}`, style: { left: `${(bin.at / parts) * 100}%` }, title: said },
    bin.image ? h("img", { src: thumbnail(bin.image), alt: `${name}: ${said}`, loading: "lazy", decoding: "async" }) : h("span", { class: "gone" }, said),
    bin.posts > 1 ? h("b", { "aria-hidden": "true" }, String(bin.posts)) : null);
}

/**
 * Posts in equal parts of time, drawn again when the width changes: columns of at most `most` photographs, the rest counted.
 * posts: [{image, timestamp, author, kind}] in order of time.
 */
export function columns(posts, most, hrefOf) {
  const place = h("div", { class: "columns-of-time" });
  const dated = posts.filter((post) => post.timestamp && post.status === "traced");
  const element = h("div", { class: "time" }, place);
  let parts = 0;
  function draw() {
    const now = partsOf(element.clientWidth);
    if (now === parts || !dated.length) return;
    parts = now;
    const [from, to] = [new Date(dated[0].timestamp).getTime(), new Date(dated.at(-1).timestamp).getTime()];
    const bins = Array.from({ length: parts }, () => []);
    for (const post of dated) bins[Math.min(parts - 1, Math.floor(((new Date(post.timestamp) - from) / Math.max(1, to - from)) * parts))].push(post);
    fill(place, bins.map((bin) => h("div", { class: "column" },
      bin.length > most ? h("span", { class: "more small", title: `${bin.length - most} more posts at this time stand in the list below` }, `+${bin.length - most}`) : null,
      bin.slice(0, most).reverse().map((post) => h("a", { href: hrefOf(post), "data-route": true, class: `thumb ${post.kind}`, title: post.said }, post.image ? h("img", { src: thumbnail(post.image), alt: post.said, loading: "lazy", decoding: "async" }) : h("span", { class: "gone" }, "gone"))))));
    element.querySelector(".time-axis")?.remove();
    element.append(axis(dated[0].timestamp, dated.at(-1).timestamp, element.clientWidth));
  }
  const observer = new ResizeObserver(draw);
  observer.observe(element);
  return { element, close: () => observer.disconnect() };
}
