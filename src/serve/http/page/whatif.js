// What if the policy were another one: its text, tried on the recorded past beside the one in effect. Nothing is ordered or written.

import { get, inPath, post, Refused } from "./api.js";
import { announce, fill, h, say } from "./dom.js";
import { tell } from "./token.js";
import { count, money, moment, plural, span } from "./words.js";

const PASTS = [["6h", "6 hours"], ["24h", "24 hours"], ["3d", "3 days"], ["7d", "7 days"]];

const FIGURES = [
  { name: "Cost", of: (run) => run.cost, text: money, less: "good" },
  { name: "Paid for idle nodes", of: (run) => run.wasted, text: money, less: "good" },
  { name: "95 % of tasks wait up to", of: (run) => run.waitP95Seconds, text: span, less: "good" },
  { name: "Half of them up to", of: (run) => run.waitP50Seconds, text: span, less: "good" },
  { name: "Longest wait", of: (run) => run.waitMostSeconds, text: span, less: "good" },
  { name: "Dedicated node-hours", of: (run) => run.dedicatedHours, text: (hours) => hours.toFixed(1) },
  { name: "Spot node-hours", of: (run) => run.spotHours, text: (hours) => hours.toFixed(1) },
  { name: "Evictions", of: (run) => run.evictions, text: count },
  { name: "Orders", of: (run) => run.orders, text: count },
  { name: "Tasks not ended", of: (run) => run.unfinished, text: count, less: "good" },
];

function change(figure, present, changed) {
  const [from, to] = [figure.of(present), figure.of(changed)];
  if (figure.text(from) === figure.text(to)) return h("td", { class: "number same" }, "same");
  const by = from === 0 ? "" : ` (${to > from ? "+" : "−"}${Math.abs(Math.round((to / from - 1) * 100))} %)`;
  const tone = figure.less ? (to < from ? "good" : "bad") : "calm";
  return h("td", { class: `number change ${tone}` }, `${to > from ? "more by" : "less by"} ${figure.text(Math.abs(to - from))}${by}`);
}

export class WhatIf {
  constructor(pool, policy) {
    [this.pool, this.policy] = [pool, policy];
    this.text = h("textarea", { id: "policytext", spellcheck: "false", rows: "18", wrap: "off", "aria-label": `Policy ${policy}`, "aria-describedby": "whatiffaults", disabled: true });
    this.past = h("select", { id: "past" }, PASTS.map(([value, word]) => h("option", { value, selected: value === "24h" }, word)));
    this.past.value = "24h";
    this.try = h("button", { type: "submit", class: "main", id: "try", disabled: true }, "Try it");
    this.back = h("button", { type: "button", disabled: true, onclick: () => { this.text.value = this.written; this.changed(); } }, "As in effect");
    this.said = h("p", { class: "wrong", role: "alert" });
    this.faults = h("ul", { class: "faults", id: "whatiffaults" });
    this.result = h("div", { class: "result", "aria-live": "polite" });
    this.text.addEventListener("input", () => this.changed());
    this.element = h("section", { class: "card whatif", "aria-label": "What if" },
      h("h3", {}, "What if"), h("p", { class: "aside" }, "Change the policy here and try it on what was recorded. Nothing is ordered and nothing is saved."),
      h("form", { onsubmit: (event) => { event.preventDefault(); this.ask(); } }, this.text, this.faults,
        h("div", { class: "buttons" }, h("label", {}, "on the last", this.past), this.try, this.back)),
      this.said, this.result);
    this.load();
  }

  async load() {
    try {
      const told = await get(`policies/${encodeURIComponent(this.policy)}`);
      this.written = told.text;
      this.text.value = told.text;
      this.text.rows = Math.min(28, Math.max(8, told.text.split("\n").length + 1));
      this.text.disabled = this.try.disabled = false;
    } catch (error) {
      tell(this.said, error);
    }
  }

  changed() {
    this.back.disabled = this.text.value === this.written;
  }

  async ask() {
    tell(this.said, null);
    fill(this.faults);
    this.try.disabled = true;
    say(this.try, "Trying…");
    try {
      const told = await post(`pools/${inPath(this.pool)}/what-if`, { text: this.text.value, for: this.past.value });
      this.show(told);
    } catch (error) {
      fill(this.result);
      tell(this.said, error instanceof Refused && error.faults.length > 0 ? new Error("This is no policy yet:") : error);
      if (error instanceof Refused) this.showFaults(error.faults);
    }
    say(this.try, "Try it");
    this.try.disabled = false;
  }

  showFaults(faults) {
    const item = (fault) => h("li", { class: fault.severity === "error" ? "bad" : "warn" },
      h("button", { type: "button", class: "place", onclick: () => this.goTo(fault) }, `line ${fault.line}, column ${fault.column}`),
      h("span", {}, ` ${fault.message} `), fault.help && h("span", { class: "aside" }, fault.help), h("code", {}, ` ${fault.code}`));
    fill(this.faults, faults.map(item));
    if (faults[0]) announce(`line ${faults[0].line}: ${faults[0].message}`);
  }

  goTo({ line, column }) {
    const lines = this.text.value.split("\n");
    const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    this.text.focus();
    this.text.setSelectionRange(at, at + Math.max(1, (lines[line - 1] ?? "").length - column + 1));
  }

  show(told) {
    this.showFaults(told.faults);
    const { present, changed } = told;
    const rows = FIGURES.map((figure) => h("tr", {}, h("th", { scope: "row" }, figure.name), h("td", { class: "number" }, figure.text(figure.of(present))), h("td", { class: "number" }, figure.text(figure.of(changed))), change(figure, present, changed)));
    fill(this.result,
      h("table", { class: "compare" }, h("caption", {}, `${plural(told.tasks, "task")} from ${moment(told.from)} to ${moment(told.to)} played again`),
        h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col", class: "number" }, "In effect"), h("th", { scope: "col", class: "number" }, "As above"), h("th", { scope: "col", class: "number" }, "Change"))),
        h("tbody", {}, rows)),
      told.recordedCost !== undefined && h("p", { class: "aside" }, `What really happened in that time cost ${money(told.recordedCost)}; a simulation goes on for two hours after the last task, for both alike.`),
      h("ul", { class: "assumes" }, told.assumes.map((text) => h("li", {}, text))));
  }
}
