// Walks the dashboard as an operator does: looks, clicks, goes by keyboard alone, tries another policy, pauses.
// Arguments: the browser, the address, the token that lets write.

import { fits, must, ok, open, picture, quiet, readable, steps, tab, text, until } from "./browser.mjs";

const [executable, url, token] = process.argv.slice(2);
const browser = await open(executable);
const began = Date.now();

/** Waits for the savings of the account or of a pool, and returns each comparison in a line. */
async function saved(page, where) {
  await until(page, "savings against both", (place) => {
    const told = [...document.querySelectorAll(`${place} .against`)].map((one) => one.innerText);
    return told.length === 3 && told.slice(1).every((one) => /\$[\d.,]+ (saved|more paid)/.test(one) && /instead of \$/.test(one));
  }, where);
  return page.$$eval(`${where} .against`, (found) => found.map((one) => one.innerText.replaceAll("\n", " ")));
}

async function home() {
  const kept = await tab(browser);
  const { page } = kept;
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await until(page, "two pools", () => document.querySelectorAll(".pools tbody tr").length === 2);
  await until(page, "the mark that it is live", () => document.querySelector(".live")?.innerText === "live");
  const headline = await text(page, ".headline");
  must(/^Steering 2 pools: /.test(headline), headline);
  for (const [name, word] of [["demand", "wait"], ["nodes", "of"], ["cost", "an hour"], ["spot", ""]]) must((await text(page, `.tile.${name}`)).includes(word), `the tile ${name}`);
  ok(`at a glance: ${headline}`);
  const budget = await text(page, ".tile.budget");
  must(/\d %/.test(budget) && budget.includes("of $50"), budget);
  const stages = await page.$$eval(".tile.nodes .stages .pair", (rows) => rows.map((row) => row.innerText.replace("\n", " ")));
  must(stages.length === 5 && stages.every((row) => /\d \+ \d/.test(row)), stages.join("; "));
  const lanes = await page.$$eval(".tile.nodes .states th", (heads) => heads.map((head) => head.innerText));
  must(lanes[0] === "dedicated" && lanes[1] === "spot" && lanes.length > 2, lanes.join(" "));
  must((await page.$(".alerts")) !== null, "nobody says whether something deserves a look");
  ok(`targets by stage: ${stages.join("; ")}; nodes by lane: ${lanes.slice(2).join(", ")}; budget: ${budget.split("\n").slice(1).join(" ")}`);
  const told = await saved(page, ".overview + .savings");
  await page.click('.overview + .savings [data-saved="7d"]');
  await until(page, "the week", () => document.querySelector('.overview + .savings [data-saved="7d"]').ariaPressed === "true");
  await saved(page, ".overview + .savings");
  await page.click(".overview + .savings summary");
  must(/all-dedicated: as many nodes/.test(await text(page, ".overview + .savings .assumes")), "the savings do not say what they assume");
  await page.click(".overview + .savings summary");
  ok(`savings: ${told.join("; ")}`);
  const before = await text(page, ".seen");
  await until(page, "another look", (old) => document.querySelector(".seen").innerText !== old, before);
  ok("what happens is shown by itself");
  await page.type("#filter", "rend");
  await until(page, "one pool", () => document.querySelectorAll(".pools tbody tr").length === 1);
  must((await text(page, ".counted")) === "1 of 2 pools", await text(page, ".counted"));
  await page.$eval("#filter", (field) => { field.value = ""; field.dispatchEvent(new Event("input")); });
  await page.click('th[data-key="cost"] button');
  must((await page.$eval('th[data-key="cost"]', (head) => head.ariaSort)) === "descending", "the table is not sorted");
  const costs = await page.$$eval(".pools tbody tr", (rows) => rows.map((row) => Number(row.children[5].innerText.replace("$", ""))));
  must(costs[0] >= costs[1], `costs ${costs}`);
  ok("pools are filtered and sorted");
  await fits(page, "the account");
  ok(`light: ${await readable(page, "the account in light")}`);
  await picture(page, "account-light");
  await page.click("#theme");
  must((await page.$eval(":root", (root) => getComputedStyle(root).colorScheme)) === "dark", "the switch changes nothing");
  ok(`the switch, dark: ${await readable(page, "the account in dark")}`);
  await picture(page, "account-dark");
  quiet(kept);
  await page.close();
}

