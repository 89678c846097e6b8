// What was saved over a day or a week: against the same nodes all dedicated, and against the formula that the service documents.

import { get } from "./api.js";
import { fill, h, say } from "./dom.js";
import { money, moment, share } from "./words.js";

const TIMES = [["24h", "24 h"], ["7d", "7 d"]];

const DEDICATED = "Against all dedicated";
const FORMULA = "Against the service's own formula";

/** Sums move slowly; while the ledger is still being read, or has nothing to compare with yet, they are asked for more often. */
const ASK_APART_MS = 60_000;
const READING_APART_MS = 4_000;

/** One comparison: what was paid instead of what. */
function beside(name, paid, instead, says) {
  if (instead === undefined) return h("div", { class: "against" }, h("dt", {}, name), h("dd", {}, "–"), h("dd", { class: "aside" }, "nobody takes the samples that it reads"));
  const saved = instead - paid;
  const part = instead > 0 ? ` (${share(Math.abs(saved) / instead)})` : "";
  const word = saved < 0 ? "more " : "";
  return h("div", { class: "against", title: says }, h("dt", {}, name),
    h("dd", { class: saved < 0 ? "warn" : "good" }, h("b", {}, money(Math.abs(saved))), ` ${word}${saved < 0 ? "paid" : "saved"}${part}`),
    h("dd", { class: "aside" }, `${money(paid)} instead of ${money(instead)}`));
}

export class Savings {
  /** Of one pool, or of the account where none is named. */
  constructor(pool = null) {
    Object.assign(this, { pool, time: "24h", told: null, asked: 0, whole: false });
    this.times = h("div", { class: "times", role: "group", "aria-label": "How much of the past" }, TIMES.map(([time, word]) =>
      h("button", { type: "button", class: "chip", data: { saved: time }, onclick: () => this.choose(time) }, word)));
    this.figures = h("dl", { class: "figures" });
    this.note = h("p", { class: "aside", role: "status" }, "Asking the ledger…");
    this.assumes = h("ul", { class: "assumes" });
    this.details = h("details", { hidden: true }, h("summary", {}, "What that assumes"), this.assumes);
    this.element = h("section", { class: "card savings", "aria-label": "Savings" },
      h("div", { class: "savedhead" }, h("h2", {}, "Savings"), this.times), this.figures, h("div", { class: "savedfoot" }, this.note, this.details));
    this.press();
    this.clear();
  }

  /** Shows that nothing is known yet, as large as what will be. */
  clear() {
    fill(this.figures, ["Paid", DEDICATED, FORMULA].map((name) => h("div", { class: "against" }, h("dt", {}, name), h("dd", {}, h("b", {}, "–")), h("dd", { class: "aside" }, "not known"))));
  }

  press() {
    for (const button of this.times.children) button.setAttribute("aria-pressed", String(button.dataset.saved === this.time));
  }

  choose(time) {
    this.time = time;
    this.asked = 0;
    this.press();
    this.show(this.now);
  }

  /** Asks again where that is long ago. */
  show(now) {
    this.now = now;
    const apart = this.whole ? ASK_APART_MS : READING_APART_MS;
    if (Date.now() - this.asked >= apart) this.load();
  }

  async load() {
    this.asked = Date.now();
    const time = this.time;
    try {
      const told = await get(`savings?for=${time}${this.pool === null ? "" : `&pool=${encodeURIComponent(this.pool)}`}`);
      if (time === this.time) this.draw(told);
    } catch (error) {
      this.whole = true;
      this.clear();
      say(this.note, `${error.message}${error.wayOut ? `: ${error.wayOut}` : ""}`);
    }
  }

  draw(told) {
    const { held, allDedicated, formula, heldBesideFormula, hours, formulaFaults } = told.total;
    this.whole = told.whole && hours > 0 && formula !== undefined;
    if (hours === 0) {
      this.clear();
      say(this.note, told.whole ? "No nodes whose price is known were there in that time." : "The ledger is being read…");
      return;
    }
    fill(this.figures,
      h("div", { class: "against" }, h("dt", {}, "Paid"), h("dd", {}, h("b", {}, money(held))), h("dd", { class: "aside" }, "for the nodes that were there")),
      beside(DEDICATED, held, allDedicated, "as many nodes at each moment, at the dedicated price"),
      beside(FORMULA, heldBesideFormula, formula, "the autoscale formula that Azure Batch documents for pending tasks, at the same prices"));
    const faults = formulaFaults > 0 ? ` The formula could not be evaluated ${formulaFaults} times, and kept its targets.` : "";
    say(this.note, `${moment(told.from, this.now)} to ${moment(told.to, this.now)}, as the ledger tells.${told.whole ? "" : " It is still being read."}${faults}`);
    fill(this.assumes, told.assumes.map((text) => h("li", {}, text)));
    this.details.hidden = false;
  }
}
