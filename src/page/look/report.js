// A report: what was run, its figures, everybody beside each other, and one run or pool in depth.

import uPlot from "./vendor/uplot/uplot.js";
import { announce, h } from "./dom.js";
import { stretch } from "./moments.js";
import { Cases, Course, Spread, Waits, linesOf, multiple } from "./plots.js";
import { Turns, sheet } from "./sheets.js";
import { count, money, plural, share, span } from "./words.js";

const data = JSON.parse(document.getElementById("data").textContent);
const ledger = data.kind === "ledger";
const comparison = data.kind === "comparison";
const one = ledger ? "pool" : "run";
const charts = [];
const chart = (made) => { charts.push(made); return made; };

const named = ({ name, seed }) => (seed === undefined ? name : `${name} (seed ${seed})`);
const times = (run) => run.cost.map((_, place) => run.start + place * run.step);
/** A line that is stepped needs the end of its last step. */
const ended = (column) => [...column, column.at(-1) ?? null];
const timesEnded = (run) => [...times(run), run.start + run.cost.length * run.step];

function themeSwitch() {
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const button = h("button", { type: "button", class: "quiet", id: "theme" }, isDark() ? "Light" : "Dark");
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("lowtide-theme", root.dataset.theme); } catch { /* Chosen for as long as the page is open. */ }
    button.textContent = isDark() ? "Light" : "Dark";
    redrawAll();
  });
  return button;
}

const redrawAll = () => charts.forEach((made) => made.draw());

function about() {
  const command = h("code", { id: "command" }, data.command);
  const copied = async () => {
    try { await navigator.clipboard.writeText(data.command); } catch {
      getSelection().selectAllChildren(command);
      if (!document.execCommand("copy")) return announce("select the command and copy it");
    }
    announce("copied");
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  };
  const copy = h("button", { type: "button", id: "copy", onclick: copied }, "Copy");
  return h("section", { class: "card about", "aria-label": "What was run" },
    h("dl", { class: "said" }, data.facts.map(([name, word]) => h("div", {}, h("dt", {}, name), h("dd", {}, word)))),
    h("div", { class: "command" }, h("pre", { tabindex: "0", "aria-label": "The command that makes this page" }, command), copy),
    data.notes.length > 0 && h("ul", { class: "assumes" }, data.notes.map((note) => h("li", {}, note))));
}

/** Lines that can be told apart in one chart; more are there when they are chosen. */
const LINES_MAX = 8;

/** The runs whose lines are drawn: the chosen one, and those that matter most. */
const drawnWith = (place) => [...new Set([place, ...data.runs.keys()])].slice(0, LINES_MAX).sort((a, b) => a - b);

/** The axis of the costs beside each other ends at so many times the chosen one. */
const TIMES = 6;

/** What is told apart by mean and by case: what costs are multiples of, and of which cases. */
function compared() {
  const { cases, points } = data;
  const over = cases.over === "bound" ? "the bound" : cases.over;
  const some = cases.leftOut > 0 ? `, ${count(cases.names.length)} of ${count(cases.names.length + cases.leftOut)}` : "";
  const by = chart(new Cases({ title: `Cost ÷ ${over} by case${some}`, height: 320, cases }));
  const spread = chart(new Spread({ title: `Cost ÷ ${over} against wait: means over the cases, of what 95 of 100 tasks waited at most`, height: 320, lines: [], bounds: [{ cost: 1, word: over, colour: "good" }], points, costs: multiple, onChoose: (point) => announce(point.name) }));
  if (points.length > 0) spread.set(points);
  const figures = [by, ...(points.length > 0 ? [spread] : [])].map(({ element }) => element);
  figures.forEach((figure) => figure.classList.add("first"));
  return h("section", { class: "card beside", "aria-label": "Beside each other" }, figures);
}

/** Everybody beside each other: cost against wait, cost over time, the distribution of waits. */
class Beside {
  constructor(onChoose) {
    const figures = [];
    const some = data.runs.length > LINES_MAX ? `, ${LINES_MAX} of ${count(data.runs.length)}` : "";
    if (data.points.length > 1) {
      const bounds = [["bound", "no plan without misses costs less than", "good"], ["boundWithMisses", "none with as many as may be", "shrink"]]
        .map(([key, word, tone]) => ({ cost: data.points.find((point) => point[key] !== undefined)?.[key], word, colour: tone })).filter(({ cost }) => cost !== undefined);
      this.spread = chart(new Spread({ title: "Cost against wait: 95 of 100 tasks waited at most", height: 320, lines: [], bounds, points: data.points, onChoose: (point) => (point.run === undefined ? announce(`${point.name} is not shown in depth`) : onChoose(point.run)) }));
      this.spread.element.classList.add("first");
      figures.push(this.spread.element);
    }
    this.cost = chart(new Course({ title: `Cost so far${some}`, height: 240, format: money, lines: [] }));
    if (data.runs.length > 1) figures.push(this.cost.element);
    if (!ledger) {
      this.waits = chart(new Waits({ title: `Waits: the share of tasks that waited no longer${some}`, height: 240, format: share, lines: [] }));
      figures.push(this.waits.element);
    }
    this.element = figures.length > 0 && h("section", { class: "card beside", "aria-label": "Beside each other" }, figures);
  }

