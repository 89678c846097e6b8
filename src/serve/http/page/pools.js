// The pools as a table: sorted, filtered, and changed row by row, so that hundreds of them stay quick.

import { bar } from "./account.js";
import { fill, h, say } from "./dom.js";
import { VERDICTS, count, mix, money, nodes, sentence, share, span } from "./words.js";

const longest = (pool, now) => (pool.measures.waitsSince ? (now - Date.parse(pool.measures.waitsSince)) / 1000 : null);
const saved = (pool) => (pool.cost && pool.cost.allDedicated > 0 ? 1 - pool.cost.now / pool.cost.allDedicated : null);
const URGENCY = ["hold", "out", "shift", "in", "steady"];

/** What deserves a look first: what could not be read, what is paused, what is held, what waits longest. */
const urgency = (pool) => (pool.fault ? 0 : pool.halt ? 1 : 2 + URGENCY.indexOf(pool.verdict));

const COLUMNS = [
  { key: "pool", name: "Pool", of: (pool) => pool.pool },
  { key: "verdict", name: "Does", of: urgency },
  { key: "waiting", name: "Waiting", number: true, of: (pool) => pool.measures.waiting ?? -1, falls: true },
  { key: "longest", name: "Longest", number: true, of: (pool, now) => longest(pool, now) ?? -1, falls: true },
  { key: "nodes", name: "Nodes", number: true, of: (pool) => nodes(pool.current), falls: true },
  { key: "cost", name: "An hour", number: true, of: (pool) => pool.cost?.now ?? -1, falls: true },
  { key: "saved", name: "Saved", number: true, of: (pool) => saved(pool) ?? -9, falls: true },
  { key: "why", name: "Why", of: (pool) => pool.reason },
];

/** Rows that are drawn at once; the rest comes once these are seen. */
const ROWS_AT_ONCE = 60;

export class PoolTable {
  constructor() {
    this.sort = { key: "verdict", falls: false };
    this.words = "";
    this.verdict = "";
    this.rows = new Map();
    this.pools = [];
    this.now = Date.now();
    this.body = h("tbody", {});
    this.counted = h("p", { class: "counted", role: "status" });
    this.heads = COLUMNS.map((column) => this.head(column));
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Only pools that" });
    this.element = h("section", { class: "pools", "aria-label": "Pools" },
      h("div", { class: "tools" }, h("h2", {}, "Pools"),
        h("label", { class: "search" }, h("span", { class: "unseen" }, "Filter pools by id, policy or reason"),
          h("input", { type: "search", placeholder: "Filter: id, policy, reason", autocomplete: "off", spellcheck: "false", id: "filter",
            oninput: (event) => { this.words = event.target.value.toLowerCase(); this.draw(); } })),
        this.chips),
      h("table", {}, h("caption", { class: "unseen" }, "Pools that are steered, with the latest decision about each"), h("thead", {}, h("tr", {}, this.heads)), this.body),
      this.counted);
    this.drawHeads();
  }

  head(column) {
    const sort = () => {
      const again = this.sort.key === column.key;
      this.sort = { key: column.key, falls: again ? !this.sort.falls : Boolean(column.falls) };
      this.drawHeads();
      this.draw();
    };
    return h("th", { scope: "col", class: column.number ? "number" : column.key, data: { key: column.key } }, h("button", { type: "button", class: "sort", onclick: sort }, column.name));
  }

  drawHeads() {
    for (const head of this.heads) {
      const sorted = head.dataset.key === this.sort.key;
      head.setAttribute("aria-sort", sorted ? (this.sort.falls ? "descending" : "ascending") : "none");
    }
  }

  show(pools, now) {
    [this.pools, this.now] = [pools, now];
    this.draw();
  }

  drawChips() {
    const chip = (verdict, text) => h("button", { type: "button", class: "chip", "aria-pressed": String(this.verdict === verdict), data: { focus: `chip-${verdict}` },
      onclick: () => { this.verdict = this.verdict === verdict ? "" : verdict; this.draw(); } }, text);
    const kinds = URGENCY.map((verdict) => [verdict, this.pools.filter((pool) => pool.verdict === verdict).length]).filter(([, n]) => n > 0);
    fill(this.chips, kinds.map(([verdict, n]) => chip(verdict, `${VERDICTS[verdict].sign} ${VERDICTS[verdict].word} ${count(n)}`)));
  }

  fits(pool) {
    if (this.verdict && pool.verdict !== this.verdict) return false;
    if (!this.words) return true;
    const text = `${pool.pool} ${pool.policy} ${pool.because ?? ""} ${pool.reason} ${pool.halt?.why ?? ""}`.toLowerCase();
    return this.words.split(/\s+/).every((word) => text.includes(word));
  }