async function pool() {
  const told = await tab(browser, { dark: true });
  const { page } = told;
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.waitForSelector(".pools tbody a");
  await page.evaluate(() => [...document.querySelectorAll(".pools tbody a")].find((link) => link.innerText === "builds").click());
  await until(page, "three charts", () => document.querySelectorAll(".chart canvas").length === 3);
  await until(page, "marks", () => document.querySelectorAll('.mark[data-verdict="out"]').length > 0);
  await until(page, "the latest decision", () => document.querySelectorAll("#explained .step").length > 0);
  ok(`a pool: ${await page.$$eval(".mark", (marks) => marks.length)} decisions are marks`);
  ok(`its savings: ${(await saved(page, ".pool .savings")).join("; ")}`);
  const mark = await page.$$eval('.mark[data-verdict="out"]', (marks) => { marks[0].click(); return { label: marks[0].title, number: marks[0].dataset.number }; });
  await until(page, "the chain of the mark", (number) => document.querySelector("#explained").innerText.includes(`line ${number} of`), mark.number);
  const chain = await text(page, "#explained");
  must(/Grows from \d+ \+ \d+ to \d+ \+ \d+/.test(chain), chain);
  await page.click("#explained summary");
  const numbers = await text(page, "#explained .numbers");
  must(/\d/.test(numbers), numbers);
  ok(`a mark is clicked: ${chain.split("\n").slice(1, 3).join(" ")}; its numbers: ${numbers.split("\n").slice(0, 4).join(" ")}`);
  const canvas = await page.$(".chart .u-over");
  const box = await canvas.boundingBox();
  await page.mouse.click(box.x + box.width * 0.97, box.y + box.height / 2);
  await until(page, "another decision", (number) => !document.querySelector("#explained").innerText.includes(`line ${number} of`), mark.number);
  ok("a click into a chart tells what was decided then");
  await page.click('[data-time="1h"]');
  await until(page, "the hour", () => document.querySelector('[data-time="1h"]').ariaPressed === "true");
  await fits(page, "the pool");
  ok(`dark: ${await readable(page, "the pool in dark")}`);
  await picture(page, "pool-dark", true);
  await page.click("#theme");
  await new Promise((resolve) => setTimeout(resolve, 300));
  ok(`light: ${await readable(page, "the pool in light")}`);
  await picture(page, "pool-light");
  quiet(told);
  await page.close();
}

async function whatIf() {
  const told = await tab(browser);
  const { page } = told;
  await page.goto(`${url}/#/pools/builds`, { waitUntil: "domcontentloaded" });
  await until(page, "the policy", () => document.querySelector("#policytext")?.value.includes("drainWithin: 5m"));
  const rewrite = (from, to) => page.$eval("#policytext", (field, ...words) => { field.value = field.value.replace(...words); field.dispatchEvent(new Event("input")); }, from, to);
  await rewrite("bounds", "bonds");
  await page.click("#try");
  await until(page, "the fault with its place", () => /line 6, column 1/.test(document.querySelector(".faults").innerText));
  const fault = await text(page, ".faults");
  await page.click(".place");
  must((await page.$eval("#policytext", (field) => field.value.slice(field.selectionStart, field.selectionStart + 5))) === "bonds", "the place is not chosen");
  ok(`a wrong policy: ${fault.split("\n")[0]}`);
  await rewrite("bonds", "bounds");
  // A floor costs whatever has happened until now.
  await rewrite("dedicated: [0, 30]", "dedicated: [25, 30]");
  await page.click("#try");
  await until(page, "two runs", () => document.querySelectorAll(".compare tbody tr").length === 10);
  const rows = await page.$$eval(".compare tbody tr", (found) => found.map((row) => row.innerText.replaceAll("\t", "  ")));
  must(rows[0].includes("more by") && rows[5].includes("more by"), `nothing moved: ${rows.join(" | ")}`);
  ok(`what if: ${rows[0]}; ${rows[5]}`);
  must((await page.$eval("#try", (button) => button.innerText)) === "Try it", "it is still being tried");
  await page.$eval(".whatif", (card) => card.scrollIntoView());
  ok(`the comparison: ${await readable(page, "what if")}`);
  await picture(page, "what-if");
  // A refused request is told by the browser as well; nothing else may be.
  must(told.complaints.every((text_) => text_.includes("422")), told.complaints.join(" | "));
  quiet({ ...told, complaints: [] });
  await page.close();
}

