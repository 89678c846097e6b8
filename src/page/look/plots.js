// The charts of a report, on those of the dashboard: in UTC, waits on a logarithmic axis, cost against wait.

import uPlot from "./vendor/uplot/uplot.js";
import { Chart, colour } from "./chart.js";
import { h } from "./dom.js";
import { clockOf, dayOf } from "./moments.js";
import { money, share, span } from "./words.js";

const HOURS = [3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2419200, 7776000, 15552000, 31536000];
const STEPS = [60, 300, 600, 900, 1800, ...HOURS];

/** A chart over time, whose axis names hours and days in UTC. */
export class Course extends Chart {
  options(width) {
    const options = super.options(width);
    const [across] = options.axes;
    const axis = { ...across, space: 20, splits: (_, __, least, most) => this.ticks(least, most, width), values: (_, splits) => splits.map((at, place) => this.name(at, splits[place - 1])) };
    const { range } = options.scales.y;
    const y = { range: (plot, low, high) => range(plot, low, Math.max(this.floor ?? 0, Math.min(high ?? 0, this.top ?? Infinity))) };
    return { ...options, padding: [8, 34, 0, 0], scales: { ...options.scales, y }, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"), axes: [axis, options.axes[1]] };
  }

  /** Where the axis of what is told ends at the latest. */
  upTo(most) {
    this.top = most;
  }

  /** Where it ends at the soonest: nothing at all is no reason for an axis of nothings. */
  atLeast(least) {
    this.floor = least;
    return this;
  }

  ticks(least, most, width) {
    const step = STEPS.find((one) => (most - least) / one <= width / 85) ?? STEPS.at(-1);
    const ticks = [];
    for (let at = Math.ceil(least / step) * step; at <= most; at += step) ticks.push(at);
    this.step = step;
    return ticks;
  }

  name(at, before) {
    if (this.step >= 86400) return dayOf(at);
    const isNewDay = before === undefined || dayOf(before) !== dayOf(at);
    return isNewDay ? `${clockOf(at)}\n${dayOf(at)}` : clockOf(at);
  }
}

const WAITS = [1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400];

/** The share of tasks by how long they waited at most; columns have the logarithm of the seconds. */
export class Waits extends Chart {
  options(width) {
    const options = super.options(width);
    const across = { ...options.axes[0], space: 20, splits: (_, __, least, most) => WAITS.map(Math.log10).filter((at) => at >= least - 1e-9 && at <= most + 1e-9), values: (_, splits) => splits.map((at) => span(10 ** at)) };
    const up = { ...options.axes[1], splits: () => [0, 0.25, 0.5, 0.75, 1], values: (_, splits) => splits.map(share) };
    return { ...options, scales: { x: { time: false }, y: { range: () => [0, 1.02] } }, axes: [across, up] };
  }
}

/** Costs whose largest is so many times the least stand on a logarithmic axis. */
const FACTOR = 8;

const WAIT_STEPS = [1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, ...HOURS];

/** Names stand beside so many points at most; more would hide one another. */
const NAMES_MAX = 14;

/** What contenders or settings cost against how long tasks waited: a dot each, a line through those that nothing beats. */
export class Spread extends Chart {
  constructor(given) {
    super({ ...given, format: (seconds) => span(seconds) });
    this.costs = given.costs ?? money;
    this.points = given.points;
    this.bounds = given.bounds;
    this.onChoose = given.onChoose;
    this.chosen = null;
  }

  /** Columns by cost: dots of the policies, of what they are compared with, and the front. */
  set(points) {
    this.sorted = [...points].sort((a, b) => a.cost - b.cost || a.waitP95 - b.waitP95);
    const pick = (holds) => this.sorted.map((point) => (holds(point) ? point.waitP95 : null));
    const all = [...this.sorted, ...this.bounds].map(({ cost }) => cost);
    // Where one costs many times what another does, each factor is as wide as any other.
    this.logs = Math.min(...all) > 0 && Math.max(...all) / Math.min(...all) > FACTOR;
    const [least, most] = [Math.min(...all), Math.max(...all)].map((cost) => this.across(cost));
    const room = (most - least || most || 1) * 0.06;
    this.show([this.sorted.map(({ cost }) => this.across(cost)), pick((point) => point.own), pick((point) => !point.own), pick((point) => point.front)], { min: this.logs ? least - room : Math.max(0, least - room), max: most + room * 2 });
  }

  across(cost) { return this.logs ? Math.log10(cost) : cost; }

