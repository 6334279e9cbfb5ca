// Teach: "the same?" for whole groups, the most useful question first; what the answers have bought; names; versions.
import { get, send } from "../lib/api.js";
import { emptyPage, fill, h, note } from "../lib/dom.js";
import { picture } from "../lib/photos.js";
import { changed, state } from "../lib/state.js";
import { day, number, plural } from "../lib/words.js";

const KEYS = [["Y", "the same"], ["N", "different"], ["J", "next, without an answer"], ["K", "take the last answer back"], ["?", "show these keys"]];

export async function show(root, context) {
  if (!context.catalog.images) {
    fill(root, emptyPage("Nothing to teach yet", ["Questions appear as soon as photographs are in the catalog."]));
    return undefined;
  }
  const tab = state().tab ?? "questions";
  const body = h("div");
  const tabs = [["questions", "Questions"], ["groups", "Groups"], ["versions", "Versions"]].map(([name, title]) =>
    h("a", { href: changed({ tab: name === "questions" ? "" : name }), "data-route": true, class: "button", "aria-current": name === tab ? "page" : false }, title));
  const line = h("p", { class: "lead", role: "status", "aria-live": "polite" });
  root.classList.add("teaching");
  fill(root, h("h1", {}, "Teach"), line, h("nav", { class: "row tabs", "aria-label": "Teaching" }, tabs), body);
  if (tab === "groups") return groups(body, line);
  if (tab === "versions") return versions(body, line);
  return questions(body, line);
}

const who = () => localStorage.getItem("who") ?? "";

async function questions(body, line) {
  let round = null;
  let busy = false;
  const skipped = new Set();
  const dialog = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"), h("dl", { class: "keys" }, KEYS.map(([key, meaning]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, meaning)])), h("button", { type: "button", click: () => dialog.close() }, "Close"));
  const place = h("div");
  const said = h("div", { "aria-live": "polite" });
  fill(body, said, place, dialog);

  const take = (found) => {
    round = found;
    line.textContent = found.state.sentence;
    fill(said, found.said ? h("p", { class: "quiet" }, found.said) : null);
    draw();
  };
  const current = () => round.questions.find((one) => !skipped.has(one.key));
  const act = async (work) => {
    if (busy) return;
    busy = true;
    place.setAttribute("aria-busy", "true");
    try {
      take(await work());
    } catch (problem) {
      fill(said, note(problem.message));
    } finally {
      busy = false;
      place.removeAttribute("aria-busy");
    }
  };
  const answer = (degree) => {
    const question = current();
    if (question) act(() => send("POST", "/answers", { key: question.key, degree, who: who() }));
  };
  const undo = () => act(() => send("DELETE", "/answers/last"));

  function draw() {
    const question = current();
    if (!question) {
      fill(place, emptyPage("No more questions", ["Everything that is worth asking follows from the answers. Name the groups, or let the program learn from the answers under Versions."]));
      return;
    }
    const side = (images, size, title) => h("section", { class: "side" }, h("h2", {}, `${title} (${plural(size, "photograph")})`), h("ul", { class: `photos ${images.length === 1 ? "single" : ""}` }, images.map((image) => h("li", { class: "photo" }, h("div", { class: "frame" }, picture(image, { loading: "eager" }))))));
    const single = Math.min(question.size_a, question.size_b) === 1;
    const title = question.kind === "pair" || question.size_a + question.size_b === 2 ? "Do these two photographs show the same?" : question.kind === "merge" ? "Do these two groups show the same?" : single ? "Does this photograph belong to its group?" : "Do both parts of this group show the same?";
    fill(place,
      h("h2", { class: "question" }, title),
      h("p", { class: "quiet" }, question.reason),
      h("div", { class: "sides", tabindex: "0", role: "group", "aria-label": "The photographs that are asked about" }, side(question.a, question.size_a, "One"), side(question.b, question.size_b, "The other")),
      h("div", { class: "row answers" },
        h("button", { type: "button", class: "main", click: () => answer(1) }, "Yes, the same ", h("kbd", {}, "Y")),
        h("button", { type: "button", class: "main", click: () => answer(0) }, "No, different ", h("kbd", {}, "N")),
        h("button", { type: "button", click: () => answer(null) }, "Next ", h("kbd", {}, "J")),
        h("button", { type: "button", click: undo }, "Undo ", h("kbd", {}, "K")),
        h("button", { type: "button", class: "plain keys-button", click: () => dialog.showModal() }, "Keys ", h("kbd", {}, "?"))),
      h("details", {}, h("summary", {}, "Who answers, and what becomes of the answers"),
        h("div", { class: "field" }, h("label", {}, "Your name, kept with each answer", whoInput())),
        h("p", {}, "Answers are kept in the catalog and never deleted. ", h("a", { href: "/api/answers.csv", download: "answers.csv" }, "Answers as a table of pairs"), " · ", h("a", { href: "/api/labels.csv", download: "labels.csv" }, "Names as a table of images"))));
    fit();
  }

  // The photographs get the height that is left above the buttons, so that both are seen at once and neither covers the other.
  const fit = () => {
    const sides = place.querySelector(".sides");
    if (!sides) return;
    const bar = place.querySelector(".answers");
    const room = innerHeight - (sides.getBoundingClientRect().top + scrollY) - bar.offsetHeight - 28;
    sides.style.setProperty("--room", `${Math.max(160, Math.floor(room))}px`);
  };
  addEventListener("resize", fit);

  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    const key = event.key.toLowerCase();
    if (key === "y") answer(1);
    else if (key === "n") answer(0);
    else if (key === "j") answer(null);
    else if (key === "k") undo();
    else if (key === "?") dialog.showModal();
    else return;
    event.preventDefault();
  };
  addEventListener("keydown", keys);
  fill(place, h("p", { role: "status" }, "Grouping the photographs …"));
  take(await get("/questions"));
  return () => {
    removeEventListener("keydown", keys);
    removeEventListener("resize", fit);
  };
}

