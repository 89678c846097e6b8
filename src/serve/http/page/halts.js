// Pause and resume: for how long, which way, and why.

import { inPath, post } from "./api.js";
import { announce, fill, h, say } from "./dom.js";
import { tell, withToken } from "./token.js";
import { moment } from "./words.js";

const SCOPES = [["all", "Everything"], ["in", "Taking nodes away"], ["out", "Adding nodes"]];
const LENGTHS = [["30m", "30 minutes"], ["2h", "2 hours"], ["8h", "8 hours"], ["", "until resumed"]];

export class Halts {
  constructor(pool, onDone) {
    [this.pool, this.onDone] = [pool, onDone];
    this.element = h("section", { class: "card halts", "aria-label": "Pause and resume" });
    this.said = h("p", { class: "wrong", role: "alert" });
    this.shown = "";
  }

  /** Shows what is paused; what is being written in the form stays. */
  show(halt, now) {
    const version = JSON.stringify(halt ?? null);
    if (version === this.shown) return;
    this.shown = version;
    fill(this.element, h("h3", {}, halt ? "Paused" : "Pause"), halt ? this.paused(halt, now) : this.form(), this.said);
  }

  paused(halt, now) {
    const what = { all: "Nothing is ordered", in: "No nodes are taken away", out: "No nodes are added" }[halt.scope];
    return [
      h("p", {}, `${what} ${halt.until ? `until ${moment(halt.until, now)}` : "until somebody resumes it"}${halt.by ? `, says ${halt.by}` : ""}${halt.why ? `: ${halt.why}` : ""}.`),
      h("button", { type: "button", class: "main", id: "resume", onclick: () => this.ask("resume", {}, "resumed") }, "Resume"),
    ];
  }

  form() {
    const [scope, lasts] = [h("select", { id: "scope" }), h("select", { id: "lasts" })];
    scope.append(...SCOPES.map(([value, word]) => h("option", { value }, word)));
    lasts.append(...LENGTHS.map(([value, word]) => h("option", { value }, word)));
    lasts.value = "2h";
    const why = h("input", { id: "why", maxlength: "500", autocomplete: "off", placeholder: "for those who wonder later" });
    const submit = (event) => {
      event.preventDefault();
      this.ask("pause", { scope: scope.value, why: why.value, ...(lasts.value ? { for: lasts.value } : {}) }, "paused");
    };
    return h("form", { class: "fields", onsubmit: submit },
      h("label", {}, "What", scope), h("label", {}, "For", lasts), h("label", { class: "wide" }, "Why", why),
      h("button", { type: "submit", id: "pause" }, "Pause"));
  }

  async ask(path, body, word) {
    tell(this.said, null);
    try {
      const done = await withToken(() => post(`pools/${inPath(this.pool)}/${path}`, body));
      if (!done) return;
      announce(`${this.pool} is ${word}`);
      const left = done.halts.find((halt) => halt.pool !== this.pool);
      if (path === "resume" && left) say(this.said, `${left.pool} is paused as well, and that holds for this pool too.`);
      this.onDone();
    } catch (error) {
      tell(this.said, error);
    }
  }
}