  options(width) {
    const options = super.options(width);
    const plain = { ...options.axes[0], space: 80, size: 30 };
    const across = this.logs ? { ...plain, splits: (_, __, least, most) => decades(least, most, width / 75), values: (_, splits) => splits.map((at) => this.costs(10 ** at)) } : { ...plain, values: (_, splits) => splits.map((at) => this.costs(at)) };
    const dots = (name, size) => ({ label: name, stroke: colour(name), paths: () => null, points: { show: true, size, fill: colour(name), stroke: colour("panel"), width: 1 } });
    return {
      ...options,
      cursor: { ...options.cursor, drag: { x: false, y: false }, dataIdx: (plot, _, near) => this.nearest(plot) ?? near },
      scales: { x: { time: false }, y: { range: (_, least, most) => [Math.min(0, least ?? 0) - (most || 1) * 0.04, (most || 1) * 1.15] } },
      axes: [across, { ...options.axes[1], splits: (_, __, ___, most) => steps(most) }],
      series: [{}, dots("dedicated", 11), dots("asked", 11), { stroke: colour("spot"), width: 2, spanGaps: true, dash: [4, 3], paths: uPlot.paths.stepped({ align: 1 }), points: { show: true, size: 15, stroke: colour("spot"), width: 2, fill: "transparent" } }],
    };
  }

  nearest(plot) {
    const { left, top } = plot.cursor;
    if (left === undefined || left < 0) return null;
    const far = (point) => Math.hypot(plot.valToPos(this.across(point.cost), "x") - left, plot.valToPos(point.waitP95, "y") - top);
    return this.sorted.reduce((best, point, place) => (best === null || far(point) < far(this.sorted[best]) ? place : best), null);
  }

  draw() {
    super.draw();
    this.plot?.over.addEventListener("click", () => {
      const place = this.nearest(this.plot);
      if (place !== null) this.onChoose(this.sorted[place]);
    });
  }

  told() {
    if (!this.columns) return;
    const place = this.plot ? this.nearest(this.plot) : null;
    const point = place === null ? null : this.sorted[place];
    const keys = [["dedicated", "policies", this.sorted.some(({ own }) => own)], ["asked", "others", this.sorted.some(({ own }) => !own)], ["spot", "nothing is as good in both and better in one", true]];
    this.legend.replaceChildren(...keys.filter(([, , there]) => there).map(([name, word]) => legendItem(name, word, name === "spot")),
      ...this.bounds.map(({ word, cost, colour: name }) => legendItem(name, `${word} ${this.costs(cost)}`, true)),
      ...(point ? [legendText(`${point.name}: ${this.costs(point.cost)}, ${span(point.waitP95)}`)] : []));
  }

  drawMarks(plot) {
    const { ctx, bbox } = plot;
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.lineWidth = 2 * ratio;
    for (const bound of this.bounds) {
      const x = plot.valToPos(this.across(bound.cost), "x", true);
      ctx.strokeStyle = colour(bound.colour);
      ctx.setLineDash([6 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    this.drawChosen(plot, ratio);
    this.drawNames(plot, ratio);
    ctx.restore();
  }

  drawChosen(plot, ratio) {
    const point = this.sorted.find((one) => one.run !== undefined && one.run === this.chosen);
    if (!point) return;
    const { ctx } = plot;
    ctx.strokeStyle = colour("text");
    ctx.beginPath();
    ctx.arc(plot.valToPos(this.across(point.cost), "x", true), plot.valToPos(point.waitP95, "y", true), 10 * ratio, 0, 2 * Math.PI);
    ctx.stroke();
  }

  /** Names beside the dots, each where no other name is yet. */
  drawNames(plot, ratio) {
    const named = this.sorted.length <= NAMES_MAX ? this.sorted : this.sorted.filter(({ front }) => front).slice(0, NAMES_MAX);
    const { ctx, bbox } = plot;
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    ctx.fillStyle = colour("text");
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    const taken = [];
    for (const point of named) {
      const [x, y] = [plot.valToPos(this.across(point.cost), "x", true), plot.valToPos(point.waitP95, "y", true)];
      const full = point.label ?? point.name;
      const name = full.length > 44 ? `${full.slice(0, 43)}…` : full;
      const wide = ctx.measureText(name).width;
      const left = x + 12 * ratio + wide > bbox.left + bbox.width ? x - 12 * ratio - wide : x + 12 * ratio;
      const hits = (at) => taken.some((box) => Math.abs(box.y - at) < 14 * ratio && left < box.right && left + wide > box.left);
      const at = [0, -14, 14, -28, 28].map((by) => y + by * ratio).find((one) => !hits(one) && one > bbox.top && one < bbox.top + bbox.height);
      if (at === undefined || left < bbox.left) continue;
      taken.push({ y: at, left, right: left + wide });
      ctx.strokeStyle = colour("panel");
      ctx.lineWidth = 4 * ratio;
      ctx.strokeText(name, left, at);
      ctx.fillText(name, left, at);
    }
  }
}

/** Dollars that people read: ones, twos and fives of each power of ten, or ones alone where there is little room. */
function decades(least, most, room) {
  const parts = (most - least) * 3 <= room ? [1, 2, 5] : [1];
  const found = [];
  for (let power = Math.floor(least); power <= most; power += 1) found.push(...parts.map((one) => power + Math.log10(one)));
  return found.filter((at) => at >= least && at <= most);
}

/** Waits that people read, from none to the longest. */
function steps(most) {
  const step = WAIT_STEPS.find((one) => most / one <= 6) ?? WAIT_STEPS.at(-1);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, place) => place * step);
}

const legendItem = (name, word, dashed) => h("li", {}, h("span", { class: `key ${dashed ? "dashed" : ""}`, style: { "--key": `var(--${name})` } }), word);
const legendText = (text) => h("li", {}, h("b", {}, text));

/** Colours that can be told apart in both looks; a seventh line is dashed. */
const HUES = ["dedicated", "spot", "asked", "bad", "shrink", "muted"];

/** Lines of many contenders; the chosen one is thick and an area as well. */
export const linesOf = (names, places, chosen) =>
  places.map((place) => ({ name: names[place], colour: HUES[place % HUES.length], dash: place >= HUES.length ? [6, 4] : undefined, area: place === chosen ? 0.12 : undefined, width: place === chosen ? 3 : 1.5 }));

/** A multiple: as many digits as tell it from one. */
export const multiple = (ratio) => `${ratio.toLocaleString("en", { maximumFractionDigits: ratio >= 100 ? 0 : ratio >= 10 ? 1 : 2, minimumFractionDigits: ratio >= 10 ? 0 : 2 })} ×`;

/** So many pixels are room enough for the name of a case. */
const NAME_WIDE = 130;

/** What each contender cost case by case: a dot each, on a line that stands for one time what costs are multiples of. */
export class Cases extends Chart {
  constructor({ cases, ...given }) {
    super({ ...given, format: multiple, lines: cases.contenders.map((name, place) => ({ name, colour: HUES[place % HUES.length], hollow: place >= HUES.length })) });
    this.cases = cases;
    const all = cases.ratios.flat().filter((ratio) => ratio !== null);
    this.ends = all.length > 0 ? [Math.min(1, ...all), Math.max(1, ...all)] : [1, 2];
    this.logs = this.ends[1] / this.ends[0] > FACTOR;
    this.show([cases.names.map((_, place) => place), ...cases.ratios], { min: -0.5, max: cases.names.length - 0.5 });
  }

