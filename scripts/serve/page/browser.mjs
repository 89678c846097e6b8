// The browser and what a walk needs of it: steps that print what they proved, what must never happen, contrast reckoned.

import { mkdirSync } from "node:fs";
import puppeteer from "puppeteer-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"];

export const open = (executablePath) => puppeteer.launch({ executablePath, args: FLAGS, headless: true });

let step = 0;
export function ok(text) {
  step += 1;
  console.log(`ok ${step}  ${text}`);
}
export const steps = () => step;

export function must(holds, text) {
  if (!holds) throw new Error(text);
}

/** Says whether an address is one of the program that is looked at. */
const isLocal = (url) => new URL(url).hostname === "127.0.0.1";

/** A page whose every complaint is kept, and whose every request is looked at: it may ask for what is its own. */
export async function tab(browser, { dark = false, phone = false, still = true, own = isLocal } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const complaints = [];
  const foreign = [];
  page.on("console", (message) => { if (["error", "warn"].includes(message.type())) complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith("data:") && !own(request.url())) foreign.push(request.url());
  });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }, { name: "prefers-reduced-motion", value: still ? "reduce" : "no-preference" }]);
  await page.setViewport(phone ? { width: 390, height: 844, isMobile: true, hasTouch: true } : { width: 1280, height: 900 });
  return { page, complaints, foreign };
}

/** Fails with what the page complained of. */
export function quiet({ complaints, foreign }) {
  must(complaints.length === 0, `the page complains: ${complaints.join(" | ")}`);
  must(foreign.length === 0, `the page asks elsewhere: ${foreign.join(" ")}`);
}

/** Waits until something holds in the page. */
export const until = (page, what, holds, ...given) =>
  page.waitForFunction(holds, { timeout: 30_000, polling: 100 }, ...given).catch((error) => { throw new Error(`never: ${what} (${error.message})`); });

export const text = (page, selector) => page.$eval(selector, (element) => element.innerText);

export async function picture(page, name, fullPage = false) {
  mkdirSync(process.env.PICTURES, { recursive: true });
  await page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, fullPage });
}

/** Returns every text whose contrast with what is behind it is too low (WCAG 2.2, 1.4.3), and the lowest that there is. */
export const contrasts = (page) => page.evaluate(() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(rgba(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const value = ["INPUT", "TEXTAREA"].includes(element.tagName);
    const style = getComputedStyle(element);
    if ((!own && !value) || element.closest(".unseen, .skip, noscript, [hidden], :disabled") || style.visibility === "hidden" || element.getClientRects().length === 0) continue;
    const ground = behind(element);
    const [one, other] = [light(over(rgba(style.color), ground)), light(ground)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    found.push({ ratio: (one + 0.05) / (other + 0.05), large, text: `${element.tagName.toLowerCase()}.${element.className} "${(element.textContent || element.value).trim().slice(0, 40)}"` });
  }
  found.sort((a, b) => a.ratio - b.ratio);
  return { n: found.length, least: found[0], low: found.filter(({ ratio, large }) => ratio < (large ? 3 : 4.5)) };
});

export async function readable(page, where) {
  const { n, least, low } = await contrasts(page);
  must(n > 10, `${where}: hardly any text is there`);
  must(low.length === 0, `${where}: contrast is too low: ${low.map(({ ratio, text: what }) => `${ratio.toFixed(2)} ${what}`).join("; ")}`);
  return `${n} texts, the least contrast ${least.ratio.toFixed(2)}`;
}

/** Says that nothing is wider than the page, nor than the tile or card that it stands in. */
export const fits = async (page, where) => {
  const spills = await page.$$eval(".tile, .card", (boxes) => boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.ariaLabel));
  must(spills.length === 0, `${where}: wider than where it stands: ${spills.join(", ")}`);
  const [wide, page_width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  must(wide <= page_width, `${where}: ${wide} pixels wide in a window of ${page_width}`);
};
