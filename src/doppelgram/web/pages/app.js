// The page's frame: which view is shown, what is going on in the background, and photographs that are dropped or pasted.
import { get, send } from "./lib/api.js";
import { emptyPage, fill, h, link, note } from "./lib/dom.js";
import { go } from "./lib/state.js";
import { number } from "./lib/words.js";

const VIEWS = [
  ["/search", "Search", "./views/search.js"],
  ["/map", "Map", "./views/map.js"],
  ["/teach", "Teach", "./views/teach.js"],
  ["/role-models", "Role models", "./views/role-models.js"],
  ["/training", "Training", "./views/training.js"],
];
const HIDDEN = [["/pair", "Two photographs", "./views/pair.js"]];
const main = document.getElementById("main");
const context = { catalog: null, brought: null };
let leave = null;
let turn = 0;

async function show(focus = true) {
  const mine = ++turn;
  try {
    context.catalog = await get("/catalog");
  } catch (problem) {
    if (mine === turn) fill(main, emptyPage(problem.status === 410 ? "The catalog is gone" : "This cannot be shown", [problem.message]));
    return;
  }
  const home = context.catalog.trainings && !context.catalog.folder ? "/training" : "/search";
  const path = location.pathname === "/" ? home : location.pathname;
  const [, title, file] = [...VIEWS, ...HIDDEN].find(([view]) => view === path) ?? VIEWS[0];
  for (const item of document.querySelectorAll("#views a")) {
    if (item.getAttribute("href") === path) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  try {
    const name = context.catalog.name;
    document.getElementById("name").textContent = name;
    document.title = `${title} · ${name} · Doppelgram`;
    const view = await import(file);
    if (mine !== turn) return;
    leave?.();
    leave = null;
    const root = h("div");
    fill(main, root);
    if (focus) main.focus({ preventScroll: true });
    const left = (await view.show(root, context)) ?? null;
    if (mine === turn) leave = left;
    else left?.();
  } catch (problem) {
    if (mine === turn) fill(main, emptyPage(problem.status === 410 ? "The catalog is gone" : "This cannot be shown", [problem.message]));
  }
}

// Links between views do not load the page anew.
document.addEventListener("click", (event) => {
  const target = event.target.closest("a[data-route]");
  if (!target || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(target.getAttribute("href"));
  scrollTo(0, 0);
});
addEventListener("popstate", () => show());

// A photograph can be dropped or pasted anywhere.
export async function bring(file) {
  if (!file) return;
  fill(main, h("p", { class: "lead", role: "status" }, "Looking at the photograph …"));
  try {
    const query = await send("POST", "/queries", file);
    if (context.brought) URL.revokeObjectURL(context.brought.address);
    context.brought = { ...query, address: URL.createObjectURL(file), name: file.name || "pasted photograph" };
    go(`/search?query=${query.query}`);
  } catch (problem) {
    await show(false);
    main.firstElementChild.prepend(note(problem.message));
  }
}
context.bring = bring;

const dropping = document.getElementById("dropping");
let within = 0;
addEventListener("dragenter", (event) => {
  if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
  within += 1;
  dropping.hidden = false;
});
addEventListener("dragleave", () => {
  within = Math.max(0, within - 1);
  if (!within) dropping.hidden = true;
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  within = 0;
  dropping.hidden = true;
  bring(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files][0];
  if (file) bring(file);
});

// What is going on in the background, and a way to stop it.
let running = new Set();
async function watch() {
  const place = document.getElementById("jobs");
  let wait = 5000;
  try {
    const jobs = await get("/jobs");
    const now = jobs.filter((job) => job.state === "running");
    const ended = jobs.filter((job) => running.has(job.number) && job.state !== "running");
    running = new Set(now.map((job) => job.number));
    fill(
      place,
      now.map((job) =>
        h(
          "span",
          { title: job.title },
          job.step ? `${job.title}: ${job.step}` : job.title,
          job.total ? h("progress", { max: job.total, value: job.done, "aria-label": job.title }) : " … ",
          job.total ? `${number(job.done)} of ${number(job.total)} ` : "",
          h("button", { class: "plain", type: "button", click: () => send("DELETE", `/jobs/${job.number}`).catch(() => {}) }, "Stop"),
        ),
      ),
      now.length ? null : ended.map((job) => h("span", {}, job.message)),
    );
    if (now.length) wait = 1000;
    dispatchEvent(new CustomEvent("jobs", { detail: { running: now, ended } }));
    if (ended.length) {
      context.catalog = await get("/catalog");
      wait = 8000;
    }
  } catch {
    fill(place, "The server does not answer.");
  }
  setTimeout(watch, wait);
}

fill(document.getElementById("views"), VIEWS.map(([path, title]) => h("li", {}, link(path, title))));
show(false);
watch();