async function pause() {
  const told = await tab(browser, { dark: true });
  const { page } = told;
  await page.goto(`${url}/#/pools/render`, { waitUntil: "domcontentloaded" });
  await page.waitForSelector("#pause");
  await page.type("#why", "a release runs");
  await page.click("#pause");
  await page.waitForSelector("dialog[open] #writetoken");
  await picture(page, "token");
  await page.type("#writetoken", "not-the-token-0123456789");
  await page.keyboard.press("Enter");
  await until(page, "that the token is wrong", () => /unknown here/.test(document.querySelector("dialog[open]")?.innerText ?? ""));
  must(!(await text(page, ".halts")).includes("Nothing is ordered"), "paused without a token");
  ok("a pause needs the token, and a wrong one is refused");
  await page.type("#writetoken", token);
  await page.keyboard.press("Enter");
  await until(page, "the pause", () => document.querySelector(".halts").innerText.includes("Nothing is ordered"));
  must((await text(page, ".halts")).includes("a release runs"), "the pause has no reason");
  await page.goto(`${url}/#/`);
  await until(page, "the pause among what deserves a look", () => document.querySelector(".alerts")?.innerText.includes("render is paused"));
  await picture(page, "paused");
  ok("it is paused, and the account says so");
  await page.evaluate(() => { location.hash = "#/pools/render"; });
  await page.waitForSelector("#resume");
  await page.click("#resume");
  await until(page, "the form again", () => document.querySelector("#pause") !== null);
  ok("it goes on, without being asked for the token again");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  must(!kept.includes(token), "the token is kept outside of the page");
  await page.reload({ waitUntil: "domcontentloaded" });
  await page.waitForSelector("#pause");
  await page.click("#pause");
  await page.waitForSelector("dialog[open] #writetoken");
  await page.keyboard.press("Escape");
  await until(page, "the dialog gone", () => !document.querySelector("dialog"));
  ok("the token is in the page alone: loaded anew, it is asked for again");
  must(told.complaints.every((text_) => text_.includes("401")), told.complaints.join(" | "));
  quiet({ ...told, complaints: [] });
  await page.close();
}

async function keyboard() {
  const told = await tab(browser);
  const { page } = told;
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.waitForSelector(".pools tbody a");
  const focused = () => page.evaluate(() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    return { name: (element.innerText || element.getAttribute("aria-label") || element.id || "").trim(), class: element.className, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
  });
  const passed = [];
  const go = async (what, fits_) => {
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      must(now.seen, `the focus is not seen on ${now.name}`);
      passed.push(now.name);
      if (fits_(now)) return;
    }
    throw new Error(`the tabulator never comes to ${what}: ${passed.join(", ")}`);
  };
  await go("the link past the head", (now) => now.name.startsWith("Skip"));
  await go("a pool", (now) => now.name === "builds");
  await page.keyboard.press("Enter");
  await until(page, "marks", () => document.querySelectorAll('.mark[data-verdict="out"]').length > 0);
  await go("the marks", (now) => now.class.startsWith("mark"));
  await page.keyboard.press("End");
  await until(page, "a chosen mark", () => document.activeElement.ariaPressed === "true");
  const last = await page.evaluate(() => document.activeElement.dataset.number);
  await until(page, "its chain", (number) => document.querySelector("#explained").innerText.includes(`line ${number} of`), last);
  await page.keyboard.press("ArrowLeft");
  const before = await page.evaluate(() => document.activeElement.dataset.number);
  must(before !== last, "the arrow leads nowhere");
  await until(page, "the chain of the one before", (number) => document.querySelector("#explained").innerText.includes(`line ${number} of`), before);
  await picture(page, "keyboard");
  await go("the numbers", (now) => now.name === "numbers");
  await page.keyboard.press("Enter");
  await go("the pause", (now) => now.name === "Pause");
  await go("the policy", (now) => now.name.startsWith("Policy "));
  await go("what tries it", (now) => now.name === "Try it");
  ok(`by keyboard alone: ${passed.length} stops from the head to what tries a policy, each seen`);
  quiet(told);
  await page.close();
}

async function phone() {
  const told = await tab(browser, { phone: true, dark: true });
  const { page } = told;
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.waitForSelector(".pools tbody a");
  await fits(page, "the account on a phone");
  await picture(page, "phone-account");
  await page.tap(".pools tbody a");
  await until(page, "charts", () => document.querySelectorAll(".chart canvas").length === 3 && document.querySelectorAll(".mark").length > 0);
  await fits(page, "a pool on a phone");
  await picture(page, "phone-pool", true);
  ok(`a phone: nothing is wider than it; ${await readable(page, "a pool on a phone")}`);
  quiet(told);
  await page.close();
}

/** Answers in the place of the sidecar, for what cannot be had from it at will. */
async function instead(page, answers) {
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const path = new URL(request.url()).pathname.replace("/api/v1/", "");
    const found = answers[path];
    const answer = typeof found === "function" ? found(request) : found;
    if (!answer) request.continue();
    else if (answer === "away") request.abort("connectionrefused");
    else request.respond({ status: answer.status ?? 200, contentType: answer.status ? "application/problem+json" : "application/json", body: JSON.stringify(answer.body) });
  });
}

