// Search: the catalog's photographs, and the look-alikes of one of them or of one that is brought.
import { get } from "../lib/api.js";
import { emptyPage, fill, h, link, note } from "../lib/dom.js";
import { caption, framed, largePicture, likely, tile } from "../lib/photos.js";
import { changed, go, remember, state } from "../lib/state.js";
import { fileName, number, plural } from "../lib/words.js";

const PAGE = 60;
const FILTERS = ["label", "author", "since", "until"];

export async function show(root, context) {
  if (!context.catalog.images) return waiting(root, context);
  const asked = state();
  const results = h("section", { "aria-label": "Photographs", "aria-live": "polite" });
  const panel = h("aside", { class: "panel", "aria-label": "What is searched for" });
  fill(root, context.catalog.left_out ? note(context.catalog.left_out) : null, h("div", { class: "with-panel" }, panel, results));
  const fillPanel = async () => fill(panel, chooser(context), await query(asked, context), controls(asked, context, () => find(results, context)));
  await fillPanel();
  if ((asked.image || asked.query) && !context.catalog.ready) {
    fill(results, h("p", { class: "lead", role: "status" }, "Loading the model and what it knows of the photographs …"));
    await find(results, context);
    context.catalog = await get("/catalog");
    await fillPanel(); // what counts can be chosen only once the model is known
  } else await find(results, context);
  return growing(results, context);
}

/** While photographs are being read, those that are there by now are shown. */
function growing(results, context) {
  let seen = context.catalog.images;
  const look = async (event) => {
    const { image, query } = state();
    if (image || query || ![...event.detail.running, ...event.detail.ended].some((job) => job.kind === "index")) return;
    context.catalog = await get("/catalog");
    if (context.catalog.images === seen) return;
    seen = context.catalog.images;
    if (results.querySelectorAll(".photo").length < PAGE) await find(results, context);
    else if (!FILTERS.some((name) => state()[name])) results.querySelector("h1").textContent = plural(seen, "photograph");
  };
  addEventListener("jobs", look);
  return () => removeEventListener("jobs", look);
}

/** Nothing is indexed yet. */
async function waiting(root, context) {
  const { problem, folder } = context.catalog;
  const failed = (jobs) => fill(root, emptyPage("No photographs could be read", jobs.map((job) => job.message)));
  const jobs = (await get("/jobs")).filter((job) => job.kind === "index");
  if (!folder) fill(root, emptyPage("No photographs here", ["This page was started with trainings alone. To see photographs, start it with a catalog or a folder of them:"], h("p", {}, h("code", {}, "doppelgram serve CATALOG --runs RUNS"))));
  else if (jobs.length && jobs.at(-1).state !== "running") failed(jobs.slice(-1));
  else fill(root, emptyPage("No photographs yet", [problem || (jobs.length ? "The first photographs appear here as soon as they are read. Above stands how far it is." : "This catalog is empty. Put photographs into it with doppelgram index, or start the page with a folder of them."), `This catalog is kept in ${folder}.`]));
  const look = async (event) => {
    if (!event.detail.running.length && !event.detail.ended.length) return;
    context.catalog = await get("/catalog");
    if (context.catalog.images) go("/search");
    else if (event.detail.ended.length) failed(event.detail.ended);
  };
  addEventListener("jobs", look);
  return () => removeEventListener("jobs", look);
}

function chooser(context) {
  const input = h("input", { type: "file", accept: "image/*,.heic,.heif", id: "file", class: "hidden-text", change: () => context.bring(input.files[0]) });
  const button = h("button", { type: "button", class: "main", click: () => input.click() }, "Choose a photograph");
  return h("section", { class: "drop" }, button, h("label", { for: "file", class: "hidden-text" }, "A photograph to search for"), input, h("p", { class: "quiet small" }, "or drop or paste one anywhere, or click one of the catalog. It stays on this machine and is not kept."));
}

/** The photograph that asks, with the faces or people in it to choose from. */
async function query(asked, context) {
  if (asked.image) {
    const facts = await get(`/images/${encodeURIComponent(asked.image)}/facts`);
    const shown = h("div", { class: "asked" }, largePicture(facts));
    return h("section", {}, h("h2", {}, "Look-alikes of"), shown, h("p", { class: "small" }, fileName(facts.name), facts.label ? ` · ${facts.label}` : "", facts.here ? "" : " · the photograph itself is gone"), link("/search", "All photographs"));
  }
  if (asked.query && context.brought?.query === asked.query) {
    const { brought } = context;
    const image = h("img", { src: brought.address, alt: `The photograph that you brought: ${brought.name}` });
    const over = h("div", { class: "over" });
    const shown = h("div", { class: "asked" }, image, over);
    const kind = brought.faces.length > 1 ? "face" : brought.people.length > 1 ? "person" : "";
    const boxes = kind === "face" ? brought.faces : kind === "person" ? brought.people : [];
    boxes.forEach((box, index) => {
      const chosen = Number(asked[kind] || (kind === "face" ? 1 : 0)) === index + 1;
      const place = { left: `${box.left * 100}%`, top: `${box.top * 100}%`, width: `${box.width * 100}%`, height: `${box.height * 100}%` };
      over.append(h("button", { type: "button", class: "box", style: place, "aria-pressed": String(chosen), "aria-label": `Ask with ${kind} ${index + 1}`, click: () => go(changed({ [kind]: chosen && kind === "person" ? "" : index + 1 })) }));
    });
    const fit = () => {
      const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
      const width = image.naturalWidth * scale, height = image.naturalHeight * scale;
      Object.assign(over.style, { width: `${width}px`, height: `${height}px`, left: `${(image.clientWidth - width) / 2}px`, top: `${(image.clientHeight - height) / 2}px` });
    };
    image.addEventListener("load", fit);
    new ResizeObserver(fit).observe(image);
    const remarks = [brought.known ? "This photograph is in the catalog." : "", ...brought.unknown.map((part) => `Nobody was found in it, so its ${part} counts as unknown.`), boxes.length ? `Choose a ${kind} to ask with it alone.` : ""];
    return h("section", {}, h("h2", {}, "Look-alikes of"), shown, h("p", { class: "small" }, brought.name), ...remarks.filter(Boolean).map((text) => h("p", { class: "small quiet" }, text)), link("/search", "All photographs"));
  }
  if (asked.query) return note("The photograph that you brought is no longer kept. Bring it again.");
  return null;
}

