// One pool in depth: what it does now, its course, every decision with its reasons, what if, and pause.

import { get, inPath } from "./api.js";
import { bar } from "./account.js";
import { chain } from "./chain.js";
import { Chart } from "./chart.js";
import { fill, h, say } from "./dom.js";
import { Halts } from "./halts.js";
import { Marks } from "./marks.js";
import { verdict, why } from "./pools.js";
import { Savings } from "./savings.js";
import { WhatIf } from "./whatif.js";
import { count, hourly, mix, moment, money, plural, share, span } from "./words.js";

const TIMES = [["1h", 3600, "1 h"], ["6h", 6 * 3600, "6 h"], ["24h", 86400, "24 h"], ["7d", 7 * 86400, "7 d"], ["30d", 30 * 86400, "30 d"]];

/** What is forecast of these is drawn beside the tasks; of anything else, as the nodes that it needs. */
const TASK_METRICS = ["$PendingTasks", "$ActiveTasks", "$RunningTasks"];

/** A course is asked for again at most so often, however much happens. */
const ASK_APART_MS = 3_000;

/** Without the time before the first point, where that is most of it: a young ledger fills the charts as well. */
function trimmed(at, { min, max }) {
  const first = at[0] ?? min;
  return first - min > (max - min) / 2 ? { min: first - (max - first) / 50, max } : { min, max };
}

/** Says where the points come from, where that is not the ledger alone. */
function origin({ of, until, fault }, now) {
  if (fault) return ` History: Prometheus did not answer, from the ledger (${fault}).`;
  if (of === "both") return ` History: from Prometheus before ${moment(until, now)}, without its decisions.`;
  return of === "prometheus" ? " History: from Prometheus; decisions from the ledger." : "";
}

