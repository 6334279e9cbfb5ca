// Trainings, live: one chart a measure, several trainings over each other, and what each curve means.
import { get } from "../lib/api.js";
import { lineChart } from "../lib/charts.js";
import { emptyPage, fill, h, note } from "../lib/dom.js";
import { remember, state } from "../lib/state.js";
import { ticks } from "../lib/ticks.js";
import { day, number, percent, plural } from "../lib/words.js";

const LIVE = 2000, MOST = 6;
const SHARES = new Set(["precision", "accuracy", "active"]);

export async function show(root) {
  const runs = await get("/runs");
  if (!runs.length) {
    fill(root, emptyPage("No training is watched", ["Start the page with a training run or a folder of runs to see its curves while it learns:", "A training that has just begun appears here when its first epoch is finished."], h("p", {}, h("code", {}, "doppelgram serve RUNS"), " or ", h("code", {}, "doppelgram serve CATALOG --runs RUNS"))));
    return undefined;
  }
  const names = new Set(runs.map((run) => run.name));
  const asked = (state().runs ?? "").split(",").map((name) => decodeURIComponent(name)).filter((name) => names.has(name));
  const chosen = new Set(asked.length ? asked.slice(0, MOST) : [(runs.find((run) => run.state === "running") ?? runs[0]).name]);
  const list = h("section", { class: "runs", "aria-label": "Trainings" });
  const place = h("div", { class: "charts" });
  const status = h("p", { class: "quiet", role: "status" });
  const problems = h("div");
  const charts = new Map();
  let opened = [], timer = 0, gone = false;

  fill(root, h("div", { class: "with-panel" },
    h("aside", { class: "panel", "aria-label": "Trainings" }, h("h2", {}, plural(runs.length, "training")), list),
    h("div", {}, h("h1", {}, "Training"), status, problems, place)));

  function drawList(every) {
    const focused = list.contains(document.activeElement) ? document.activeElement.value : null;
    fill(list, every.map((run) => {
      const box = h("input", { type: "checkbox", value: run.name, checked: chosen.has(run.name), disabled: run.state === "unreadable", change: () => choose(run.name, box.checked) });
      const order = [...chosen].indexOf(run.name);
      return h("label", { class: "run" }, box, h("span", {},
        h("strong", {}, order >= 0 && chosen.size > 1 ? h("span", { class: `chip look-${order}`, "aria-hidden": "true" }) : null, run.name),
        h("span", { class: "quiet" }, run.problem || [run.recipe, `${run.state}${run.planned ? `, epoch ${number(run.epochs)} of ${number(run.planned)}` : ""}`, ...run.best.slice(0, 1).map(bestOf)].filter(Boolean).join(" · "))));
    }));
    if (focused !== null) list.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
  }

  function choose(name, wanted) {
    if (wanted) chosen.add(name);
    else chosen.delete(name);
    if (chosen.size > MOST) chosen.delete([...chosen][0]);
    remember({ runs: [...chosen].map(encodeURIComponent).join(",") });
    clearTimeout(timer);
    refresh();
  }

  async function refresh() {
    try {
      const [every, ...found] = await Promise.all([get("/runs"), ...[...chosen].map((name) => get(`/runs/${name.split("/").map(encodeURIComponent).join("/")}`))]);
      if (gone) return;
      opened = found;
      drawList(every);
      draw();
      fill(problems, opened.flatMap((run) => run.warnings.map((text) => note(`${run.name}: ${text}`))));
    } catch (problem) {
      if (!gone) fill(problems, note(problem.message));
    }
    if (!gone) timer = setTimeout(refresh, opened.some((run) => run.state === "running") ? LIVE : 5 * LIVE);
  }

  function draw() {
    const one = opened.length === 1 ? opened[0] : null;
    status.textContent = one
      ? [one.recipe, one.data, one.state === "running" ? "running; the curves grow as epochs end" : one.state === "interrupted" ? "interrupted; the same command with --resume goes on" : one.state, `epoch ${number(one.epochs)}${one.planned ? ` of ${number(one.planned)}` : ""}`, one.minutes ? `${number(Math.round(one.minutes))} min` : "", one.begun ? `begun ${day(one.begun)}` : "", ...one.best.map(bestOf)].filter(Boolean).join(" · ")
      : opened.length ? `${plural(opened.length, "training")} over each other, each in a colour of its own.` : "Choose a training on the left.";
    const measures = new Map(opened.flatMap((run) => run.measures).map((measure) => [measure.key, measure]));
    for (const [key, chart] of charts) {
      if (measures.has(key)) continue;
      chart.close();
      chart.section.remove();
      charts.delete(key);
    }
    if (opened.length && !measures.size) fill(place, h("p", { class: "lead" }, "No epoch is finished yet. The first curves appear when one is."));
    for (const measure of measures.values()) {
      const lines = linesOf(opened, measure);
      if (charts.has(measure.key)) { charts.get(measure.key).update(lines); continue; }
      if (!charts.size) fill(place);
      const chart = lineChart({
        lines,
        label: `${measure.title}, an epoch a step. ${measure.meaning}`,
        x: { format: (epoch) => `epoch ${epoch}`, marks: whole },
        y: SHARES.has(measure.key) ? { format: (share) => `${Number((share * 100).toPrecision(3))} %` } : {},
        fromZero: measure.key === "seconds",
        height: 200,
      });
      const section = h("section", { "data-measure": measure.key }, h("h2", {}, measure.title), chart.element, h("p", { class: "small quiet" }, measure.meaning));
      charts.set(measure.key, { ...chart, section });
      place.append(section);
    }
  }

  await refresh();
  return () => { gone = true; clearTimeout(timer); for (const chart of charts.values()) chart.close(); };
}

