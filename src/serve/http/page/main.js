// Where the page begins: what it knows, when it asks again, and what is shown.
//
//   events ─► something has changed ─► asked again, not too often ─► drawn

import { headline, pill, tiles, totals } from "./account.js";
import { alerts } from "./alerts.js";
import { Away, Refused, get, keepToken } from "./api.js";
import { announce, fill, h, say } from "./dom.js";
import { listen } from "./live.js";
import { PoolView } from "./pool.js";
import { PoolTable } from "./pools.js";
import { Savings } from "./savings.js";
import { STATES, moment, span, zone } from "./words.js";

const state = { account: null, pools: [], policies: null, live: { is: "connecting", since: Date.now() }, fault: null, asked: 0 };
const top = document.getElementById("top");
const content = document.getElementById("content");
const foot = document.getElementById("foot");
const table = new PoolTable();
const savings = new Savings();

/** What time it is for the sidecar, whose clock may be another one. */
const now = () => (state.account ? Date.parse(state.account.now) + (Date.now() - state.asked) : Date.now());

/** Asked again at the latest after this, though nothing was heard. */
const ASK_EVERY_MS = 15_000;
/** And no sooner than this, however much happens; more where answers take long. */
const ASK_APART_MS = 1_000;

let asking = false;
let wanted = 0;

async function ask() {
  if (asking) return;
  asking = true;
  const began = performance.now();
  try {
    const [account, pools, policies] = await Promise.all([get("account"), get("pools"), get("policies")]);
    Object.assign(state, { account, pools: pools.pools, policies, fault: null, asked: Date.now() });
  } catch (error) {
    state.fault = error;
  }
  asking = false;
  draw();
  const apart = Math.max(ASK_APART_MS, 4 * (performance.now() - began));
  clearTimeout(wanted);
  wanted = 0;
  next = Date.now() + apart;
}

let next = 0;

/** Asks again soon: at once when it is long since, a little later else. */
function askSoon() {
  if (wanted || asking) return;
  wanted = setTimeout(() => { wanted = 0; ask(); }, Math.max(0, next - Date.now()));
}

const live = listen({
  onEvent: askSoon,
  onState: (told) => {
    const was = state.live.is;
    state.live = told;
    if (told.is === "open" && was !== "open") askSoon();
    drawTop();
  },
});

setInterval(() => {
  if (!document.hidden && Date.now() - state.asked > ASK_EVERY_MS) askSoon();
  drawTop();
}, 1_000);

/** What is shown is old: nothing is heard, or the sidecar has not seen the account for long. */
function staleness() {
  if (!state.account) return null;
  if (state.fault instanceof Away) return `The sidecar does not answer since ${moment(state.asked, Date.now(), true)}; what is shown is from then`;
  if (state.live.is !== "open" && Date.now() - state.asked > 2 * ASK_EVERY_MS) return `Nothing was heard for ${span((Date.now() - state.asked) / 1000)}; what is shown may be old`;
  const seen = state.account.lastSeen;
  const intervals = (state.policies?.policies ?? []).map((policy) => policy.intervalSeconds);
  const patience = 3 * Math.max(60, ...intervals);
  const ago = seen ? (now() - Date.parse(seen)) / 1000 : null;
  if (ago !== null && ago > patience && state.account.role !== "standby") return `The account was last seen ${span(ago)} ago; nothing is taken away meanwhile`;
  return null;
}

function liveMark() {
  const words = { open: ["live", "good"], connecting: ["connecting", "calm"], waiting: ["not live", "warn"] };
  const [word, tone] = words[state.live.is];
  return h("span", { class: `live ${tone}`, title: state.live.is === "open" ? "changes are shown as they happen" : "tried again by itself" }, word);
}

function themeSwitch() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const change = () => {
    const other = (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches) ? "light" : "dark";
    root.dataset.theme = other;
    try { localStorage.setItem("lowtide-theme", other); } catch { /* Chosen for as long as the page is open. */ }
    drawTop();
    dispatchEvent(new Event("themed"));
  };
  return h("button", { type: "button", class: "quiet", id: "theme", data: { focus: "theme" }, onclick: change }, dark ? "Light" : "Dark");
}