  show(place) {
    const places = drawnWith(place);
    const runs = places.map((one_) => data.runs[one_]);
    const names = data.runs.map(named);
    if (this.spread) {
      this.spread.chosen = place;
      this.spread.set(data.points);
      this.spread.redraw();
    }
    if (runs.length > 1) {
      const all = [...new Set(runs.flatMap(timesEnded))].sort((a, b) => a - b);
      const columns = runs.map((run) => {
        const at = new Map(timesEnded(run).map((seconds, index) => [seconds, index === 0 ? 0 : run.cost[index - 1]]));
        // Pools have moments of their own; what one has no moment for is no gap.
        return all.map((seconds) => at.get(seconds));
      });
      this.cost.lines = linesOf(names, places, place);
      // What costs many times as much leaves the picture, or nothing else would be seen.
      this.cost.upTo(TIMES * (data.runs[place].cost.at(-1) || Infinity));
      this.cost.show([all, ...columns], { min: all[0], max: all.at(-1) });
      this.cost.draw();
    }
    if (this.waits) this.showWaits(runs, linesOf(names, places, place));
  }

  showWaits(runs, lines) {
    const longest = Math.max(60, ...data.runs.map((run) => run.figures.wait.max));
    const n = Math.min(data.waitMarks.length, data.waitMarks.findIndex((mark) => mark >= longest) + 1 || data.waitMarks.length);
    const marks = data.waitMarks.slice(0, n).map(Math.log10);
    this.waits.lines = lines;
    this.waits.show([marks, ...runs.map((run) => run.waits.slice(0, n))], { min: 0, max: marks.at(-1) });
    this.waits.draw();
  }
}

const tile = (name, value, aside) => h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, value, aside && h("small", {}, ` ${aside}`)));

function tiles(run) {
  const last = run.cost.at(-1) ?? 0;
  if (ledger) {
    const dear = run.allDedicated?.at(-1) ?? 0;
    return [tile("Cost", money(last)), dear > 0 && tile("All dedicated", money(dear), `${share(1 - last / dear)} saved`), tile("Evictions seen", count(run.evictions.reduce((sum, n) => sum + n, 0)))];
  }
  const { cost, wait, misses, tasks, evictions, nodeHours, orders } = run.figures;
  return [
    tile("Cost", money(cost.total), `${money(cost.dedicated)} + ${money(cost.spot)} spot`),
    tile("Paid without a task", share(cost.total > 0 ? cost.wasted / cost.total : 0), money(cost.wasted)),
    tile("Half waited", span(wait.p50), `95 %: ${span(wait.p95)}, longest ${span(wait.max)}`),
    tile("Late", `${count(misses.tasks)} tasks`, `${(misses.share * 100).toFixed(1)} %`),
    tile("Done", count(tasks.completed), `of ${count(tasks.submitted)}`),
    tile("Evictions", count(evictions), `${count(tasks.evicted)} tasks redone`),
    tile("Node-hours", count(nodeHours.total), `${count(orders)} orders`),
  ];
}

/** One run or pool in depth. */
class Deep {
  constructor(onChoose) {
    this.select = h("select", { id: "run", onchange: () => onChoose(Number(this.select.value)) }, data.runs.map((run, place) => h("option", { value: String(place) }, named(run))));
    this.facts = h("dl", { class: "facts" });
    this.reset = h("button", { type: "button", class: "chip", id: "unzoom", hidden: true, onclick: () => this.zoom(null) }, "Zoom out");
    this.note = h("p", { class: "note" });
    this.turns = new Turns((at) => this.mark(at));
    this.at = null;
    const shared = { sync: "deep", onRange: (from, to) => this.zoom({ min: from, max: to }), onPick: (at) => this.mark(this.turns.mark(at) ?? at), marks: () => this.at };
    const whole = (n) => (n >= 10 ? count(n) : String(Math.round(n * 10) / 10));
    this.nodes = chart(new Course({ ...shared, title: "Demand against nodes", height: 260, format: whole, lines: [
      { name: "dedicated", colour: "dedicated", area: 0.35, step: true },
      { name: "and spot", colour: "spot", area: 0.2, step: true, told: (columns, at) => (columns[2][at] === null ? null : columns[2][at] - columns[1][at]) },
      { name: "spot taken away", colour: "bad", area: 0.3, step: true },
      { name: "booting or idle", colour: "asked", step: true, dash: [3, 3] },
      { name: "demand", colour: "text", step: true }] }));
    this.waiting = chart(new Course({ ...shared, title: "Tasks that wait", height: 150, format: whole, lines: [{ name: "waiting", colour: "bad", area: 0.15, step: true }] }));
    this.cost = chart(new Course({ ...shared, title: "Cost so far", height: 150, format: money, lines: ledger ? [{ name: "all dedicated", colour: "muted", dash: [3, 4] }, { name: "cost", colour: "good", area: 0.15 }] : [{ name: "cost", colour: "good", area: 0.15 }] }));
    this.evicted = chart(new Course({ ...shared, title: "Evictions", height: 130, format: whole, lines: [{ name: "nodes evicted", colour: "bad", area: 0.5, step: true }] }).atLeast(2));
    const more = data.runsLeftOut > 0 ? h("span", { class: "aside" }, `${plural(data.runsLeftOut, one)} more in the figures alone`) : null;
    this.element = h("section", { class: "deep", "aria-label": `One ${one} in depth` },
      h("div", { class: "choose" }, h("h2", {}, "In depth"), h("label", { htmlFor: "run" }, ledger ? "Pool" : "Run"), this.select, more, h("span", { class: "spread" }), this.reset), this.facts,
      h("div", { class: "card course" }, this.note, [this.nodes, this.waiting, this.cost, this.evicted].map((made) => made.element)), this.turns.element);
  }

