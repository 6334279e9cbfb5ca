// Photographs as they stand everywhere on the page: a tile, a caption, a bar for a probability.
import { photograph, thumbnail } from "./api.js";
import { h } from "./dom.js";
import { day, describe, fileName, percent } from "./words.js";

/** A bar as long as a share. */
export function bar(share, mark = null) {
  const inner = h("i", { style: { width: `${Math.round((share ?? 0) * 100)}%` } });
  const stroke = mark === null || mark === undefined ? null : h("b", { style: { left: `${mark * 100}%` } });
  return h("span", { class: "bar", "aria-hidden": "true" }, inner, stroke);
}

/** A small picture of a row of the catalog. */
export function picture(image, attributes = {}) {
  return h("img", { src: thumbnail(image.id), alt: describe(image), loading: "lazy", decoding: "async", ...attributes });
}

/** A large one; where the photograph is gone, the small one stands in. */
export function largePicture(image, attributes = {}) {
  const shown = h("img", { src: image.here === false ? thumbnail(image.id) : photograph(image.id), alt: describe(image), decoding: "async", ...attributes });
  shown.addEventListener("error", () => { if (!shown.src.endsWith("/thumbnail")) shown.src = thumbnail(image.id); }, { once: true });
  return shown;
}

/** What stands under a photograph. */
export function caption(image, ...more) {
  const about = [image.label, image.author, day(image.timestamp)].filter(Boolean).join(" · ");
  return h("span", { class: "caption" }, ...more, about ? h("span", { class: "name" }, about) : h("span", { class: "name quiet" }, fileName(image.name)));
}

/** A photograph in its frame that leads somewhere. */
export function framed(image, href, ...over) {
  return h("a", { href, "data-route": true, class: "frame" }, picture(image), ...over);
}

/** A tile that leads to the look-alikes of a photograph. */
export function tile(image, href, ...more) {
  return h("li", { class: "photo" }, framed(image, href), caption(image, ...more));
}

/** How likely an answer is right, its parts, and a bar. */
export function likely(match) {
  if (match.probability === null) return [h("span", { class: "quiet" }, `distance ${match.distance.toFixed(3)}`)];
  const parts = Object.entries(match.parts).map(([name, share]) => `${name} ${match.unknown.includes(name) ? "unknown" : percent(share)}`);
  return [
    bar(match.probability),
    h("strong", {}, percent(match.probability)),
    parts.length ? h("span", { class: "quiet" }, ` ${parts.join(" · ")}`) : null,
  ];
}