function drawTop() {
  const { account } = state;
  const seen = account?.lastSeen;
  const old = staleness();
  fill(top,
    h("a", { class: "brand", href: "#/", data: { focus: "brand" } }, h("img", { src: "/page/icon.svg", alt: "", width: "24", height: "24" }), h("span", {}, account?.account ?? "Lowtide")),
    account && (state.fault instanceof Away ? h("span", { class: "pill warn", title: "the sidecar does not answer" }, "Unknown") : pill(account)),
    account && account.role !== "alone" && h("span", { class: "pill calm" }, account.role === "leader" ? "Leader" : "Standby"),
    account?.dryRun && h("span", { class: "pill warn", title: "orders are kept back" }, "Dry run"),
    h("span", { class: "spread" }),
    seen && h("span", { class: "seen" }, `seen ${moment(seen, now(), true)}`),
    liveMark(), themeSwitch(),
    old && h("p", { class: "stale", role: "alert" }, old));
}

function broken(error) {
  if (error instanceof Refused && (error.kind === "token-needed" || error.kind === "token-wrong")) {
    const field = h("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false", required: true });
    const enter = (event) => {
      event.preventDefault();
      keepToken(field.value);
      live.retryNow();
      ask();
    };
    return h("form", { class: "broken", onsubmit: enter },
      h("h1", {}, error.kind === "token-wrong" ? "That token does not count here" : "Reads need a token here"), h("p", {}, error.wayOut),
      h("label", { for: "token" }, "Token, kept in this page alone and gone with it"), field, h("button", { type: "submit", class: "main" }, "Show the account"));
  }
  return h("section", { class: "broken", role: "alert" }, h("h1", {}, error instanceof Away ? "The sidecar does not answer" : error.title || "The sidecar refused"),
    h("p", {}, error instanceof Away ? "It is tried again by itself. `lowtide serve` says in its log why it ended, if it did." : error.message), error.wayOut && h("p", {}, error.wayOut));
}

/** Which pool the address names, if it names one. */
function chosenPool() {
  const found = /^#\/pools\/(.+)$/.exec(location.hash);
  if (!found) return null;
  try { return decodeURIComponent(found[1]); } catch { return null; }
}

let view = null;

/** Shows what the address names; focus goes there when it has changed. */
function route() {
  const id = chosenPool();
  if (view && view.id !== id) {
    view.end();
    view = null;
  }
  draw();
  scrollTo(0, 0);
  content.focus({ preventScroll: true });
}
addEventListener("hashchange", route);

function drawPool(id) {
  const pool = state.pools.find((one) => one.pool === id);
  document.title = `${id} · ${state.account.account} · Lowtide`;
  if (!pool) {
    view?.end();
    view = null;
    fill(content, h("section", { class: "broken" }, h("h1", {}, `No pool ${id} is steered`), h("p", {}, "It may be gone, or no policy speaks of it."), h("a", { href: "#/" }, "All pools")));
    return;
  }
  if (!view) {
    view = new PoolView(id, { now, refresh: ask });
    content.replaceChildren(view.element);
  }
  view.show(pool);
}

function home() {
  const { account, pools, policies } = state;
  return [
    h("h1", { class: "headline" }, headline(account, totals(pools, now()))),
    alerts(account, pools, policies, now()), tiles(account, pools, now()),
  ];
}

const overview = h("div", { class: "overview" });

function draw() {
  drawTop();
  content.setAttribute("aria-busy", "false");
  if (!state.account) {
    // What somebody types stays as long as the same thing is wrong.
    const wrong = state.fault && (state.fault.kind ?? "away");
    if (wrong && content.dataset.wrong !== wrong) fill(content, broken(state.fault));
    if (wrong) content.dataset.wrong = wrong;
    return;
  }
  say(foot, `Lowtide ${state.account.version}. Nodes are written dedicated + spot. Times are of ${zone()}; money is US dollars at the prices of the policies.`);
  const id = chosenPool();
  if (id !== null) {
    drawPool(id);
    return;
  }
  document.title = `${state.account.account} · Lowtide`;
  if (content.firstElementChild !== overview) content.replaceChildren(overview, savings.element, table.element);
  fill(overview, home());
  savings.show(now());
  table.show(state.pools, now());
  // Those who listen hear when something deserves a look, and not each number that changes.
  announce([STATES[state.account.status]?.word ?? state.account.status, ...state.account.reasons].join(". "));
}

// The address names what is shown, so that the link past the head must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});

ask();
