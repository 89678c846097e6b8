// Charts over time by uPlot: the same stretch in all of them, one cursor, colours of the look that is chosen.

import uPlot from "./vendor/uplot/uplot.js";
import { h } from "./dom.js";

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A colour with less of it. */
const thin = (name, part) => `color-mix(in srgb, ${colour(name)} ${Math.round(part * 100)}%, transparent)`;

const LEFT = 58;
const RIGHT = 12;

/**
 * A chart: `lines` are { name, colour, area, step, dash, width, told }; `format` writes a value.
 * `marks()` and `ahead()` give moments to be marked: the chosen one, and now where lines reach beyond it. `onRange(min, max)` hears what stretch is chosen by dragging, `onPick(seconds)` what moment is clicked.
 */
export class Chart {
  constructor({ title, lines, format, height = 170, sync, onRange, onPick, marks, ahead }) {
    Object.assign(this, { title, lines, format, height, sync, onRange, onPick, marks, ahead });
    this.holder = h("div", { class: "canvas" });
    this.legend = h("ul", { class: "legend" });
    this.element = h("figure", { class: "chart", "aria-label": title }, h("figcaption", {}, h("h3", {}, title), this.legend), this.holder);
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.holder);
  }

  options(width) {
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 4 }, font: "12px system-ui, sans-serif" };
    return {
      width, height: this.height,
      padding: [8, RIGHT, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: this.sync }, drag: { x: true, y: false, setScale: false }, points: { size: 7 }, y: false },
      select: { show: true },
      scales: { x: { time: true }, y: { range: (_, least, most) => [Math.min(0, least ?? 0), Math.max(1e-6, (most ?? 1) * 1.12)] } },
      axes: [
        { ...axis, space: 70, values: [[86400, "{D} {MMM}", null, null, null, null, null, null, 1], [3600, "{HH}:{mm}", null, null, "\n{D} {MMM}", null, null, null, 1], [60, "{HH}:{mm}", null, null, "\n{D} {MMM}", null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
        { ...axis, size: LEFT, space: 34, values: (_, values) => values.map((value) => this.format(value)) },
      ],
      series: [{}, ...this.shown().map((line) => this.series(line))],
      hooks: { setSelect: [(plot) => this.selected(plot)], setCursor: [(plot) => this.told(plot.cursor.idx)], draw: [(plot) => this.drawMarks(plot)] },
    };
  }

  /** The lines that there are columns for; those that are there at times stand last. */
  shown() { return this.lines.slice(0, this.columns.length - 1); }

  series(line) {
    return {
      label: line.name, stroke: colour(line.colour), width: line.width ?? (line.area ? 1.5 : 2),
      fill: line.area ? thin(line.colour, line.area) : undefined,
      dash: line.dash, points: { show: false },
      paths: line.step ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
    };
  }

  /** Shows columns: seconds first, then one for each line; null is a gap. */
  show(columns, range) {
    const same = this.columns?.length === columns.length;
    [this.columns, this.range] = [columns, range];
    if (!this.plot || !same) return this.draw();
    this.plot.setData(columns, false);
    this.plot.setScale("x", range);
    this.told(null);
  }

  draw() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.columns || this.holder.clientWidth < 50) return;
    this.plot = new uPlot(this.options(this.holder.clientWidth), this.columns, this.holder);
    this.plot.setScale("x", this.range);
    this.plot.over.addEventListener("click", () => {
      const { left } = this.plot.cursor;
      if (left >= 0 && !this.dragged) this.onPick?.(this.plot.posToVal(left, "x"));
      this.dragged = false;
    });
    this.told(null);
  }

  resize() {
    const width = this.holder.clientWidth;
    if (!this.plot) this.draw();
    else if (width > 50 && width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 8) return;
    this.dragged = true;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.onRange?.(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  }

  /** Says in the legend what the lines are at a place, or where they end. */
  told(index) {
    if (!this.columns) return;
    const last = this.columns[0].length - 1;
    const at = index ?? last;
    const items = this.shown().map((line, place) => {
      const column = this.columns[place + 1];
      // Where columns of other moments were joined, what held before is meant.
      let from = at;
      while (from > 0 && column[from] === undefined) from -= 1;
      const told = line.told ? line.told(this.columns, from) : column[from];
      return h("li", {}, h("span", { class: `key ${line.dash ? "dashed" : ""}`, style: { "--key": `var(--${line.colour})` } }), line.name, " ", h("b", {}, told === null || told === undefined ? "–" : this.format(told)));
    });
    this.legend.replaceChildren(...items);
  }

  drawMarks(plot) {
    this.upright(plot, this.marks?.(), "text", []);
    this.upright(plot, this.ahead?.(), "edge", [2, 4]);
  }

  /** An upright line at a moment, where it is in sight. */
  upright(plot, at, name, dash) {
    if (at === null || at === undefined) return;
    const x = plot.valToPos(at, "x", true);
    const { ctx, bbox } = plot;
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.save();
    ctx.strokeStyle = colour(name);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  /** Puts columns of other moments behind columns; what they have no moment in common with stays open there, and is no gap. */
  static joined(columns, others) { return uPlot.join([columns, others]); }

  redraw() { this.plot?.redraw(false); }

  end() {
    this.resized.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }
}