/** What pools and budgets show is told among what deserves a look, worst first. */
async function alerts() {
  const { page } = await tab(browser, { dark: true });
  const answers = await Promise.all(["account", "pools"].map((path) => fetch(`${url}/api/v1/${path}`).then((response) => response.json())));
  const [account, { pools }] = answers;
  account.budgets = [{ scope: "builds", window: "month", limit: 300, spent: 261 }, { scope: "farm", window: "hour", limit: 2, spent: 2.1 }];
  const [first, second] = pools;
  first.receipt = { ...first.receipt, result: "refused", message: "the account's quota of dedicated cores is used up" };
  Object.assign(first.measures, { fallsBack: true, waiting: 40 });
  first.measures.nodes.push({ class: "spot", state: "unusable", count: 2 });
  Object.assign(second.measures, { waiting: 12, breakerOpen: true });
  second.stages.asked = { dedicated: 70, spot: 10 };
  second.bounds = { min: 1, max: 1 };
  second.current = { dedicated: 1, spot: 0 };
  await instead(page, { account: { body: account }, pools: { body: { pools } } });
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await until(page, "the alerts", () => document.querySelectorAll(".alerts li").length >= 7);
  const told = await page.$$eval(".alerts li", (items) => items.map((item) => item.innerText));
  for (const part of [/order was refused.*quota/, /Broken nodes are not replaced/, /At its bound/, /Dedicated nodes stand in/, /2 nodes are of no use/, /budget builds is spent to 87 %/, /budget farm is spent:/]) must(told.some((one) => part.test(one)), `${part} is not among ${told.join(" | ")}`);
  must(/refused|farm|not replaced/.test(told[0]), `the worst is not first: ${told[0]}`);
  must((await page.$(".alerts a")) !== null, "no pool can be gone to");
  await fits(page, "the alerts");
  ok(`what deserves a look: ${told.length} things, ${await readable(page, "the alerts")}`);
  await picture(page, "alerts");
  await page.close();
}

async function states() {
  const empty = await tab(browser);
  await instead(empty.page, { pools: { body: { pools: [] } } });
  await empty.page.goto(url, { waitUntil: "domcontentloaded" });
  await until(empty.page, "that there is no pool", () => /No pool is steered/.test(document.querySelector(".counted")?.innerText ?? ""));
  await picture(empty.page, "empty");
  const locked = await tab(browser, { dark: true });
  const refused = (request) => {
    const [kind, detail] = request.headers().authorization ? ["token-wrong", "the token is unknown here"] : ["token-needed", "reads need a token here"];
    return { status: 401, body: { type: `urn:lowtide:problem:${kind}`, title: "it is not let in", status: 401, detail, wayOut: "use one of those in http.tokenFile" } };
  };
  await instead(locked.page, { account: refused, pools: refused, policies: refused, events: refused });
  await locked.page.goto(url, { waitUntil: "domcontentloaded" });
  await locked.page.waitForSelector("#token");
  await readable(locked.page, "the form for a token").catch((error) => { if (!/hardly/.test(error.message)) throw error; });
  await picture(locked.page, "locked");
  await locked.page.type("#token", "not-the-token-0123456789");
  await locked.page.keyboard.press("Enter");
  await until(locked.page, "that the token is wrong", () => /does not count here/.test(document.querySelector("main").innerText));
  const away = await tab(browser);
  await instead(away.page, { account: "away", pools: "away", policies: "away", events: "away" });
  await away.page.goto(url, { waitUntil: "domcontentloaded" });
  await until(away.page, "that nobody answers", () => /does not answer/.test(document.querySelector("main").innerText));
  await picture(away.page, "broken");
  ok("empty, locked and broken are told");
  for (const one of [empty, locked, away]) await one.page.close();
}

/** Looks on while the sidecar ends. */
async function stale() {
  const told = await tab(browser);
  const { page } = told;
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.waitForSelector(".pools tbody a");
  console.log("end it");
  await until(page, "that what is shown is old", () => /does not answer since/.test(document.querySelector(".stale")?.innerText ?? ""));
  must((await page.$$(".pools tbody tr")).length === 2, "what was known is gone");
  await picture(page, "stale");
  ok(`stale: ${await text(page, ".stale")}`);
  await page.close();
}

try {
  await home();
  await pool();
  await whatIf();
  await pause();
  await keyboard();
  await phone();
  await alerts();
  await states();
  await stale();
  console.log(`dashboard: ${steps()} steps in ${Math.round((Date.now() - began) / 1000)} s`);
} finally {
  await browser.close();
}
