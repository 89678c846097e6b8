// The account at a glance: whether it is healthy, what it does, what it costs.

import { h } from "./dom.js";
import { STATES, count, hourly, mix, moment, money, nodes, plural, share, span } from "./words.js";

/** What follows from the pools together. */
export function totals(pools, now) {
  const sum = { waiting: 0, running: 0, known: 0, longest: null, p95: null, evicted: 0, hazard: null, fallsBack: 0, stages: {}, states: new Map(), verdicts: new Map() };
  for (const pool of pools) {
    const measures = pool.measures;
    if (measures.waiting !== undefined) {
      sum.known += 1;
      sum.waiting += measures.waiting;
      sum.running += measures.running ?? 0;
    }
    const longest = measures.waitsSince ? (now - Date.parse(measures.waitsSince)) / 1000 : null;
    if (longest !== null) sum.longest = Math.max(sum.longest ?? 0, longest);
    if (measures.waitedP95Seconds !== undefined) sum.p95 = Math.max(sum.p95 ?? 0, measures.waitedP95Seconds);
    if (measures.evictionsHourly !== undefined) sum.hazard = Math.max(sum.hazard ?? 0, measures.evictionsHourly);
    sum.evicted += measures.evicted;
    sum.fallsBack += measures.fallsBack ? 1 : 0;
    for (const [stage, { dedicated, spot }] of Object.entries(pool.stages)) {
      const there = sum.stages[stage] ?? { dedicated: 0, spot: 0 };
      sum.stages[stage] = { dedicated: there.dedicated + dedicated, spot: there.spot + spot };
    }
    for (const { class: lane, state, count: n } of measures.nodes) {
      const key = `${lane} ${state}`;
      sum.states.set(key, (sum.states.get(key) ?? 0) + n);
    }
    sum.verdicts.set(pool.verdict, (sum.verdicts.get(pool.verdict) ?? 0) + 1);
  }
  return sum;
}

/** One sentence that says what is going on. */
export function headline(account, sum) {
  const doing = [["out", "growing"], ["in", "shrinking"], ["shift", "shifting"], ["hold", "held"]]
    .filter(([verdict]) => sum.verdicts.get(verdict))
    .map(([verdict, word]) => `${count(sum.verdicts.get(verdict))} ${word}`);
  const steady = sum.verdicts.get("steady") ?? 0;
  if (steady) doing.push(`${count(steady)} steady`);
  const what = account.role === "standby" ? "Standing by for" : account.dryRun ? "Watching, without ordering," : "Steering";
  const pools = plural(account.pools, "pool");
  const queue = sum.known === 0 ? "" : sum.waiting === 0 ? " No task waits." : ` ${plural(sum.waiting, "task waits", "tasks wait")}${sum.longest === null ? "" : `, the longest for ${span(sum.longest)}`}.`;
  return `${what} ${pools}${doing.length ? `: ${doing.join(", ")}` : ""}.${queue}`;
}

const tile = (name, label, figure, more, aside) =>
  h("section", { class: `tile ${name}`, "aria-label": label },
    h("h2", {}, label), h("p", { class: "figure" }, figure), more, aside && h("p", { class: "aside" }, aside));

const row = (name, value, title) => h("div", { class: "pair", title }, h("dt", {}, name), h("dd", {}, value));

/** Nodes of both lanes as a bar. */
export function bar(parts, label) {
  const all = parts.reduce((sum, part) => sum + part.n, 0);
  const pieces = parts.filter((part) => part.n > 0)
    .map((part) => h("span", { class: `piece ${part.name}`, style: { "flex-grow": String(part.n) } }));
  return h("div", { class: "bar", role: "img", "aria-label": label }, all === 0 ? h("span", { class: "piece none", style: { "flex-grow": "1" } }) : pieces);
}

const STATE_ORDER = ["running", "idle", "starting", "leaving", "preempted", "unusable"];
const STATE_WORDS = { running: "running", idle: "idle", starting: "starting", leaving: "leaving", preempted: "taken away", unusable: "unusable" };

/** Nodes by lane and by what they do; `any` where nobody tells the lanes apart. */
export function stateTable(states) {
  const of = (lane, state) => states.get(`${lane} ${state}`) ?? 0;
  const there = STATE_ORDER.filter((state) => ["dedicated", "spot", "any"].some((lane) => of(lane, state) > 0));
  if (there.length === 0) return null;
  const together = there.some((state) => of("any", state) > 0);
  const cells = (state) => (together ? [of("dedicated", state) + of("spot", state) + of("any", state)] : [of("dedicated", state), of("spot", state)]);
  const heads = together ? ["both lanes"] : ["dedicated", "spot"];
  return h("table", { class: "states" },
    h("thead", {}, h("tr", {}, h("td", {}), heads.map((word) => h("th", { scope: "col", class: "number" }, word)))),
    h("tbody", {}, there.map((state) => h("tr", {}, h("th", { scope: "row" }, STATE_WORDS[state]), cells(state).map((n) => h("td", { class: "number" }, n === 0 ? "–" : count(n)))))));
}