  options(width) {
    const options = super.options(width);
    const room = (width - 70) / this.cases.names.length;
    const named = room > NAME_WIDE;
    const step = named ? 1 : [1, 2, 5, 10, 20, 50, 100].find((one) => room * one > 34) ?? 200;
    const places = this.cases.names.map((_, place) => place).filter((place) => named || (place + 1) % step === 0 || (step === 1) || place === 0);
    const short = (text) => { const most = Math.floor(room / 7); return text.length > most ? `${text.slice(0, most - 1)}…` : text; };
    const across = { ...options.axes[0], space: 20, size: named ? 46 : 30, splits: () => places, values: () => places.map((place) => (named ? this.cases.names[place].map(short).join("\n") : String(place + 1))) };
    const [least, most] = this.ends;
    const [low, high] = this.logs ? [least / 1.15, most * 1.25] : [least - (most - least) * 0.06, most + ((most - least) || 1) * 0.1];
    const marks = { splits: () => decades(Math.log10(low), Math.log10(high), this.height / 34).map((at) => 10 ** at), filter: (_, splits) => splits };
    const up = this.logs ? { ...options.axes[1], ...marks } : options.axes[1];
    const y = { distr: this.logs ? 3 : 1, range: () => [low, high] };
    return { ...options, cursor: { ...options.cursor, drag: { x: false, y: false } }, scales: { x: { time: false }, y }, axes: [across, up] };
  }

  series(line) {
    return { label: line.name, stroke: colour(line.colour), paths: () => null, points: { show: true, size: 9, width: line.hollow ? 2 : 1, fill: line.hollow ? colour("panel") : colour(line.colour), stroke: line.hollow ? colour(line.colour) : colour("panel") } };
  }

  told(index) {
    if (!this.columns) return;
    const at = index ?? null;
    const words = this.lines.map(({ name, colour: hue, hollow }, place) => {
      const ratio = at === null ? null : this.columns[place + 1][at];
      return h("li", {}, h("span", { class: `key dot ${hollow ? "hollow" : ""}`, style: { "--key": `var(--${hue})` } }), name, at !== null && h("b", {}, ` ${ratio === null ? "not met" : multiple(ratio)}`));
    });
    this.legend.replaceChildren(...(at === null ? [] : [legendText(`${at + 1}: ${this.cases.names[at].join(", ")}`)]), ...words);
  }

  drawMarks(plot) {
    const { ctx, bbox } = plot;
    const y = plot.valToPos(1, "y", true);
    ctx.save();
    ctx.strokeStyle = colour("good");
    ctx.lineWidth = 2 * uPlot.pxRatio;
    ctx.setLineDash([6 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}
