// Tables of a report: figures as the terminal tells them, and the decisions of a run with their reasons.

import { fill, h } from "./dom.js";
import { told } from "./moments.js";
import { VERDICTS, count, plural } from "./words.js";

/** Headings of columns that hold words; all others but the first hold figures. */
const WORDS = ["policy", "spot", "contender"];

/** A table; a row that has a run leads to it. */
export function sheet({ title, head, rows, runs, leftOut, notes }, onChoose) {
  const cell = (text, column, run) => {
    const name = column === (head[0] === "" ? 1 : 0);
    if (name && text && run !== null && onChoose) return h("td", {}, h("button", { type: "button", class: "link", data: { run: String(run) }, title: "show it in depth", onclick: () => onChoose(run) }, text));
    return h(column === 0 && text ? "th" : "td", { class: name || WORDS.includes(head[column]) ? undefined : "number", scope: column === 0 && text ? "row" : undefined }, text);
  };
  return h("section", { class: "card sheet" }, h("h2", {}, title),
    h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title }, h("table", {},
      h("thead", {}, h("tr", {}, head.map((word, column) => h("th", { scope: "col", class: column > 0 && !WORDS.includes(word) ? "number" : undefined }, word)))),
      h("tbody", {}, rows.map((row, place) => h("tr", { data: { run: runs[place] === null ? "none" : String(runs[place]) } }, row.map((text, column) => cell(text, column, runs[place]))))))),
    leftOut > 0 && h("p", { class: "aside" }, `${plural(leftOut, "row")} more; -o json has them.`),
    notes.length > 0 && h("ul", { class: "assumes" }, notes.map((note) => h("li", {}, note))));
}

const pair = ([dedicated, spot]) => `${count(dedicated)} + ${count(spot)}`;

/** The step that says why: what holds, or what asks. */
const reason = (turn) => (turn.verdict === "hold" ? turn.steps.at(-1) : turn.steps[0])?.text ?? "";

/** Rows that are printed; the page has all. */
const PRINTED = 40;

/** The decisions of a run, in order of time. */
export class Turns {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.field = h("input", { type: "search", id: "turnfilter", placeholder: "word or verdict", oninput: () => this.filter() });
    this.body = h("tbody", {});
    this.counted = h("p", { class: "counted", role: "status" });
    this.box = h("div", { class: "wide turns", tabindex: "0", role: "region", "aria-label": "Decisions" }, h("table", {},
      h("thead", {}, h("tr", {}, ["when", "target, dedicated + spot", "", "why"].map((word) => h("th", { scope: "col" }, word)))), this.body));
    this.element = h("section", { class: "card decisions" }, h("div", { class: "tools" }, h("h2", {}, "Decisions"), h("span", { class: "spread" }), h("label", { class: "search" }, h("span", { class: "unseen" }, "Filter the decisions"), this.field)), this.box, this.counted);
  }

  show(run) {
    this.run = run;
    this.field.value = "";
    this.rows = run.turns.map((turn, place) => this.row(turn, place));
    this.body.replaceChildren(...this.rows);
    this.filter();
  }

  row(turn, place) {
    const { sign, word, tone } = VERDICTS[turn.verdict];
    const main = reason(turn);
    const chain = turn.steps.length > 1 && h("details", {}, h("summary", {}, plural(turn.steps.length, "step")),
      h("ol", {}, turn.steps.map((step) => h("li", {}, h("b", {}, step.stage), ` ${pair([step.to.dedicated, step.to.spot])}: ${step.text}`))));
    return h("tr", { class: place >= PRINTED ? "unprinted" : undefined, data: { at: String(turn.at) } },
      h("th", { scope: "row" }, h("button", { type: "button", class: "link", title: "mark it in the charts", onclick: () => this.onChoose(turn.at) }, told(turn.at))),
      h("td", { class: "nowrap" }, turn.verdict === "hold" ? pair(turn.from) : `${pair(turn.from)} → ${pair(turn.to)}`),
      h("td", {}, h("span", { class: `badge ${tone}` }, h("span", { class: "sign", "aria-hidden": "true" }, sign), word)),
      h("td", { class: "why" }, main, chain));
  }

  filter() {
    const wanted = this.field.value.trim().toLowerCase();
    let shown = 0;
    this.run.turns.forEach((turn, place) => {
      const text = `${VERDICTS[turn.verdict].word} ${turn.verdict} ${turn.steps.map((step) => step.text).join(" ")}`.toLowerCase();
      const fits = text.includes(wanted);
      this.rows[place].hidden = !fits;
      shown += fits ? 1 : 0;
    });
    const { turns, nTurns, undecided } = this.run;
    this.box.hidden = turns.length === 0;
    this.field.closest("label").hidden = turns.length === 0;
    const left = nTurns - turns.length;
    const all = left > 0 ? `${plural(nTurns, "decision")} changed something or began to hold; the ${count(turns.length)} that moved most are here, ${count(left)} are left out.` : `${plural(nTurns, "decision")} changed something or began to hold.`;
    const printed = shown > PRINTED && !wanted ? h("span", { class: "printed" }, ` The first ${PRINTED} are printed.`) : null;
    fill(this.counted, undecided ?? (wanted ? `${count(shown)} of ${count(turns.length)} have these words.` : all), printed);
  }

  /** Brings the decision nearest to a moment to sight. */
  mark(seconds) {
    const far = (turn) => Math.abs(turn.at - seconds);
    const place = this.run.turns.reduce((best, turn, one) => (best < 0 || far(turn) < far(this.run.turns[best]) ? one : best), -1);
    this.rows.forEach((row, one) => row.setAttribute("aria-current", String(one === place)));
    if (place < 0) return null;
    const row = this.rows[place];
    this.box.scrollTop = row.offsetTop - this.box.clientHeight / 2;
    row.querySelector("details")?.setAttribute("open", "");
    return this.run.turns[place].at;
  }
}