export class PoolView {
  constructor(id, { now, refresh }) {
    Object.assign(this, { id, now, refresh, time: "6h", zoom: null, version: null, asked: 0, follows: true });
    this.stop = new AbortController();
    this.head = h("header", { class: "poolhead" });
    this.facts = h("dl", { class: "facts" });
    this.explained = h("section", { class: "card explained", id: "explained", "aria-label": "Decision", "aria-live": "polite", tabindex: "-1" }, h("p", { class: "empty" }, "Asking the ledger…"));
    this.marks = new Marks((mark) => this.explain(mark));
    this.halts = new Halts(id, refresh);
    this.savings = new Savings(id);
    this.charts = this.makeCharts();
    this.times = h("div", { class: "times", role: "group", "aria-label": "How much of the past" });
    this.course = h("section", { class: "card course", "aria-label": "Course" }, h("div", { class: "tools" }, h("h2", {}, "Course"), this.times), h("p", { class: "note", role: "status" }, "Asking the ledger…"),
      this.charts.nodes.element, this.marks.element, this.charts.queue.element, this.charts.cost.element);
    this.beside = h("div", { class: "beside" }, h("button", { type: "button", id: "before", onclick: () => this.step(-1) }, "← Before"), h("button", { type: "button", id: "behind", onclick: () => this.step(1) }, "After →"), h("button", { type: "button", id: "latest", onclick: () => this.latest() }, "Latest"));
    this.element = h("div", { class: "pool" }, this.head, this.facts, this.savings.element,
      h("div", { class: "columns" }, this.course, h("div", { class: "side" }, h("div", {}, this.beside, this.explained), this.halts.element)));
    this.drawTimes();
    this.themed = () => Object.values(this.charts).forEach((chart) => chart.draw());
    addEventListener("themed", this.themed);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.themed);
  }

  makeCharts() {
    const shared = { sync: `pool-${this.id}`, onRange: (from, to) => this.zoomTo(from, to), onPick: (at) => this.pick(at), marks: () => this.at ?? null, ahead: () => this.ahead ?? null };
    return {
      nodes: new Chart({ ...shared, title: "Nodes", height: 220, format: (n) => count(n), lines: [
        { name: "dedicated", colour: "dedicated", area: 0.35, step: true },
        { name: "and spot", colour: "spot", area: 0.2, step: true, told: (columns, at) => (columns[2][at] === null ? null : columns[2][at] - columns[1][at]) },
        { name: "target", colour: "text", step: true },
        { name: "asked for", colour: "asked", step: true, dash: [5, 4] },
        { name: "spot taken away", colour: "bad", area: 0.3, step: true, told: (columns, at) => columns[5][at] ?? 0 },
        { name: "forecast", colour: "shrink", dash: [6, 5] }] }),
      queue: new Chart({ ...shared, title: "Tasks", height: 150, format: (n) => count(n), lines: [
        { name: "waiting", colour: "bad", area: 0.15 }, { name: "running", colour: "grow" }, { name: "forecast", colour: "shrink", dash: [6, 5] }] }),
      cost: new Chart({ ...shared, title: "Cost of an hour", height: 130, format: (n) => money(n), lines: [
        { name: "all dedicated", colour: "muted", step: true, dash: [3, 4] }, { name: "cost", colour: "good", area: 0.15, step: true }] }),
    };
  }

  drawTimes() {
    const choose = (time) => { this.time = time; this.zoom = null; this.asked = 0; this.drawTimes(); this.load(); };
    fill(this.times, TIMES.map(([time, , word]) => h("button", { type: "button", class: "chip", "aria-pressed": String(!this.zoom && time === this.time), data: { focus: `time-${time}`, time }, onclick: () => choose(time) }, word)),
      this.zoom && h("button", { type: "button", class: "chip", data: { focus: "unzoom" }, onclick: () => choose(this.time) }, "Zoom out"));
  }

  zoomTo(from, to) {
    this.zoom = { min: from, max: to };
    this.asked = 0;
    this.drawTimes();
    this.load();
  }

  /** Shows the pool as it is now; asks for its course again when something was decided. */
  show(pool) {
    this.pool = pool;
    const now = this.now();
    fill(this.head, h("a", { class: "back", href: "#/", data: { focus: "back" } }, "← All pools"), h("div", { class: "named" }, h("h1", {}, pool.pool), verdict(pool)), h("p", { class: "headline" }, why(pool, now)),
      h("p", { class: "aside" }, `Policy ${pool.policy}${pool.mode ? ` (${pool.mode})` : ""}${pool.bounds ? `, ${count(pool.bounds.min)} to ${count(pool.bounds.max)} nodes` : ""}; last decided ${moment(pool.decidedAt, now, true)}`));
    fill(this.facts, this.factsOf(pool, now));
    this.savings.show(now);
    this.halts.show(pool.halt, now);
    if (!this.whatif) {
      this.whatif = new WhatIf(this.id, pool.policy);
      this.element.append(this.whatif.element);
    }
    if (this.version !== pool.number) {
      this.version = pool.number;
      if (this.follows) this.latest();
      this.loadSoon();
    }
  }

  factsOf(pool, now) {
    const { measures, cost } = pool;
    const fact = (name, value, title) => h("div", { class: "fact", title }, h("dt", {}, name), h("dd", {}, value));
    const told = pool.order && (pool.order.dedicated !== pool.target.dedicated || pool.order.spot !== pool.target.spot) ? [` → ${mix(pool.order)}`] : [];
    return [
      fact("Nodes", [mix(pool.current), bar([{ name: "dedicated", n: pool.current.dedicated }, { name: "spot", n: pool.current.spot }], `${mix(pool.current)}, dedicated + spot`)], "dedicated + spot that are there"),
      fact("Target", [mix(pool.target), ...told], "what it is told to have, and what is ordered"),
      pool.nodes && fact("Usable", `${count(pool.nodes.usable)}${pool.nodes.starting ? `, ${count(pool.nodes.starting)} starting` : ""}${pool.nodes.unusable ? `, ${count(pool.nodes.unusable)} unusable` : ""}`),
      measures.waiting !== undefined && fact("Tasks", `${count(measures.waiting)} wait, ${count(measures.running ?? 0)} run`),
      measures.waitsSince && fact("Longest wait", span((now - Date.parse(measures.waitsSince)) / 1000)),
      measures.waitedP95Seconds !== undefined && fact("95 % started in", span(measures.waitedP95Seconds), "of the latest tasks"),
      cost && fact("An hour", [money(cost.now), cost.allDedicated > 0 ? h("small", {}, ` ${share(1 - cost.now / cost.allDedicated)} saved`) : null], `all dedicated: ${hourly(cost.allDedicated)}`),
      fact("Evictions", `${count(measures.evicted)}${pool.nodes?.preempted ? `, ${pool.nodes.preempted} away now` : ""}${measures.fallsBack ? ", dedicated stands in" : ""}`, "since the sidecar began"),
      measures.evictionsHourly !== undefined && fact("Expected", `${measures.evictionsHourly.toFixed(3)} an hour`, "evictions of a spot node, as learned"),
    ];
  }

  loadSoon() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.load(), Math.max(0, this.asked + ASK_APART_MS - Date.now()));
  }

  range() {
    if (this.zoom) return this.zoom;
    const max = this.now() / 1000;
    return { min: max - TIMES.find(([time]) => time === this.time)[1], max };
  }

  async load() {
    clearTimeout(this.later);
    if (this.loading) return this.loadSoon();
    this.loading = true;
    this.asked = Date.now();
    const range = this.range();
    const at = (seconds) => encodeURIComponent(new Date(seconds * 1000).toISOString());
    const points = Math.min(600, Math.max(100, Math.round(this.course.clientWidth / 2)));
    try {
      const told = await get(`pools/${inPath(this.id)}/series?from=${at(range.min)}&to=${at(range.max)}&points=${points}`, this.stop.signal);
      this.draw(told, range);
    } catch (error) {
      if (error.name !== "AbortError") this.note(`${error.message}${error.wayOut ? `: ${error.wayOut}` : ""}`);
      if (error.name !== "AbortError" && error.kind === "not-kept") this.latest();
    }
    this.loading = false;
  }

  draw(told, asked) {
    const range = this.zoom ? asked : { ...trimmed(told.at, asked) };
    const { forecast } = told;
    const last = forecast?.at.at(-1) ?? 0;
    // What lies ahead of now is shown as well.
    this.ahead = last > range.max ? range.max : null;
    if (!this.zoom && last > range.max) range.max = last;
    this.shown = range;
    const both = told.dedicated.map((n, at) => (n === null ? null : n + told.spot[at]));
    const target = told.targetDedicated.map((n, at) => (n === null ? null : n + told.targetSpot[at]));
    const price = told.priceDedicated ?? null;
    const nodes = [told.at, told.dedicated, both, target, told.asked, told.preempted.map((n) => n || null)];
    const tasks = [told.at, told.waiting, told.running];
    const [ofTasks, ofNodes] = forecast ? [TASK_METRICS.includes(forecast.metric), !TASK_METRICS.includes(forecast.metric)] : [false, false];
    this.charts.nodes.show(ofNodes ? Chart.joined(nodes, [forecast.at, forecast.nodes]) : nodes, range);
    this.charts.queue.show(ofTasks ? Chart.joined(tasks, [forecast.at, forecast.value]) : tasks, range);
    this.charts.cost.show([told.at, both.map((n) => (n === null || price === null ? null : n * price)), told.costHourly], range);
    this.marks.show(told.marks, range, this.now());
    if (told.at.length === 0) this.note(`Nothing was decided in that time.${origin(told.history, this.now())}`);
    else this.note(`${plural(told.decisions, "decision")}${told.whole ? "" : ", of which the first are shown"}; one point for ${span(told.stepSeconds)}. ${forecast ? ` Dashed: ${forecast.metric} as it was forecast for that time.` : ""} Drag to zoom, click for the decision.${origin(told.history, this.now())}`);
  }

  note(text) {
    say(this.course.querySelector(".note"), text);
  }

  /** Explains the decision of a mark. */
  async explain(mark) {
    this.at = Date.parse(mark.at) / 1000;
    this.follows = false;
    Object.values(this.charts).forEach((chart) => chart.redraw());
    await this.tell(`pools/${inPath(this.id)}/explain?at=${encodeURIComponent(mark.at)}`);
  }

  /** Explains what held at a moment that was clicked. */
  async pick(seconds) {
    const { min, max } = this.shown ?? this.range();
    const near = this.marks.nearest(seconds);
    // A click beside a mark means the mark.
    if (near && Math.abs(Date.parse(near.at) / 1000 - seconds) < (max - min) / 150) return this.marks.choose(near);
    this.at = seconds;
    this.follows = false;
    Object.values(this.charts).forEach((chart) => chart.redraw());
    return this.tell(`pools/${inPath(this.id)}/explain?at=${encodeURIComponent(new Date(seconds * 1000).toISOString())}`);
  }

  latest() {
    this.follows = true;
    this.at = null;
    this.marks.chosen = null;
    this.marks.stops();
    Object.values(this.charts).forEach((chart) => chart.redraw());
    return this.tell(`pools/${inPath(this.id)}/explain`);
  }

  step(by) {
    const mark = this.marks.beside(by);
    if (mark) this.marks.choose(mark);
  }

  async tell(path) {
    this.wanted = path;
    try {
      const told = await get(path, this.stop.signal);
      if (this.wanted === path) fill(this.explained, chain(told, this.now()));
    } catch (error) {
      if (error.name !== "AbortError" && this.wanted === path) fill(this.explained, h("p", { class: "wrong" }, `${error.message}${error.wayOut ? `: ${error.wayOut}` : ""}`));
    }
  }

  /** Ends it: nothing is asked for any more. */
  end() {
    this.stop.abort();
    clearTimeout(this.later);
    removeEventListener("themed", this.themed);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.themed);
    Object.values(this.charts).forEach((chart) => chart.end());
  }
}