/** The lines of one chart: a colour a training, or a network or column where there is one training alone. */
function linesOf(opened, measure) {
  const columns = Object.entries(measure.lines);
  const alone = opened.length === 1 && opened[0].networks.length === 1;
  return opened.flatMap((run, order) => run.networks.flatMap((network, tower) => columns
    .filter(([column]) => opened.length === 1 || measure.key !== "distances" || column.startsWith("val_") || !network.columns.val_positive_distance)
    .filter(([column]) => (network.columns[column] ?? []).some((value) => value !== null))
    .map(([column, name]) => {
      const at = columns.findIndex(([each]) => each === column);
      const training = column.startsWith("train_") && columns.some(([each]) => each.startsWith("val_"));
      return {
        name: [opened.length > 1 ? run.name : "", network.network, columns.length > 1 || alone ? name : ""].filter(Boolean).join(" · ") || name,
        look: (opened.length > 1 ? order : run.networks.length > 1 ? tower : measure.key === "distances" ? at % 2 : training ? 1 : at) % 6,
        dashed: training || (opened.length + run.networks.length > 2 && column.includes("negative")),
        points: (network.columns.epoch ?? []).map((epoch, row) => [epoch, network.columns[column][row] ?? null]),
      };
    })));
}

/** Whole epochs along the axis. */
const whole = (low, high, count) => [...new Set([low, ...ticks(low, high, count).filter((epoch) => Number.isInteger(epoch) && epoch - low > (high - low) / 20)])].map((epoch) => [epoch, String(epoch)]);

/** The best epoch in words. */
function bestOf(best) {
  const names = { val_loss: "loss", val_map_at_r: "MAP@R", val_precision_at_1: "P@1", val_accuracy: "accuracy" };
  const value = best.measure.endsWith("loss") ? String(Number(best.value.toPrecision(3))) : best.measure === "val_map_at_r" ? best.value.toFixed(3) : percent(best.value);
  return `best ${best.network ? `${best.network} ` : ""}${names[best.measure] ?? best.measure} ${value} in epoch ${best.epoch}`;
}
