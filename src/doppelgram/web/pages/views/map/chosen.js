// Photographs that were chosen on the map: a grid beside it, and a table of them.
import { fill, h, note } from "../../lib/dom.js";
import { tile } from "../../lib/photos.js";
import { plural } from "../../lib/words.js";

const PAGE = 24;
const COLUMNS = ["id", "name", "label", "author", "timestamp"];

/** Let the browser keep something under a name. */
export function download(content, name) {
  const href = URL.createObjectURL(content);
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** The table of some photographs as CSV text. */
export function csv(rows) {
  const cell = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column] ?? ""))].map((cells) => cells.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** Fill a place with the grid. */
export async function showChosen(place, positions, pictures, clear, first = PAGE) {
  if (!positions.length) {
    fill(place, h("h2", {}, "Chosen"), h("p", { class: "small quiet" }, "Draw a line around points, with the lasso or with Shift held, to see their photographs here."));
    return;
  }
  try {
    const shown = await pictures.about(positions.slice(0, first));
    const save = async () => {
      try {
        download(new Blob([csv(await pictures.about(positions))], { type: "text/csv" }), "chosen.csv");
      } catch (problem) {
        place.prepend(note(problem.message));
      }
    };
    fill(place,
      h("h2", {}, plural(positions.length, "photograph"), " chosen"),
      h("p", { class: "row" }, h("button", { type: "button", click: save }, "Save as CSV"), h("button", { type: "button", class: "plain", click: clear }, "Clear")),
      h("ul", { class: "photos strip" }, shown.map((image) => tile(image, `/search?image=${encodeURIComponent(image.id)}`))),
      first < positions.length ? h("button", { type: "button", click: () => showChosen(place, positions, pictures, clear, first + 4 * PAGE) }, "Show more") : null);
  } catch (problem) {
    fill(place, note(problem.message));
  }
}
