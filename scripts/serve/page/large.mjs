// A large account: 500 pools and a month of history. Tells how long it takes until something is seen; asserts no time.
// Arguments: the browser, the address.

import { fits, must, ok, open, picture, quiet, readable, tab, until } from "./browser.mjs";

const [executable, url] = process.argv.slice(2);
const browser = await open(executable);
const ms = (n) => `${Math.round(n)} ms`;

try {
  const told = await tab(browser);
  const { page } = told;
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await until(page, "500 pools", () => document.querySelectorAll(".pools tbody tr").length === 500);
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    asked: Math.max(...performance.getEntriesByType("resource").filter((one) => one.name.endsWith("/pools")).slice(0, 1).map((one) => one.responseEnd)),
    bytes: performance.getEntriesByType("resource").reduce((sum, one) => sum + one.encodedBodySize, 0),
    drawn: performance.now(),
  }));
  ok(`500 pools: first paint after ${ms(times.paint)}, pools answered after ${ms(times.asked)}, all rows at the latest after ${ms(times.drawn)}, ${Math.round(times.bytes / 1024)} KiB in all`);
  const typed = await page.evaluate(() => {
    const field = document.querySelector("#filter");
    const began = performance.now();
    field.value = "pool-0042";
    field.dispatchEvent(new Event("input"));
    document.body.getBoundingClientRect();
    return performance.now() - began;
  });
  await until(page, "one pool", () => document.querySelectorAll(".pools tbody tr").length === 1);
  const sorted = await page.evaluate(() => {
    const field = document.querySelector("#filter");
    field.value = "";
    field.dispatchEvent(new Event("input"));
    const began = performance.now();
    document.querySelector('th[data-key="pool"] button').click();
    document.body.getBoundingClientRect();
    return performance.now() - began;
  });
  ok(`filtered in ${ms(typed)}, sorted in ${ms(sorted)}`);
  await fits(page, "a large account");
  await readable(page, "a large account");
  await picture(page, "large-account");
  await page.evaluate(() => { location.hash = "#/pools/pool-0042"; });
  await until(page, "the charts", () => document.querySelectorAll(".chart canvas").length === 3);
  await page.click('[data-time="24h"]');
  await until(page, "the forecast", () => /^7\d\d decisions.*Dashed: \$PendingTasks as it was forecast/.test(document.querySelector(".note").innerText));
  const forecast = await page.$$eval(".chart .legend li", (items) => items.map((item) => item.innerText).filter((one) => /^forecast [\d.,]+$/.test(one.trim())));
  must(forecast.length === 1, `the forecast is told ${forecast.length} times`);
  ok(`a day with what was forecast, an hour ahead of now: ${forecast[0].trim()} tasks`);
  await page.$$eval(".chart", (charts) => charts[1].scrollIntoView({ block: "center" }));
  await picture(page, "large-forecast");
  await page.evaluate(() => scrollTo(0, 0));
  const began = Date.now();
  await page.click('[data-time="30d"]');
  await until(page, "a month", () => /[\d,]{6} decisions/.test(document.querySelector(".note").innerText));
  const took = Date.now() - began;
  const note = await page.$eval(".note", (element) => element.innerText);
  const marks = await page.$$eval(".mark", (found) => found.length);
  must(marks > 20 && marks <= 300, `${marks} marks`);
  await page.$$eval(".mark", (found) => found[Math.floor(found.length / 2)].click());
  await until(page, "a chain of the month", () => document.querySelectorAll("#explained .step").length > 0);
  ok(`a month of a pool: drawn after ${ms(took)}; ${marks} marks; ${note}`);
  await picture(page, "large-month");
  quiet(told);
} finally {
  await browser.close();
}
