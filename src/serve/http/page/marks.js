// The decisions as a row of marks along the time: by mouse, or by the arrow keys, one stop for the tabulator.

import { h } from "./dom.js";
import { VERDICTS, mix, moment } from "./words.js";

export class Marks {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.marks = [];
    this.chosen = null;
    this.lane = h("div", { class: "lane", role: "group", "aria-label": "Decisions; the arrow keys go from one to the next", onkeydown: (event) => this.key(event) });
    this.element = h("div", { class: "marks" }, h("span", { class: "lanehead", "aria-hidden": "true" }, "decisions"), this.lane);
  }

  show(marks, range, now) {
    const focused = this.lane.contains(document.activeElement) ? Number(document.activeElement.dataset.number) : null;
    this.marks = marks.filter((mark) => Date.parse(mark.at) / 1000 >= range.min && Date.parse(mark.at) / 1000 <= range.max);
    this.buttons = this.marks.map((mark) => this.button(mark, range, now));
    this.lane.replaceChildren(...this.buttons);
    this.stops();
    if (focused !== null) this.buttons[this.marks.findIndex((mark) => mark.number === focused)]?.focus({ preventScroll: true });
  }

  button(mark, range, now) {
    const { sign, word, tone } = VERDICTS[mark.verdict] ?? VERDICTS.hold;
    const place = (Date.parse(mark.at) / 1000 - range.min) / (range.max - range.min);
    const more = mark.count > 1 ? `, and ${mark.count - 1} more beside it` : "";
    const label = `${moment(mark.at, now)}: ${word}, ${mix(mark.target)}${more}`;
    return h("button", { type: "button", class: `mark ${tone}`, title: label, "aria-label": label, style: { left: `${(place * 100).toFixed(3)}%` },
      data: { number: String(mark.number), verdict: mark.verdict }, onclick: () => this.choose(mark) }, mark.verdict === "steady" ? "·" : sign);
  }

  choose(mark, focus = false) {
    this.chosen = mark.number;
    this.stops();
    if (focus) this.buttons[this.marks.indexOf(mark)]?.focus({ preventScroll: true });
    this.onChoose(mark);
  }

  /** Marks which one is chosen, and leaves one stop for the tabulator. */
  stops() {
    const at = this.marks.findIndex((mark) => mark.number === this.chosen);
    const stop = at >= 0 ? at : this.marks.length - 1;
    this.buttons?.forEach((button, index) => {
      button.tabIndex = index === stop ? 0 : -1;
      button.setAttribute("aria-pressed", String(index === at));
    });
  }

  /** The one before or behind the chosen one. */
  beside(step) {
    const at = this.marks.findIndex((mark) => mark.number === this.chosen);
    return this.marks[at < 0 ? this.marks.length - 1 : at + step];
  }

  nearest(seconds) {
    const far = (mark) => Math.abs(Date.parse(mark.at) / 1000 - seconds);
    return this.marks.reduce((best, mark) => (best === null || far(mark) < far(best) ? mark : best), null);
  }

  key(event) {
    const at = this.marks.findIndex((mark) => String(mark.number) === document.activeElement?.dataset.number);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: this.marks.length - 1 }[event.key];
    const mark = this.marks[to];
    if (!mark) return;
    event.preventDefault();
    this.choose(mark, true);
  }
}