  show(place) {
    const run = data.runs[place];
    this.run = run;
    this.at = null;
    this.select.value = String(place);
    this.facts.replaceChildren(...tiles(run).filter(Boolean));
    this.turns.show(run);
    this.note.textContent = `${stretch(run.start, run.start + run.step * run.cost.length)}; one point for ${span(run.step)}. Drag to zoom, click for the decision.`;
    this.zoom(null);
  }

  zoom(range) {
    const run = this.run;
    const at = timesEnded(run);
    this.range = range ?? { min: at[0], max: at.at(-1) };
    this.reset.hidden = range === null;
    const sum = (one_, other) => one_.map((n, place) => (n === null || other[place] === null ? null : n + other[place]));
    const positive = (column) => column.map((n) => n || null);
    const cost = [0, ...run.cost];
    this.nodes.show([at, ended(run.dedicated), ended(sum(run.dedicated, run.spot)), ended(positive(run.preempted)), ended(sum(run.starting, run.idle)), ended(run.demand)], this.range);
    this.waiting.show([at, ended(run.waiting)], this.range);
    this.cost.show(ledger ? [at, [0, ...run.allDedicated], cost] : [at, cost], this.range);
    this.evicted.show([at, ended(run.evictions)], this.range);
  }

  mark(seconds) {
    this.at = seconds;
    this.turns.mark(seconds);
    for (const made of [this.nodes, this.waiting, this.cost, this.evicted]) made.redraw();
  }
}

/** Paper is narrow, white and fine; what was there before comes back behind it. */
function printable() {
  const root = document.documentElement;
  let before = null;
  const begin = () => {
    if (before) return;
    before = { theme: root.dataset.theme, ratio: uPlot.pxRatio, heights: charts.map(({ height }) => height) };
    charts.forEach((made) => { made.height = Math.round(made.height * 0.7); });
    root.dataset.theme = "light";
    root.classList.add("paper");
    uPlot.sharpness(Math.max(2, before.ratio));
    redrawAll();
  };
  const end = () => {
    if (!before) return;
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    root.classList.remove("paper");
    uPlot.sharpness(before.ratio);
    charts.forEach((made, place) => { made.height = before.heights[place]; });
    before = null;
    redrawAll();
  };
  addEventListener("beforeprint", begin);
  addEventListener("afterprint", end);
}

function main() {
  const choose = (place) => {
    if (!data.runs[place]) return;
    beside.show(place);
    deep.show(place);
    document.querySelectorAll(".sheet tbody tr").forEach((row) => row.setAttribute("aria-current", String(row.dataset.run === String(place))));
    announce(`${named(data.runs[place])} is shown in depth`);
  };
  const beside = comparison ? { element: compared() } : new Beside(choose);
  const deep = data.runs.length > 0 ? new Deep(choose) : null;
  document.getElementById("top").append(h("h1", {}, data.title), h("span", { class: "spread" }), h("button", { type: "button", class: "quiet", id: "print", onclick: () => print() }, "Print"), themeSwitch());
  const sheets = h("div", { class: "sheets" }, data.sheets.map((one_) => sheet(one_, choose)));
  document.getElementById("content").append(...(comparison ? [about(), sheet(data.sheets[0]), beside.element, sheet(data.sheets[1])] : [about(), sheets, beside.element, deep?.element ?? h("p", { class: "empty" }, "There is no decision in that time.")]).filter(Boolean));
  document.getElementById("foot").append(`Made by ${data.program}. Times are UTC. The page is one file and loads nothing.`);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  printable();
  if (deep) choose(0);
  document.documentElement.dataset.drawn = "true";
}

main();
