// Numbers that explain themselves: a word whose meaning shows when one points at it or tabs to it, and stands below as text.
import { h } from "./dom.js";

let count = 0;

/** A word and what it means. */
export function term(text, meaning) {
  if (!meaning) return h("span", {}, text);
  const id = `meaning-${++count}`;
  return h("span", { class: "term", tabindex: "0", "aria-describedby": id }, text, h("span", { class: "tip", role: "tooltip", id }, meaning));
}

/**
 * A table: columns are [heading, meaning, cell(row), numeric]; what the headings mean stands under it, too.
 */
export function explained(title, columns, rows) {
  const meanings = columns.filter(([, meaning]) => meaning);
  return h("section", {},
    h("h2", {}, title),
    h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": title },
      h("table", {},
        h("thead", {}, h("tr", {}, columns.map(([heading, , , numeric]) => h("th", { scope: "col", class: numeric ? "n" : "" }, heading)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([, , cell, numeric]) => h("td", { class: numeric ? "n" : "" }, cell(row)))))))),
    meanings.length ? words(meanings.map(([heading, meaning]) => [heading, meaning])) : null);
}

/** What words mean, folded away. */
export function words(pairs, title = "What these numbers mean") {
  return h("details", { class: "small" }, h("summary", {}, title), h("dl", { class: "meanings" }, pairs.flatMap(([name, meaning]) => [h("dt", {}, name), h("dd", {}, meaning)])));
}
