// What deserves a look: what the sidecar says of itself, and what its pools and budgets show, worst first.

import { h } from "./dom.js";
import { count, moment, money, nodes, plural, sentence, share } from "./words.js";

/** Pools that are named before the others are counted. */
const NAMED_MAX = 3;

const link = (pool) => h("a", { href: `#/pools/${encodeURIComponent(pool)}`, data: { focus: `alert-${pool}` } }, pool);

/** `builds, render and 4 more`, each a way to its page. */
function named(pools) {
  const shown = pools.slice(0, NAMED_MAX).map((pool) => link(pool.pool));
  const more = pools.length - shown.length;
  const parts = more > 0 ? [...shown, `${count(more)} more`] : shown;
  return parts.flatMap((part, at) => (at === 0 ? [part] : [at === parts.length - 1 ? " and " : ", ", part]));
}

const isFull = ({ bounds, current, stages, measures }) =>
  bounds && measures.waiting > 0 && nodes(current) >= bounds.max && nodes(stages.asked) > bounds.max;

/** Broken nodes; those that run empty and leave are none. */
const unusable = ({ measures }) => measures.nodes.reduce((sum, { state, count: n }) => sum + (state === "unusable" ? n : 0), 0);

/** What pools show; each rule says in a word how bad it is. */
const RULES = [
  ["bad", (pool) => pool.receipt?.result === "refused", (pools) => [`The latest order was refused: `, named(pools), pools.length === 1 ? ` (${pools[0].receipt.message})` : ""]],
  ["bad", (pool) => pool.measures.breakerOpen, (pools) => ["Broken nodes are not replaced any more, because that did not help: ", named(pools)]],
  ["warn", (pool) => pool.verdict === "hold" && !pool.halt && !["shadow", "paused"].includes(pool.mode), (pools, now) => [plural(pools.length, "pool is", "pools are"), " held: ", named(pools), pools.length === 1 ? ` (${sentence(pools[0].reason, now)})` : ""]],
  ["warn", isFull, (pools) => ["At its bound while tasks wait: ", named(pools)]],
  ["warn", (pool) => pool.measures.fallsBack, (pools) => ["Dedicated nodes stand in for spot that does not come: ", named(pools)]],
  ["warn", (pool) => unusable(pool) > 0, (pools) => [plural(pools.reduce((sum, pool) => sum + unusable(pool), 0), "node is", "nodes are"), " of no use: ", named(pools)]],
];

/** A budget that is nearly or wholly spent. */
function spent({ scope, window, limit, spent: paid }) {
  const used = limit > 0 ? paid / limit : 1;
  if (used < 0.8) return null;
  const what = window === "hour" ? "an hour" : "this month";
  return { tone: used >= 1 ? "bad" : "warn", told: `The budget ${scope} ${used >= 1 ? "is spent" : `is spent to ${share(used)}`}: ${money(paid)} of ${money(limit)} ${what}` };
}

/** What deserves a look, if anything does. */
export function alerts(account, pools, policies, now) {
  const items = [];
  const add = (tone, ...told) => items.push({ tone, told });
  for (const reason of account.reasons) add(account.status === "notReady" ? "bad" : "warn", sentence(reason, now));
  for (const halt of account.halts) {
    const until = halt.until ? `until ${moment(halt.until, now)}` : "until somebody resumes it";
    const scope = { all: "nothing is ordered", in: "no nodes are taken away", out: "no nodes are added" }[halt.scope];
    add("warn", `${halt.pool} is paused: ${scope} ${until}${halt.why ? ` (${halt.why})` : ""}`);
  }
  if (account.unread > 0) add("warn", `${plural(account.unread, "pool")} could not be read at the latest look; nothing is taken away from ${account.unread === 1 ? "it" : "them"}`);
  const known = new Set(account.reasons);
  for (const fault of policies?.faults ?? []) {
    const text = `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`;
    if (![...known].some((reason) => reason.includes(fault.message))) add("warn", text);
  }
  for (const [tone, holds, says] of RULES) {
    const found = pools.filter(holds);
    if (found.length > 0) add(tone, says(found, now));
  }
  items.push(...account.budgets.map(spent).filter((one) => one !== null));
  if (items.length === 0) return h("p", { class: "alerts good" }, "✓ Nothing deserves a look: no alert, nothing is paused, refused or held.");
  const bad = items.some(({ tone }) => tone === "bad");
  items.sort((one, other) => (one.tone === other.tone ? 0 : one.tone === "bad" ? -1 : 1));
  return h("section", { class: `alerts ${bad ? "bad" : "warn"}`, "aria-label": "What deserves a look" },
    h("h2", {}, account.status === "notReady" ? "It does not steer" : "Deserves a look"), h("ul", {}, items.map(({ told }) => h("li", {}, told))));
}