function whoInput() {
  const input = h("input", { type: "text", maxlength: "200", autocomplete: "name", value: who(), change: () => localStorage.setItem("who", input.value) });
  return input;
}

async function groups(body, line) {
  fill(body, h("p", { role: "status" }, "Grouping the photographs …"));
  const round = await get("/questions", { n: 1 });
  line.textContent = round.state.sentence;
  const draw = async () => showGroups(body, line, await get("/groups"), draw);
  await draw();
  return undefined;
}

function showGroups(body, line, found, draw) {
  if (!found.total) {
    fill(body, emptyPage("No groups yet", ["No two photographs are likely enough to show the same. Answer some questions first."]));
    return;
  }
  fill(body, h("p", { class: "quiet" }, "A name settles a whole group: photographs of one name show the same, of different names different things. Names can be trained with."), found.groups.map((group) => {
    const input = h("input", { type: "text", maxlength: "200", value: group.name, placeholder: "name this group" });
    const told = h("span", { class: "small quiet", role: "status" });
    const button = (text, click) => h("button", { type: "button", click }, text);
    const undo = button("Undo", async () => {
      try {
        const next = await send("DELETE", "/answers/last", undefined, { n: 1 });
        line.textContent = next.state.sentence;
        await draw();
      } catch (problem) {
        fill(told, problem.message);
      }
    });
    const call = async (join) => {
      if (!input.value.trim()) return;
      try {
        const { ids } = await get(`/groups/${group.number}`);
        const next = await send("POST", "/names", { ids, name: input.value, join, who: who() }, { n: 1 });
        line.textContent = next.state.sentence;
        fill(told, next.said || "kept", " ", undo);
      } catch (problem) {
        // Two groups of one name become one; that is asked first.
        if (problem.status === 409) fill(told, problem.message, " ", button("Join them", () => call(true)));
        else fill(told, problem.message);
      }
    };
    const form = h("form", { class: "row", submit: (event) => {
      event.preventDefault();
      call(false);
    } }, h("label", { class: "naming" }, h("span", { class: "hidden-text" }, `Name of a group of ${group.size}`), input), h("button", { type: "submit" }, "Name"), told);
    return h("section", { class: "group" }, h("div", { class: "row" }, h("h2", {}, group.name || plural(group.size, "photograph")), h("span", { class: "quiet small" }, group.name ? plural(group.size, "photograph") : "", group.settled ? " settled by answers" : " by the model")), h("ul", { class: "photos strip" }, group.images.map((image) => h("li", { class: "photo" }, h("a", { class: "frame", href: `/search?image=${encodeURIComponent(image.id)}`, "data-route": true }, picture(image)))), group.size > group.images.length ? h("li", { class: "quiet" }, `and ${number(group.size - group.images.length)} more`) : null), form);
  }));
}

