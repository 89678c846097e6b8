// Reports as a person reads them: opened from the disk, by mouse, by keyboard, on a phone, on paper.
// Arguments: the browser, the folder of the pages.

import { writeFileSync } from "node:fs";
import { fits, must, ok, open, picture, quiet, readable, tab, text, until } from "./browser.mjs";

const [executable, folder] = process.argv.slice(2);
const browser = await open(executable);

/** Opens a page from the disk; it may ask for itself alone. */
async function report(name, given = {}) {
  const url = `file://${folder}/${name}.html`;
  const told = await tab(browser, { ...given, own: (one) => one === url });
  await told.page.goto(url);
  await until(told.page, `the page ${name}`, () => document.documentElement.dataset.drawn === "true");
  await drawn(told.page, name);
  return told;
}

/** Fails when a chart is blank: nothing but its ground, its lines and its axes. */
async function drawn(page, where) {
  await until(page, `charts of ${where}`, () => [...document.querySelectorAll(".chart")].every((chart) => chart.querySelector("canvas")));
  const colours = await page.evaluate(() => [...document.querySelectorAll(".chart")].map((chart) => {
    const drawn = chart.querySelector("canvas");
    const canvas = new OffscreenCanvas(drawn.width, drawn.height).getContext("2d", { willReadFrequently: true });
    canvas.drawImage(drawn, 0, 0);
    const { data } = canvas.getImageData(0, 0, drawn.width, drawn.height);
    const found = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 40) found.add((data[at] >> 4) * 256 + (data[at + 1] >> 4) * 16 + (data[at + 2] >> 4));
    const spread = [...found].filter((one) => Math.max(one >> 8, (one >> 4) & 15, one & 15) - Math.min(one >> 8, (one >> 4) & 15, one & 15) > 3);
    return { title: chart.getAttribute("aria-label"), colours: spread.length };
  }));
  const blank = colours.filter((one) => one.colours === 0);
  must(blank.length === 0, `${where}: blank: ${blank.map(({ title }) => title).join(", ")}`);
  return colours.length;
}

async function backtest() {
  const told = await report("backtest");
  const { page } = told;
  ok(`a backtest: ${await drawn(page, "backtest")} charts, ${await readable(page, "a backtest")}`);
  await fits(page, "a backtest");
  await picture(page, "backtest-light", true);
  const policy = await text(page, ".facts");
  await page.select("#run", "1");
  const native = await text(page, ".facts");
  must(policy !== native, "another run has the same figures");
  const row = await page.$eval('.sheet tr[aria-current="true"]', (found) => found.innerText);
  must(row.includes("native"), `the chosen row is ${row}`);
  await page.select("#run", "2");
  must((await text(page, ".counted")).startsWith("Nobody decides"), "a fixed pool decides");
  await page.click('.sheet .link[data-run="0"]');
  must((await text(page, ".facts")) === policy, "the first run is not what it was");
  ok("a run is chosen by the list and by the table, and a fixed pool has no decisions");
  const figures = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).runs[0].figures);
  must(policy.includes(`$${figures.cost.total.toFixed(2)}`), "the cost is another one");
  await page.evaluate(() => document.querySelector(".deep .chart .u-over").scrollIntoView({ block: "center" }));
  const box = await (await page.$(".deep .chart .u-over")).boundingBox();
  await page.mouse.click(box.x + box.width * 0.55, box.y + box.height / 2);
  await until(page, "the decision of the moment", () => document.querySelector('.turns tr[aria-current="true"]') !== null);
  const chosen = await page.$eval('.turns tr[aria-current="true"]', (found) => found.innerText.replace(/\s+/g, " "));
  must(/\d \+ \d/.test(chosen), `no decision: ${chosen}`);
  ok(`a click in a chart tells the decision: ${chosen.slice(0, 110)}…`);
  await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await until(page, "the zoom", () => !document.querySelector("#unzoom").hidden);
  await page.click("#unzoom");
  await page.type("#turnfilter", "zzz");
  must((await text(page, ".counted")).startsWith("0 of"), "a word that nobody says is found");
  ok("dragged to zoom and back; the filter of decisions filters");
  await page.click("#copy");
  await until(page, "that it is copied", () => document.querySelector("#copy").innerText === "Copied" || document.querySelector("#said").innerText !== "");
  await page.click("#theme");
  must((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "the look does not change");
  await drawn(page, "backtest in the other look");
  quiet(told);
  await page.close();
}

