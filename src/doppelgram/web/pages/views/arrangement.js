// One arrangement: its posts along time, who follows whom, how it grew beside shuffled clocks, authors and places.
import { get } from "../lib/api.js";
import { lineChart } from "../lib/charts.js";
import { fill, h, link } from "../lib/dom.js";
import { explained, term, words } from "../lib/explain.js";
import { framed } from "../lib/photos.js";
import { alike, authorColumns, pictured, placeColumns } from "../lib/posts.js";
import { go, state } from "../lib/state.js";
import { timeTicks } from "../lib/ticks.js";
import { tree } from "../lib/tree.js";
import { columns } from "../lib/wall.js";
import { chance, day, number, percent, plural } from "../lib/words.js";

const FIRST = 24;

export async function showArrangement(root) {
  const found = await get(`/arrangements/${encodeURIComponent(state().arrangement)}`);
  const { arrangement: one, posts, meanings } = found;
  const traced = posts.filter((post) => post.status === "traced");
  for (const post of posts) Object.assign(post, { kind: kindOf(post, one, posts), said: saidOf(post) });
  const time = columns(traced, 3, alike);
  const { drawing, shown, left } = tree(traced, alike, root.clientWidth);
  const grown = growthChart(found, one);
  const facts = [
    [plural(one.posts, "post"), meanings.posts], [plural(one.authors, "author"), meanings.authors],
    one.first ? [`${day(one.first)} to ${day(one.last)}`, "Times of the first and the last dated post."] : null,
    one.spread_p === null ? null : [chance("p", one.spread_p), meanings.spread_p], one.spread_q === null ? null : [chance("q", one.spread_q), meanings.spread_q],
    one.spreads ? [`likeliest origin ${percent(one.origin)}`, meanings.origin] : null,
  ].filter(Boolean);
  fill(root,
    h("p", { class: "row small" }, link("/role-models", "All arrangements"), found.previous ? link(`/role-models?arrangement=${found.previous}`, "Previous") : null, found.next ? link(`/role-models?arrangement=${found.next}`, "Next") : null),
    h("h1", {}, `${one.place || "Arrangement"} `, h("span", { class: "quiet" }, one.name)),
    h("p", { class: "lead" }, one.about),
    h("ul", { class: "figures" }, facts.map(([text, meaning]) => h("li", {}, term(text, meaning)))),
    words(facts.map(([text, meaning]) => [text, meaning])),
    h("section", {}, h("h2", {}, "Along time"), legend(one), time.element),
    h("section", {}, h("h2", {}, "Who follows whom"),
      drawing ? h("p", { class: "quiet" }, `Each post stands to the right of its most likely predecessor by somebody else.${left ? ` The largest trees are drawn, ${plural(shown, "post")}; ${number(left)} more are in the list below.` : ""} A line says that one precedes and matches the other, and no more.`) : h("p", {}, "No post of this arrangement has a likely predecessor by somebody else."),
      drawing ? h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Tree of followers" }, drawing) : null),
    grown ? h("section", {}, h("h2", {}, "Growth beside the shuffled clock"), grown.element, h("p", { class: "small quiet" }, found.how_to_read_growth)) : null,
    listOf(posts, one, meanings),
    h("div", { class: "columns" },
      found.authors.length ? explained("Authors in it", authorColumns(meanings).slice(0, -1), found.authors.slice(0, 10)) : null,
      found.places.length > 1 ? explained("Places in it", placeColumns(meanings).filter(([name]) => name !== "Arrangements"), found.places.slice(0, 10)) : null));
  return () => { time.close(); grown?.close(); };
}

/** What a post is to the likeliest origin. */
function kindOf(post, one, posts) {
  if (post.path === one.originator_path) return "first-of-all";
  const parents = new Map(posts.map((each) => [each.path, each.parent]));
  if (post.parent === one.originator_path) return "direct";
  for (let above = post.parent, steps = 0; above && steps < 1000; above = parents.get(above), steps += 1) if (above === one.originator_path) return "later";
  return "other";
}

const saidOf = (post) => [`Post by ${post.author || "an unknown author"}`, day(post.timestamp), { "first-of-all": "the likeliest origin", direct: "follows the likeliest origin", later: "follows one of its followers", other: "" }[post.kind]].filter(Boolean).join(", ");

function legend(one) {
  const origin = one.spreads ? `the likeliest origin (${percent(one.origin)})` : "the likeliest origin, if anybody set it at all";
  return h("ul", { class: "legend" }, [["first-of-all", origin], ["direct", "its followers"], ["later", "later generations"], ["other", "follows somebody else, or nobody"]].map(([kind, text]) => h("li", {}, h("span", { class: `thumb mini ${kind}`, "aria-hidden": "true" }), text)));
}

function growthChart(found, one) {
  if (found.growth.length < 2) return null;
  const at = (name) => found.growth.map((point) => [point.at * 1000, point[name]]);
  const date = (moment) => day(new Date(moment).toISOString());
  return lineChart({
    label: `Authors of arrangement ${one.name} up to each moment, ${found.growth.at(-1).observed} in the end, beside shuffled clocks`,
    lines: [{ name: "observed authors", points: at("observed"), look: 0 }, { name: "shuffled clocks, mean", points: at("expected"), look: "quiet", dashed: true }],
    band: found.growth.map((point) => [point.at * 1000, point.low, point.high]),
    x: { format: date, marks: timeTicks },
    fromZero: true,
  });
}

function listOf(posts, one, meanings) {
  const chosen = [];
  const status = h("p", { class: "quiet", role: "status" }, "Click a photograph for its look-alikes; choose two to see them side by side.");
  const choose = (post, button) => {
    const at = chosen.indexOf(post.image);
    if (at >= 0) chosen.splice(at, 1);
    else chosen.push(post.image);
    button.setAttribute("aria-pressed", String(at < 0));
    status.textContent = chosen.length === 1 ? "One photograph is chosen. Choose another to see both side by side." : "Click a photograph for its look-alikes; choose two to see them side by side.";
    if (chosen.length === 2) go(`/pair?a=${encodeURIComponent(chosen[0])}&b=${encodeURIComponent(chosen[1])}`);
  };
  const list = h("ol", { class: "photos" });
  const rest = h("p", {});
  const add = (some) => list.append(...some.map((post) => {
    const button = h("button", { type: "button", class: "plain small", "aria-pressed": "false", click: () => choose(post, button) }, "Choose");
    const pair = post.image && post.parent_image && post.image !== post.parent_image ? link(`/pair?a=${encodeURIComponent(post.parent_image)}&b=${encodeURIComponent(post.image)}`, h("span", { class: "small" }, "Why?"), h("span", { class: "hidden-text" }, ` Compare the post by ${post.author || "an unknown author"} with its predecessor`)) : null;
    return h("li", { class: `photo ${post.kind}` },
      post.image ? framed(pictured(post), alike(post)) : h("span", { class: "frame gone" }, "not in the catalog"),
      h("span", { class: "caption" },
        h("span", { class: "name" }, [post.author || "author not known", day(post.timestamp)].filter(Boolean).join(" · ")),
        post.path === one.originator_path && one.spreads ? h("strong", {}, term(`origin ${percent(post.origin)}`, meanings.origin)) : null,
        post.status === "traced" ? null : h("span", { class: "quiet" }, post.status),
        post.followers ? h("span", { class: "name" }, term(plural(post.followers, "follower"), post.claim)) : null,
        post.parent ? h("span", { class: "name" }, "after ", term(lag(post.lag_days), meanings.lag), ", match ", term(percent(post.probability), meanings.probability), ", ", term(`share ${percent(post.share)}`, meanings.share)) : null),
      h("span", { class: "row" }, post.image ? button : null, pair));
  }));
  add(posts.slice(0, FIRST));
  if (posts.length > FIRST) {
    fill(rest, h("button", { type: "button", click: () => { add(posts.slice(FIRST)); rest.remove(); } }, `Show all ${number(posts.length)}${one.posts > posts.length ? ` of ${number(one.posts)}` : ""}`));
  }
  return h("section", {}, h("h2", {}, "Its posts, the earliest first"), status, list, rest,
    words([["after", meanings.lag], ["match", meanings.probability], ["share", meanings.share], ["origin", meanings.origin], ["followers", meanings.followers]]));
}

/** A time between two posts as people say it. */
function lag(days) {
  if (days === null) return "some time";
  if (days < 1) return plural(Math.max(1, Math.round(days * 24)), "hour");
  if (days < 61) return plural(Math.round(days), "day");
  return days < 731 ? plural(Math.round(days / 30.44), "month") : `${(days / 365.25).toFixed(1)} years`;
}
