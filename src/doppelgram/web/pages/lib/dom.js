// Elements are built, never parsed from text, so that no name or label of a photograph can become part of the page.

/** An element. Attributes whose value is false or null are left out; functions are listeners; the rest is text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") Object.assign(element.style, value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A link to another view of this page. */
export function link(href, ...children) {
  return h("a", { href, "data-route": true }, ...children);
}

/** Something is missing or went wrong: a heading, sentences, and what to do. */
export function emptyPage(title, sentences, ...actions) {
  return h("section", { class: "empty" }, h("h1", {}, title), ...sentences.map((text) => h("p", {}, text)), ...actions);
}

/** A sentence that the visitor should notice. */
export function note(text) {
  return h("div", { class: "note", role: "alert" }, h("p", {}, text));
}