async function looks() {
  const dark = await report("backtest", { dark: true });
  ok(`in the dark: ${await readable(dark.page, "in the dark")}`);
  await picture(dark.page, "backtest-dark", true);
  const print = () => dark.page.pdf({ format: "A4", printBackground: true });
  const paper = await print();
  writeFileSync(`${folder}/backtest.pdf`, paper);
  const pages = Buffer.from(paper).toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  must(pages >= 2 && pages <= 12, `${pages} pages of paper`);
  // Charts are lines on paper, so that they are found by what is missing without them.
  await dark.page.evaluate(() => document.querySelectorAll(".canvas").forEach((holder) => { holder.style.visibility = "hidden"; }));
  const charts = paper.length - (await print()).length;
  await dark.page.evaluate(() => document.querySelectorAll(".canvas").forEach((holder) => { holder.style.visibility = ""; }));
  must(charts > 20_000, `the charts are ${charts} bytes of the paper`);
  // What the paper has is what the page is between the two events.
  await dark.page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await dark.page.emulateMediaType("print");
  must((await dark.page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--text").trim())) === "#17202a", "paper is dark");
  await picture(dark.page, "backtest-paper", true);
  await dark.page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await dark.page.emulateMediaType("screen");
  must((await dark.page.evaluate(() => document.documentElement.dataset.theme)) === undefined, "the page stays as it was on paper");
  ok(`on paper: ${pages} pages, ${Math.round(charts / 1024)} KiB of them charts, light though the screen is dark`);
  quiet(dark);
  for (const name of ["backtest", "sweep", "ledger"]) {
    const phone = await report(name, { phone: true, dark: name === "backtest" });
    await fits(phone.page, `${name} on a phone`);
    await picture(phone.page, `${name}-phone`, true);
    quiet(phone);
    await phone.page.close();
  }
  ok("on a phone nothing is wider than it");
}

async function sweep() {
  const told = await report("sweep");
  const { page } = told;
  const data = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent));
  const front = data.points.filter((point) => point.front);
  must(data.points.length === 21 && front.length > 0 && front.every((point) => point.run !== undefined), "the front is not shown in depth");
  must(data.points.every((point) => point.bound > 0), "there is no bound");
  ok(`a sweep: ${data.points.length} points, ${front.length} on the front; ${await readable(page, "a sweep")}`);
  await picture(page, "sweep-light", true);
  const place = front.at(-1).run;
  await page.click(`.sheet .link[data-run="${place}"]`);
  must((await page.$eval("#run", (select) => select.value)) === String(place), "the setting is not shown");
  quiet(told);
  await page.close();
}