  draw() {
    this.drawChips();
    const { key, falls } = this.sort;
    const column = COLUMNS.find((one) => one.key === key);
    const order = (one, other) => {
      const [a, b] = [column.of(one, this.now), column.of(other, this.now)];
      const by = typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
      return (falls ? -by : by) || one.pool.localeCompare(other.pool, "en", { numeric: true });
    };
    const shown = this.pools.filter((pool) => this.fits(pool)).sort(order);
    const known = new Set(this.pools.map((pool) => pool.pool));
    for (const id of [...this.rows.keys()].filter((one) => !known.has(one))) this.rows.delete(id);
    clearTimeout(this.later);
    // Rows that were there stay there, or the page would jump under whoever reads.
    const first = this.rows.size === 0;
    this.place(first ? shown.slice(0, ROWS_AT_ONCE) : shown);
    if (first) this.later = setTimeout(() => this.place(shown), 30);
    say(this.counted, this.pools.length === 0 ? "No pool is steered: no policy speaks of one that is there." : shown.length === this.pools.length ? `${count(shown.length)} pools` : `${count(shown.length)} of ${count(this.pools.length)} pools`);
  }

  /** Puts rows in order, touching none that stands where it should. */
  place(pools) {
    let next = this.body.firstElementChild;
    for (const pool of pools) {
      const row = this.row(pool);
      if (row === next) next = next.nextElementSibling;
      else this.body.insertBefore(row, next);
    }
    while (next) {
      const gone = next;
      next = next.nextElementSibling;
      gone.remove();
    }
  }

  row(pool) {
    let row = this.rows.get(pool.pool);
    if (!row) {
      row = h("tr", {}, COLUMNS.map((column) => h(column.key === "pool" ? "th" : "td", { class: column.number ? "number" : column.key, scope: column.key === "pool" ? "row" : undefined, data: { name: column.name } })));
      this.rows.set(pool.pool, row);
    }
    const version = `${pool.number} ${pool.halt?.until} ${pool.halt?.scope} ${pool.receipt?.result} ${Math.round((longest(pool, this.now) ?? 0) / 10)}`;
    if (row.version !== version) {
      row.version = version;
      const cells = cellsOf(pool, this.now);
      [...row.children].forEach((cell, index) => fill(cell, cells[index]));
    }
    return row;
  }
}

function cellsOf(pool, now) {
  const wait = longest(pool, now);
  const part = saved(pool);
  const goal = pool.order ?? pool.target;
  const moves = nodes(goal) !== nodes(pool.current);
  return [
    h("a", { href: `#/pools/${encodeURIComponent(pool.pool)}`, data: { focus: pool.pool } }, pool.pool),
    verdict(pool),
    pool.measures.waiting === undefined ? "–" : count(pool.measures.waiting),
    wait === null ? "–" : span(wait),
    [h("span", { class: "mix" }, count(nodes(pool.current)), moves && h("span", { class: "goal" }, ` → ${count(nodes(goal))}`)),
      bar([{ name: "dedicated", n: pool.current.dedicated }, { name: "spot", n: pool.current.spot }], `${mix(pool.current)}, dedicated + spot`)],
    pool.cost ? money(pool.cost.now) : "–",
    part === null ? "–" : share(part),
    why(pool, now),
  ];
}

export function verdict(pool) {
  const { sign, word, tone } = VERDICTS[pool.verdict] ?? { sign: "?", word: pool.verdict, tone: "warn" };
  const told = [h("span", { class: `badge ${tone}` }, h("span", { class: "sign", "aria-hidden": "true" }, sign), word)];
  if (pool.halt) told.push(h("span", { class: "badge warn" }, "paused"));
  if (pool.fault) told.push(h("span", { class: "badge bad" }, "unread"));
  if (pool.receipt?.result === "refused") told.push(h("span", { class: "badge bad" }, "refused"));
  if (pool.mode && pool.mode !== "full") told.push(h("span", { class: "badge calm" }, { outOnly: "only grows", shadow: "shadow", paused: "policy paused" }[pool.mode] ?? pool.mode));
  return told;
}

/** Why, with what went wrong first. */
export function why(pool, now) {
  const wrong = pool.fault ?? (pool.receipt?.result === "refused" ? `refused: ${pool.receipt.message}` : null);
  // What is held is told by what holds it; what is ordered follows from what was needed, and from what kept it from more.
  const because = pool.verdict === "hold" || !pool.because || pool.because === pool.reason ? pool.reason : `${pool.because}; ${pool.reason}`;
  return [wrong && h("span", { class: "wrong" }, `${sentence(wrong, now)}. `), sentence(because, now)];
}