function controls(asked, context, find) {
  const { catalog } = context;
  const parts = [];
  let timer;
  const later = (changes) => {
    clearTimeout(timer);
    timer = setTimeout(() => { remember(changes); find(); }, 180);
  };
  if ((asked.image || asked.query) && catalog.model?.parts.length) {
    const value = Number(asked.mix || 0.5);
    const slider = h("input", { type: "range", min: "0", max: "1", step: "0.05", id: "mix", value: String(value), "aria-describedby": "mix-ends", input: () => later({ mix: slider.value === "0.5" ? "" : slider.value }) });
    parts.push(h("div", { class: "field" }, h("label", { for: "mix" }, "What counts"), slider, h("div", { class: "ends", id: "mix-ends" }, h("span", {}, "pose only"), h("span", {}, "both"), h("span", {}, "place only"))));
  }
  const choices = (name, title, values) => {
    if (!values.length) return;
    const list = h("datalist", { id: `${name}-list` }, values.map((each) => h("option", { value: each })));
    const input = h("input", { type: "search", list: `${name}-list`, value: asked[name] ?? "", placeholder: "all", change: () => later({ [name]: input.value }) });
    parts.push(h("div", { class: "field" }, h("label", {}, title, input), list));
  };
  choices("label", "Label", catalog.labels);
  choices("author", "Author", catalog.authors);
  if (catalog.first) {
    for (const [name, title] of [["since", "From"], ["until", "Until"]]) {
      const input = h("input", { type: "date", value: asked[name]?.slice(0, 10) ?? "", min: catalog.first.slice(0, 10), max: catalog.last.slice(0, 10), change: () => later({ [name]: input.value && (name === "until" ? `${input.value}T23:59:59` : input.value) }) });
      parts.push(h("div", { class: "field" }, h("label", {}, title, input)));
    }
  }
  if (!parts.length) return null;
  return h("section", { "aria-label": "Filters" }, h("h2", {}, "Narrow down"), ...parts);
}

let asking = null;
async function find(results, context) {
  asking?.abort();
  asking = new AbortController();
  const asked = state();
  const filters = Object.fromEntries(FILTERS.map((name) => [name, asked[name]]));
  try {
    if (asked.image || asked.query) await alike(results, context, asked, filters, asking.signal);
    else await all(results, context, filters, 0, asking.signal);
  } catch (problem) {
    if (problem.name !== "AbortError") fill(results, note(problem.message));
  }
}

async function alike(results, context, asked, filters, signal) {
  const more = { k: asked.k ?? 24, mix: asked.mix, ...filters };
  const found = asked.image
    ? await get(`/neighbours/${encodeURIComponent(asked.image)}`, more, signal)
    : await get("/search", { query: asked.query, face: asked.face, person: asked.person, ...more }, signal);
  const { model } = context.catalog;
  const pairOf = (match) => (asked.image ? `/pair?a=${encodeURIComponent(asked.image)}&b=${encodeURIComponent(match.id)}` : `/pair?query=${asked.query}&b=${encodeURIComponent(match.id)}`);
  const tiles = found.matches.map((match) =>
    h("li", { class: "photo" },
      framed(match, `/search?image=${encodeURIComponent(match.id)}${asked.mix ? `&mix=${asked.mix}` : ""}`, h("span", { class: "rank" }, String(match.rank))),
      caption(match, ...likely(match)),
      match.as_near !== null ? h("span", { class: "caption quiet" }, `1 in ${number(Math.max(1, Math.round(1 / Math.max(match.as_near, 1e-9))))} pairs are as near`) : null,
      link(pairOf(match), h("span", { class: "small" }, "Why?"), h("span", { class: "hidden-text" }, ` Compare with number ${match.rank}`))));
  fill(results,
    h("h1", {}, found.matches.length ? "Most alike first" : "Nothing found"),
    h("p", { class: "quiet" }, found.matches.length ? `${model?.meaning ?? ""} Searched ${plural(found.searched, "photograph")} in ${found.milliseconds} ms.` : "No photograph passes these filters."),
    h("ol", { class: "photos" }, tiles),
    found.matches.length === Number(more.k) && found.matches.length < Math.min(found.searched, 500) ? h("p", {}, h("button", { type: "button", click: () => { remember({ k: Math.min(500, Number(more.k) * 2) }); find(results, context); } }, "Show more")) : null);
}

async function all(results, context, filters, offset, signal) {
  const found = await get("/images", { offset, limit: PAGE, ...filters }, signal);
  const tiles = found.images.map((image) => tile(image, `/search?image=${encodeURIComponent(image.id)}`));
  if (offset) results.querySelector(".photos").append(...tiles);
  else fill(results, h("h1", {}, plural(found.total, "photograph")), h("p", { class: "quiet" }, found.total ? "Click one to find its look-alikes." : "No photograph passes these filters."), h("ul", { class: "photos" }, tiles));
  results.querySelector(".more")?.remove();
  if (offset + PAGE < found.total) {
    results.append(h("p", { class: "more" }, h("button", { type: "button", click: () => all(results, context, filters, offset + PAGE, signal) }, "Show more")));
  }
}
