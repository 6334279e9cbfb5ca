// Role models: arrangements along time, the leading posts, and the curve against the shuffled clock.
import { get, send } from "../lib/api.js";
import { lineChart } from "../lib/charts.js";
import { emptyPage, fill, h, link, note } from "../lib/dom.js";
import { explained, term, words } from "../lib/explain.js";
import { framed } from "../lib/photos.js";
import { alike, authorColumns, pictured, placeColumns } from "../lib/posts.js";
import { state } from "../lib/state.js";
import { ticks } from "../lib/ticks.js";
import { axis, partsOf, pin } from "../lib/wall.js";
import { chance, day, decimal, number, percent, plural } from "../lib/words.js";
import { showArrangement } from "./arrangement.js";

const ROWS = 12;
export async function show(root, context) {
  if (!context.catalog.images) {
    fill(root, emptyPage("No posts yet", [context.catalog.problem || (context.catalog.folder ? "Role models can be traced as soon as the first posts are read." : "This page was started with trainings alone. To see posts, start it with a catalog or with posts: doppelgram serve CATALOG --runs RUNS")]));
    return again(root, context, () => context.catalog.images);
  }
  if (state().arrangement) return showArrangement(root);
  const found = await get("/role-models");
  if (!found.made) return notYet(root, context, found);
  if (found.counts.nobody === found.counts.posts) {
    fill(root, emptyPage("Nobody was found in these photographs", ["Without people there are no poses, and so no arrangements. Index photographs that show people, or give the model what finds people: start doppelgram serve with --weights or --keypoints.", ...found.notes], traceButton("Trace again")));
    return again(root, context, () => false);
  }
  const { counts } = found;
  const figures = [[counts.traced, "post traced", "posts traced"], [counts.arrangements, "arrangement", "arrangements"], [counts.spread ?? 0, "spreads beyond chance", "spread beyond chance"], [counts.origin ?? 0, "has a likely origin", "have a likely origin"]];
  const wall = theWall(found);
  const chart = found.curve.length ? curveOf(found) : null;
  fill(root,
    h("h1", {}, "Role models"),
    h("p", { class: "lead" }, found.lead),
    found.new ? h("div", { class: "note" }, h("p", {}, `${plural(found.new, "photograph")} came after this was traced on ${day(found.made)}. `), found.problem || found.state === "running" ? null : traceButton("Trace again")) : null,
    h("ul", { class: "figures" }, figures.map(([value, one, many]) => h("li", {}, h("b", {}, number(value)), ` ${value === 1 ? one : many}`))),
    h("section", {}, h("h2", {}, "Leading posts"), h("p", { class: "quiet" }, found.leaders.length ? "Posts that later posts by other people repeated, the highest score first." : "No post precedes and matches a post by somebody else."), h("ol", { class: "cards" }, found.leaders.slice(0, 8).map((post, index) => card(post, index + 1, found.meanings)))),
    wall.element,
    h("section", {}, h("h2", {}, "More than a shuffled clock?"), h("p", {}, found.overall), chart?.element),
    h("div", { class: "columns" },
      found.authors.length ? explained("Authors", authorColumns(found.meanings), found.authors.slice(0, 10)) : null,
      found.places.length ? explained("Places", placeColumns(found.meanings), found.places.slice(0, 10)) : null),
    h("section", { class: "columns" },
      h("div", {}, h("h2", {}, "What to know"), found.notes.length ? h("ul", {}, found.notes.map((text) => h("li", {}, text))) : null, h("p", {}, found.how_to_read), h("p", {}, found.limits)),
      h("div", {}, h("h2", {}, "What was traced"), h("table", {}, h("tbody", {}, found.left_out.map(([count, text]) => h("tr", {}, h("td", { class: "n" }, count), h("td", {}, text))))), h("p", { class: "small quiet" }, `Traced on ${day(found.made)}. Two posts match from a probability of ${percent(found.threshold)} on; a post is followed with a chance that falls to 37 % within ${number(Math.round(found.decay_days ?? 0))} days.`), words(Object.entries(found.settings).map(([name, value]) => [name, value === null ? "chosen by the posts" : String(value)]), "All settings"), found.problem || found.state === "running" ? null : traceButton("Trace again"))));
  wall.start();
  const leave = again(root, context, () => false);
  return () => { leave(); wall.close(); chart?.close(); };
}

/** Show the view anew when a job of role models ends, or when something that was waited for is there. */
function again(root, context, ready) {
  const look = async (event) => {
    const { running, ended } = event.detail;
    context.catalog = running.length || ended.length ? await get("/catalog") : context.catalog;
    if (ended.some((job) => job.kind === "role models") || ready()) dispatchEvent(new PopStateEvent("popstate"));
  };
  addEventListener("jobs", look);
  return () => removeEventListener("jobs", look);
}

function traceButton(text) {
  const button = h("button", { type: "button", class: "main", click: async () => {
    button.disabled = true;
    try {
      await send("POST", "/role-models", {});
      button.textContent = "Tracing …";
    } catch (problem) {
      button.disabled = false;
      button.after(note(problem.message));
    }
  } }, text);
  return button;
}