async function versions(body, line) {
  const round = await get("/questions", { n: 1 });
  line.textContent = round.state.sentence;
  const told = h("div", { role: "status" });
  const list = h("div");
  const draw = (found) => fill(list, h("h2", {}, "Versions"), h("p", { class: "quiet" }, "Every state of the metric is kept. Going back deletes nothing."), h("ol", { class: "versions" }, found.map((version) => h("li", { "aria-current": version.current ? "true" : false }, h("strong", {}, `${version.made_by[0].toUpperCase()}${version.made_by.slice(1)}`), h("span", { class: "quiet small" }, version.when ? ` ${day(version.when)}` : ""), version.current ? h("span", { class: "small" }, " in effect") : h("button", { type: "button", click: () => work(async () => draw(await send("POST", `/versions/${version.number}`)), "This version is in effect.") }, "Go to this one")))));
  const work = async (doing, done) => {
    fill(told, h("p", {}, "Working …"));
    try {
      const sentence = await doing();
      fill(told, h("p", {}, typeof sentence === "string" ? sentence : done));
    } catch (problem) {
      fill(told, note(problem.message));
    }
  };
  const recalibrate = h("button", { type: "button", class: "main", click: () => work(async () => {
    const change = await send("POST", "/recalibrate");
    draw(await get("/versions"));
    return change.sentence;
  }) }, "Recalibrate from the answers");
  const recipes = await get("/recipes");
  const choice = h("select", {}, recipes.map((recipe) => h("option", { value: recipe.name, title: recipe.about, selected: recipe.name === "signs" }, recipe.name)));
  const about = h("p", { class: "small quiet" });
  const explain = () => { about.textContent = recipes.find((recipe) => recipe.name === choice.value)?.about ?? ""; };
  choice.addEventListener("change", explain);
  explain();
  const train = h("form", { class: "row", submit: (event) => {
    event.preventDefault();
    work(() => send("POST", "/training", { recipe: choice.value }), "Training goes on in the background; the line at the top says how far it is. You can go on meanwhile.");
  } }, h("label", {}, "Recipe", choice), h("button", { type: "submit" }, "Train on the names"));
  const ended = async (event) => {
    const job = event.detail.ended.find((one) => one.kind === "train");
    if (!job) return;
    fill(told, h("p", {}, job.message));
    draw(await get("/versions"));
  };
  addEventListener("jobs", ended);
  fill(body, h("section", {}, h("h2", {}, "Learn from the answers"), h("p", {}, "Threshold and probabilities are fitted to this collection. The change is kept only if answers that were left out say that it is better by more than chance."), recalibrate), h("section", {}, h("h2", {}, "Train on the names"), h("p", {}, "Once there are eight names or more, of two photographs or more each, a network can be trained on them. Every fourth name is kept out. The new metric is kept only if more of their photographs have their own name nearest than before, by more than chance; the sentence shows both figures."), train, about), told, list);
  draw(await get("/versions"));
  return () => removeEventListener("jobs", ended);
}

