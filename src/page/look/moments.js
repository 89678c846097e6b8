// Moments of a report: in UTC, as the terminal tells them; of a log that tells no dates, by its day and hour.

import { span } from "./words.js";

const YEAR_SECONDS = 366 * 86400;

const utcDay = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const utcClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
const utcYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** Says whether a moment is one of a calendar, and not only so long after the start of a log. */
export const isDated = (seconds) => seconds > YEAR_SECONDS;

const two = (number) => String(number).padStart(2, "0");

export function clockOf(seconds) {
  return isDated(seconds) ? utcClock.format(seconds * 1000) : `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}`;
}

export const dayOf = (seconds) => (isDated(seconds) ? utcDay.format(seconds * 1000) : `day ${Math.floor(seconds / 86400)}`);

export const told = (seconds) => `${dayOf(seconds)}, ${clockOf(seconds)}`;

/** From when to when, with the year. */
export const stretch = (from, to) =>
  (isDated(from) ? `${utcYear.format(from * 1000)} ${clockOf(from)} to ${utcYear.format(to * 1000)} ${clockOf(to)} UTC, ${span(to - from)}` : span(to - from));
