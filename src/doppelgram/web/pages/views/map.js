// The map: what is alike lies near. Points from afar, photographs when near.
import { bytes, get, send } from "../lib/api.js";
import { emptyPage, fill, h, note } from "../lib/dom.js";
import { caption, picture } from "../lib/photos.js";
import { go, remember, state } from "../lib/state.js";
import { number, plural } from "../lib/words.js";
import { Camera, steer } from "./map/camera.js";
import { download, showChosen } from "./map/chosen.js";
import { coloured, hide, TITLES } from "./map/colours.js";
import { Pictures } from "./map/pictures.js";
import { Points } from "./map/points.js";
import { Stage } from "./map/stage.js";

export async function show(root) {
  let leave = null, gone = false;
  const start = async () => {
    const about = await get("/map");
    if (gone) return;
    leave?.();
    leave = about.made ? await open(root, about, follow) : (empty(root, about, follow), null);
    if (gone) leave?.();
    else if (about.job) follow(about.job);
  };
  /** Wait for the job that makes the map. */
  const follow = async (number) => {
    let job = { state: "running" };
    while (job.state === "running") {
      await new Promise((done) => setTimeout(done, 600));
      if (gone) return;
      job = await get(`/jobs/${number}`).catch((problem) => ({ state: "failed", message: problem.message }));
    }
    await start().catch((problem) => { job = { state: "failed", message: problem.message }; });
    if (!gone && job.state !== "done") root.prepend(note(job.message));
  };
  await start();
  return () => {
    gone = true;
    leave?.();
  };
}

/** No map yet. */
function empty(root, about, follow) {
  if (about.state === "making") return fill(root, emptyPage("The map is being made", ["It appears here as soon as it is finished. How far it is stands at the top, where it can be stopped, too."]));
  if (about.photographs < about.fewest) return fill(root, emptyPage("Too few photographs for a map", [`A map needs ${about.fewest} photographs or more; this catalog holds ${about.photographs}. Add some with “doppelgram index”.`]));
  return fill(root, emptyPage("No map yet", [`A map lays out ${plural(about.photographs, "photograph")} so that what is alike lies near. It is made once and kept in the catalog.`], maker(root, about, follow)));
}

/** Choose how, and make it. */
function maker(root, about, follow, label = "Make the map") {
  const method = h("select", { name: "method" }, h("option", { value: "tsne" }, "t-SNE: groups"), h("option", { value: "pca" }, "PCA: quick, main directions"));
  const by = h("select", { name: "by" }, h("option", { value: "" }, "everything"), about.parts.map((part) => h("option", { value: part }, part)));
  const make = h("button", { type: "button", class: "main", click: async () => {
    make.disabled = true;
    try {
      const job = await send("POST", "/map", { method: method.value, by: by.value });
      if (about.made) make.before(h("p", { class: "small", role: "status" }, "It is being made; the map here stays until then."));
      else empty(root, { ...about, state: "making" }, follow);
      follow(job.number);
    } catch (problem) {
      make.disabled = false;
      make.before(note(problem.message));
    }
  } }, label);
  return h("div", { class: "row making" }, h("label", {}, "Method", method), about.parts.length ? h("label", {}, "By", by) : null, make);
}