/** How a target comes about: what is asked for, and what each part of deciding leaves of it. */
const STAGE_ROWS = [
  ["asked", "asked for", "what the demand needs, split between the lanes, dedicated + spot"],
  ["shared", "after sharing", "what quotas and budgets of the account leave of it"],
  ["guarded", "after guards", "what bounds and guards make of it"],
];

function stageRows(stages) {
  const none = { dedicated: 0, spot: 0 };
  return STAGE_ROWS.map(([stage, word, says]) => row(word, mix(stages[stage] ?? none), says));
}

function nodesTile(account, sum) {
  const there = nodes(account.current);
  const parts = [{ name: "dedicated", n: account.current.dedicated }, { name: "spot", n: account.current.spot }];
  const stages = h("dl", { class: "stages" },
    stageRows(sum.stages),
    row("target", mix(account.target), "what the pools are told to have, dedicated + spot"),
    row("there", mix(account.current), "what they have, dedicated + spot"));
  return tile("nodes", "Nodes", [count(there), h("small", {}, ` of ${count(nodes(account.target))}`)],
    [bar(parts, `${plural(account.current.dedicated, "dedicated node")}, ${account.current.spot} spot`), h("div", { class: "halves" }, stages, stateTable(sum.states))], null);
}

function demandTile(sum) {
  if (sum.known === 0) return tile("demand", "Demand", "–", null, "no policy asks for tasks, so nobody counts them");
  return tile("demand", "Demand", [count(sum.waiting), h("small", {}, sum.waiting === 1 ? " task waits" : " tasks wait")],
    h("dl", { class: "pairs" },
      row("running", count(sum.running)),
      sum.longest !== null && row("longest wait now", span(sum.longest)),
      sum.p95 !== null && row("95 % started within", span(sum.p95), "of the tasks that were started latest, the slowest pool")));
}

function costTile(account, now) {
  const { now: cost, allDedicated } = account.cost;
  const saved = allDedicated > 0 ? 1 - cost / allDedicated : null;
  const since = account.began ? `since ${moment(account.began, now)}` : "since it began";
  return tile("cost", "Cost", [money(cost), h("small", {}, " an hour")],
    h("dl", { class: "pairs" },
      row("all dedicated", hourly(allDedicated)),
      saved !== null && row(saved < 0 ? "costs more by" : "saved", share(Math.abs(saved))),
      row(`spent ${since}`, money(account.spent)),
      account.spentAllDedicated > account.spent && row("saved meanwhile", money(account.spentAllDedicated - account.spent))));
}

function spotTile(account, sum) {
  const taken = sum.states.get("spot preempted") ?? 0;
  const word = sum.fallsBack > 0 ? "Falls back" : taken > 0 ? "Taken away" : account.current.spot > 0 ? "Fine" : "Unused";
  const tone = sum.fallsBack > 0 || taken > 0 ? "warn" : "good";
  return tile(`spot ${tone}`, "Spot", word,
    h("dl", { class: "pairs" },
      row("spot nodes", count(account.current.spot)),
      row("taken away now", count(taken)),
      row("since it began", plural(sum.evicted, "eviction")),
      sum.hazard !== null && row("learned", `${sum.hazard.toFixed(sum.hazard < 0.1 ? 3 : 2)} an hour`, "evictions of a spot node in an hour, the worst pool"),
      sum.fallsBack > 0 && row("dedicated stands in", plural(sum.fallsBack, "pool"))));
}

function budgetTile(account) {
  if (account.budgets.length === 0) return tile("budget calm", "Budget", "None", null, "no policy sets one, nor what pools share");
  const worst = account.budgets.toSorted((one, other) => other.spent / other.limit - one.spent / one.limit);
  const first = worst[0];
  const used = first.limit > 0 ? first.spent / first.limit : 1;
  const tone = used >= 1 ? "bad" : used >= 0.8 ? "warn" : "good";
  return tile(`budget ${tone}`, "Budget", [share(used), h("small", {}, " spent")],
    h("dl", { class: "pairs" }, worst.slice(0, 5).map((one) => row(`${one.scope}, ${one.window === "hour" ? "an hour" : "this month"}`, `${money(one.spent)} of ${money(one.limit)}`))));
}

export function tiles(account, pools, now) {
  const sum = totals(pools, now);
  return h("div", { class: "tiles" }, demandTile(sum), nodesTile(account, sum), costTile(account, now), spotTile(account, sum), budgetTile(account));
}

/** Readiness in a word. */
export function pill(account) {
  const state = STATES[account.status] ?? { word: account.status, tone: "warn", says: "" };
  return h("span", { class: `pill ${state.tone}`, title: state.says }, state.word);
}