function notYet(root, context, found) {
  if (found.problem) {
    fill(root, emptyPage("No role models here", [found.problem]));
    return again(root, context, () => false);
  }
  if (found.state === "running") {
    fill(root, emptyPage("Tracing role models", ["They appear here as soon as they are found. Above stands how far it is."]));
    return again(root, context, () => false);
  }
  fill(root, emptyPage("Who set the arrangements?", [`An arrangement is a pose before a place. Tracing finds those among ${plural(context.catalog.images, "photograph")}, orders each in time, and says which posts later posts repeated, more than a shuffled clock explains.`, "No photograph is read again. It takes from seconds to some minutes."], traceButton("Trace role models")));
  return again(root, context, () => false);
}

function card(post, rank, meanings) {
  const facts = [
    [term(`${plural(post.followers ?? 0, "follower")}`, meanings.followers), `${number(post.total_followers ?? 0)} in all generations`],
    [term(`score ${decimal(post.score, 2)}`, meanings.score), `rank ${post.rank_low} to ${post.rank_high}`],
  ];
  return h("li", { class: "card" },
    framed(pictured(post), alike(post), h("span", { class: "rank" }, String(rank))),
    h("div", {},
      h("h3", {}, post.author || "author not known"),
      h("p", { class: "small quiet" }, [day(post.timestamp), post.place].filter(Boolean).join(" · ")),
      post.likely_origin ? h("p", { class: "badge" }, term(`likely origin ${percent(post.origin)}`, meanings.origin)) : null,
      facts.map(([first, second]) => h("p", { class: "small" }, first, h("span", { class: "quiet" }, ` · ${second}`))),
      h("p", { class: "small" }, post.claim),
      post.arrangement ? link(`/role-models?arrangement=${post.arrangement}`, "See its followers") : null));
}

function theWall(found) {
  const rows = h("div", { class: "wall" });
  const more = h("p", {});
  const element = h("section", {}, h("h2", {}, "Arrangements along time"),
    h("p", { class: "quiet" }, "One row an arrangement, the largest first. A stack holds several posts of the same weeks; a frame marks the likely origin. Choose one to see who follows whom."), rows, more);
  let shown = ROWS, parts = 0;
  async function draw() {
    const width = rows.clientWidth > 700 ? rows.clientWidth - 232 : rows.clientWidth;
    parts = partsOf(width);
    const wall = await get("/arrangements", { limit: Math.min(100, shown), parts });
    if (!wall.rows.length) {
      fill(rows, h("p", {}, "No two posts show the same pose before the same place."));
      return;
    }
    fill(rows, wall.rows.map((row) => {
      const one = row.arrangement;
      const href = `/role-models?arrangement=${one.number}`;
      return h("div", { class: "wall-row" },
        h("div", { class: "wall-name" }, link(href, h("strong", {}, one.place || one.name)), h("span", { class: "small quiet" }, `${one.name} · ${plural(one.posts, "post")} by ${plural(one.authors, "author")}`), verdict(one, found.meanings)),
        h("div", { class: "track" }, row.bins.map((bin) => pin(bin, parts, href, one.name))));
    }), h("div", { class: "wall-row" }, h("div", { class: "wall-name" }), axis(wall.first, wall.last, width)));
    fill(more, wall.total > shown && shown < 100 ? h("button", { type: "button", click: () => { shown += ROWS; draw(); } }, `Show more of ${number(wall.total)}`) : null);
  }
  const observer = new ResizeObserver(() => {
    const now = partsOf(rows.clientWidth > 700 ? rows.clientWidth - 232 : rows.clientWidth);
    if (now !== parts) draw().catch((problem) => fill(rows, note(problem.message)));
  });
  return { element, start: () => observer.observe(rows), close: () => observer.disconnect() };
}

/** In a few words whether an arrangement spreads; the sentence shows on pointing. */
function verdict(one, meanings) {
  const text = one.spread_q === null ? "not tested" : one.spreads ? "spreads beyond chance" : "no more than chance";
  const q = one.spread_q === null ? null : term(chance("q", one.spread_q), meanings.spread_q);
  return h("span", { class: "small" }, term(text, one.about), q ? " · " : "", q);
}

function curveOf(found) {
  const at = (name) => [[0, 0], ...found.curve.map((point) => [point.at, point[name]])];
  return lineChart({
    label: `Attributed followers of all posts within so many days, beside shuffled clocks. ${found.overall}`,
    lines: [{ name: "observed", points: at("observed"), look: 0 }, { name: "shuffled clocks, mean", points: at("expected"), look: "quiet", dashed: true }],
    band: [[0, 0, 0], ...found.curve.map((point) => [point.at, point.low, point.high])],
    x: {
      format: (days) => `within ${days && days < 10 ? decimal(days) : Math.round(days)} days`,
      marks: (low, high, count) => ticks(low, high, count).map((days) => [days, days ? `${number(days)} days` : "0"]),
    },
    fromZero: true,
  });
}