async function open(root, about, follow) {
  const map = about.made, asked = state();
  const points = new Points(await bytes("/map/points", { map: map.stamp }), map.points);
  const camera = new Camera(map);
  if (asked.x) Object.assign(camera, { x: Number(asked.x) || 0, y: Number(asked.y) || 0, zoom: Math.min(18, Math.max(-1, Number(asked.z) || 0)) });
  let by = map.colourings.includes(asked.colour) ? asked.colour : map.colourings[0] ?? "";
  let hidden = new Set((asked.hide ?? "").split(",").filter(Boolean).map(Number));
  let lassoing = false, colours, timer, asking = 0;

  const card = h("div", { class: "map-card", hidden: true });
  const element = h("div", { class: "stage", tabindex: "0", role: "application", "aria-label": `Map of ${plural(map.points, "photograph")}. Arrows move it, plus and minus zoom, Enter opens the photograph in the middle.`, "aria-describedby": "map-said" }, h("canvas", { "aria-hidden": "true" }), h("canvas", { "aria-hidden": "true" }), card);
  const said = h("p", { class: "hidden-text", id: "map-said", role: "status" });
  const legend = h("section", { "aria-label": "Legend" }), chosen = h("section", { "aria-label": "Chosen photographs" });
  const pictures = new Pictures(points, map, () => stage.again());
  const stage = new Stage(element, points, camera, pictures, Number(asked.draw) || 0);

  const moved = () => {
    stage.redraw();
    clearTimeout(timer);
    timer = setTimeout(() => remember({ x: Math.round(camera.x), y: Math.round(camera.y), z: camera.zoom.toFixed(2) }), 250);
  };
  const filter = () => {
    hide(points, colours.numbers, hidden);
    stage.renderer.setShown(points.shown);
    stage.redraw();
    fill(legend, h("h2", {}, TITLES[by] ?? "Photographs"), h("ul", { class: "map-legend" }, colours.groups.filter((group) => group.count).map((group) => {
      const toggle = () => {
        if (!hidden.delete(group.number)) hidden.add(group.number);
        remember({ hide: [...hidden].join(",") });
        filter();
        legend.querySelector(`[data-group="${group.number}"]`).focus();
      };
      return h("li", {}, h("button", { type: "button", class: "plain", "data-group": String(group.number), "aria-pressed": String(!hidden.has(group.number)), click: toggle }, h("span", { class: "dot", style: { background: group.colour } }), h("span", { class: "text" }, group.name), h("span", { class: "quiet" }, number(group.count))));
    })));
  };
  const colour = () => {
    colours = coloured(points, map, by);
    stage.renderer.setPalette(colours.groups.map((group) => group.colour));
    stage.renderer.setGroups(colours.numbers);
    filter();
  };
  const choose = (positions) => {
    stage.chosen = new Set(positions);
    stage.again();
    showChosen(chosen, positions, pictures, () => choose([]));
  };
  const under = (px, py, reach) => points.nearest(...camera.place(px, py), (reach ?? (Number(element.dataset.photographs) ? 40 : 12)) / camera.scale);
  const on = {
    moved: () => { card.hidden = true; stage.marked = -1; moved(); },
    lassoing: () => lassoing,
    async hover(px, py, reach) {
      const at = px < 0 ? -1 : under(px, py, reach);
      if (at === stage.marked) return;
      stage.marked = at;
      stage.again();
      const mine = ++asking;
      card.hidden = true;
      if (at < 0) return;
      const [image] = await pictures.about([at]).catch(() => []);
      if (mine !== asking || !image) return;
      const [x, y] = camera.pixel(points.x[at], points.y[at]);
      Object.assign(card.style, { left: `${x > camera.width / 2 ? x - 192 : x + 16}px`, top: `${Math.max(4, Math.min(camera.height - 220, y - 90))}px` });
      fill(card, picture(image, { loading: "eager" }), caption(image));
      card.hidden = false;
      fill(said, card.querySelector("img").alt);
    },
    async open(px, py, reach) {
      const at = under(px, py, reach);
      if (at < 0) return;
      const [image] = await pictures.about([at]);
      if (image) go(`/search?image=${encodeURIComponent(image.id)}`);
    },
    lasso(path, done) {
      stage.path = done ? null : path;
      stage.again();
      if (done) choose(points.inside(path.map(([x, y]) => camera.place(x, y))));
    },
  };
  steer(element, camera, on);

  const select = h("select", { change: () => { by = select.value; hidden = new Set(); remember({ colour: by, hide: "" }); colour(); } }, map.colourings.map((each) => h("option", { value: each, selected: each === by }, TITLES[each])));
  const lasso = h("button", { type: "button", "aria-pressed": "false", click: () => { lassoing = !lassoing; lasso.setAttribute("aria-pressed", String(lassoing)); element.classList.toggle("lassoing", lassoing); } }, "Lasso");
  const button = (text, title, click) => h("button", { type: "button", title, "aria-label": title, click }, text);
  const step = (change) => () => { change(); on.moved(); };
  fill(root,
    h("h1", { class: "hidden-text" }, "Map"),
    map.added ? h("div", { class: "note", role: "status" }, h("p", {}, `${plural(map.added, "photograph is", "photographs are")} not on the map; make it again to see ${map.added === 1 ? "it" : "them"}.`)) : null,
    h("div", { class: "row map-tools" },
      map.colourings.length ? h("label", {}, "Colour", select) : null,
      button("+", "Zoom in", step(() => camera.zoomBy(1))), button("−", "Zoom out", step(() => camera.zoomBy(-1))), button("Whole map", "Show the whole map", step(() => camera.whole())),
      lasso,
      button("Save picture", "Save what is seen as PNG", async () => download(await stage.picture(), "map.png"))),
    h("div", { class: "map" }, element, h("aside", { class: "map-side", "aria-label": "What is on the map" }, legend, chosen, h("section", {}, h("p", { class: "small quiet" }, map.about), map.judged ? h("p", { class: "small quiet" }, `${number(map.wrong)} of ${plural(map.judged, "photograph")} are nearest to one with another label.`) : null, h("details", {}, h("summary", {}, "Make it again"), maker(root, about, follow, "Make it again"))))),
    said);
  stage.fit();
  colour();
  choose([]);
  return () => { clearTimeout(timer); stage.close(); };
}
