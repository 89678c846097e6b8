// A decision read step by step: where it started, what each step made of it and why, with the numbers.

import { h } from "./dom.js";
import { VERDICTS, mix, moment, nodes, plural, sentence, span } from "./words.js";

const STAGES = {
  propose: ["needed", "what the demand asks for"],
  split: ["split", "how that is divided between dedicated and spot"],
  allocate: ["shared", "what the account leaves of it"],
  restrain: ["guarded", "what bounds and guards make of it"],
  order: ["ordered", "by what means"],
  hold: ["held", "why nothing is done"],
};

/** `drainWithin` as words. */
const named = (key) => key.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();

const DURATION = /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

function value(given, now) {
  if (given === null) return "–";
  if (typeof given === "number") return Number.isInteger(given) ? given.toLocaleString("en") : given.toLocaleString("en", { maximumSignificantDigits: 4 });
  if (typeof given === "boolean") return given ? "yes" : "no";
  if (typeof given === "string") {
    const lasts = DURATION.exec(given);
    if (lasts && given !== "P") {
      const [, days = 0, hours = 0, minutes = 0, seconds = 0] = lasts.map((part) => part && Number(part));
      return span(days * 86400 + hours * 3600 + minutes * 60 + seconds);
    }
    return sentence(given, now);
  }
  if (Array.isArray(given)) return given.map((one) => value(one, now)).join(", ") || "none";
  if ("dedicated" in given && "spot" in given && Object.keys(given).length === 2) return typeof given.dedicated === "number" ? mix(given) : `${value(given.dedicated, now)} + ${value(given.spot, now)}`;
  return Object.entries(given).map(([key, one]) => `${named(key)} ${value(one, now)}`).join(", ");
}

function numbers(reason, now) {
  const rows = Object.entries(reason).filter(([key, one]) => key !== "code" && one !== null);
  if (rows.length === 0) return null;
  return h("details", {}, h("summary", {}, "numbers"),
    h("dl", { class: "numbers" }, rows.map(([key, one]) => h("div", { class: "pair" }, h("dt", {}, named(key)), h("dd", {}, value(one, now))))));
}

function step(line, before, now) {
  const [word, says] = STAGES[line.stage] ?? [line.stage, ""];
  const moved = line.to.dedicated !== before.dedicated || line.to.spot !== before.spot;
  return h("li", { class: `step ${line.stage}` },
    h("div", { class: "stephead" }, h("span", { class: "stage", title: says }, word), h("span", { class: moved ? "to moved" : "to" }, moved ? `${mix(before)} → ${mix(line.to)}` : mix(line.to))),
    h("p", {}, sentence(line.text, now)), numbers(line.reason, now));
}

export function verdictOf(decision) {
  const last = decision.steps.at(-1)?.to ?? decision.target;
  const [d, s] = [last.dedicated - decision.target.dedicated, last.spot - decision.target.spot];
  if (decision.hold) return "hold";
  if (d === 0 && s === 0) return "steady";
  if (d >= 0 && s >= 0) return "out";
  return d <= 0 && s <= 0 ? "in" : "shift";
}

function headline(decision, kind) {
  const end = decision.order ?? decision.steps.at(-1)?.to ?? decision.target;
  if (kind === "hold") return `Held at ${mix(decision.target)}`;
  if (kind === "steady") return `Stays at ${mix(decision.target)}`;
  const word = VERDICTS[kind].word;
  return `${word[0].toUpperCase()}${word.slice(1)} from ${mix(decision.target)} to ${mix(end)}${decision.order ? "" : ", not ordered"}`;
}

function bill(decision) {
  const rows = [["costs", decision.bill], ["the best of the others", decision.runnerUp?.bill ?? decision.runnerUp]].filter(([, one]) => one && typeof one.total === "number");
  return rows.length === 0 ? null : h("dl", { class: "numbers" }, rows.map(([word, one]) => h("div", { class: "pair" }, h("dt", {}, word), h("dd", {}, `$${one.total.toFixed(3)}/h`))));
}

/** What was forecast and not followed, because another strategy asked for more. */
function foreseen({ forecast }, now) {
  if (!forecast) return null;
  return h("p", { class: "aside" }, `Forecast, and another strategy asks for more: ${forecast.metric} at ${value(forecast.value, now)} in ${value(forecast.horizon, now)}, which needs ${plural(forecast.nodes, "node")}.`);
}

/** Draws an explanation as the interface tells it. */
export function chain(explanation, now) {
  const { decision, number } = explanation;
  const kind = verdictOf(decision);
  const { sign, tone } = VERDICTS[kind];
  let before = decision.target;
  const steps = decision.steps.map((line) => {
    const made = step(line, before, now);
    before = line.to;
    return made;
  });
  return [
    h("header", { class: "chainhead" },
      h("span", { class: `badge ${tone}` }, h("span", { class: "sign", "aria-hidden": "true" }, sign), moment(decision.at, now, true)),
      h("h3", {}, headline(decision, kind))),
    h("p", { class: "aside" }, `${plural(nodes(decision.current), "node was", "nodes were")} there (${mix(decision.current)}); by policy ${decision.policy}${number ? `, line ${number} of the ledger` : ""}`),
    h("ol", { class: "steps" }, steps), foreseen(decision, now), bill(decision),
  ];
}