async function comparison() {
  const told = await report("comparison");
  const { page } = told;
  const data = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent));
  const [sums, rows] = data.sheets;
  must(data.cases.names.length === 8 && rows.rows.length === 8 * data.cases.contenders.length, "not every case is told");
  must(sums.rows.length === data.cases.contenders.length && data.cases.ratios.flat().every((ratio) => ratio === null || ratio >= 1), "something costs less than the bound");
  ok(`a comparison: ${await drawn(page, "a comparison")} charts, ${data.cases.names.length} cases; ${await readable(page, "a comparison")}`);
  await fits(page, "a comparison");
  await picture(page, "comparison-light", true);
  const over = await page.$(".beside .chart .u-over");
  await over.evaluate((one) => one.scrollIntoView({ block: "center" }));
  const box = await over.boundingBox();
  await page.mouse.move(box.x + box.width * (2.5 / 8), box.y + box.height / 2);
  await until(page, "the case under the cursor", () => document.querySelector(".beside .legend").innerText.startsWith("3: "));
  const legend = (await text(page, ".beside .legend")).replace(/\s+/g, " ");
  const first = data.cases.ratios[0][2];
  must(legend.includes(data.cases.names[2].join(", ")) && (first === null ? legend.includes("not met") : legend.includes(`${first.toFixed(2)} ×`)), `the legend says ${legend}`);
  ok(`a case tells what each paid: ${legend.slice(0, 110)}…`);
  quiet(told);
  await page.close();
  const unbound = await report("unbound", { dark: true });
  must((await text(unbound.page, ".beside h3")).startsWith("Cost ÷ dedicated"), "without a bound costs are not told by the reference");
  ok(`without a bound, in the dark: ${await readable(unbound.page, "a comparison in the dark")}`);
  await picture(unbound.page, "comparison-dark", true);
  await unbound.page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await unbound.page.emulateMediaType("print");
  await picture(unbound.page, "comparison-paper", true);
  quiet(unbound);
  await unbound.page.close();
  const phone = await report("comparison", { phone: true });
  await fits(phone.page, "a comparison on a phone");
  await picture(phone.page, "comparison-phone", true);
  quiet(phone);
  await phone.page.close();
}

async function keyboard() {
  const told = await report("backtest");
  const { page } = told;
  const passed = [];
  const go = async (what, holds) => {
    for (let n = 0; n < 40; n += 1) {
      await page.keyboard.press("Tab");
      const now = await page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        return { id: element.id, class: element.className, name: (element.innerText || element.getAttribute("aria-label") || "").trim(), run: element.dataset.run, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
      });
      must(now.seen, `the focus is not seen on ${now.name}`);
      passed.push(now.name);
      if (holds(now)) return;
    }
    throw new Error(`the tabulator never comes to ${what}: ${passed.join(", ")}`);
  };
  await go("the link past the head", (now) => now.name.startsWith("Skip"));
  await go("the command", (now) => now.id === "copy");
  await go("a run", (now) => now.run === "1");
  await page.keyboard.press("Enter");
  must((await page.$eval("#run", (select) => select.value)) === "1", "enter chooses no run");
  await go("the list", (now) => now.id === "run");
  await page.keyboard.press("ArrowUp");
  must((await page.$eval("#run", (select) => select.value)) === "0", "the arrow chooses no run");
  await go("a decision", (now) => now.class === "link" && now.run === undefined);
  await page.keyboard.press("Enter");
  await until(page, "the marked decision", () => document.querySelector('.turns tr[aria-current="true"]') !== null);
  ok(`by keyboard alone: ${passed.length} stops from the head to a decision, each seen`);
  quiet(told);
  await page.close();
}

async function hostile() {
  const told = await report("hostile");
  const { page } = told;
  must((await text(page, ".sheet .link")).includes("<img src=x onerror=alert(1)><script>"), "the name is not told as it is");
  must((await page.$$eval("img, main script", (found) => found.length)) === 0, "the name became more than text");
  ok("a policy whose name is markup stays a name");
  quiet(told);
  await page.close();
}

async function ledger() {
  const told = await report("ledger");
  const { page } = told;
  const sheets = await page.$$eval(".sheet h2", (found) => found.map((one) => one.innerText));
  must(sheets.join() === "Cost,Savings,Waits", `its tables are ${sheets.join()}`);
  must((await page.$$(".turns tbody tr")).length > 0, "nothing was decided");
  ok(`a ledger: ${await drawn(page, "a ledger")} charts; ${await readable(page, "a ledger")}`);
  await picture(page, "ledger-light", true);
  quiet(told);
  await page.close();
}

try {
  await backtest();
  await looks();
  await sweep();
  await comparison();
  await keyboard();
  await hostile();
  await ledger();
} finally {
  await browser.close();
}
