// Numbers and moments as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const precise = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const count = (number) => whole.format(number);

/** Dollars: cents where they matter. */
export function money(dollars) {
  const size = Math.abs(dollars);
  const digits = size === 0 || size >= 100 ? (size >= 1000 || size === 0 ? 0 : 0) : size >= 0.1 ? 2 : 3;
  return `${dollars < 0 ? "−" : ""}$${size.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export const hourly = (dollars) => `${money(dollars)}/h`;

export const share = (part) => `${Math.round(part * 100)} %`;

/** How long: the two largest units. */
export function span(seconds) {
  if (seconds === undefined || seconds === null || Number.isNaN(seconds)) return "–";
  let left = Math.max(0, Math.round(seconds));
  if (left < 60) return `${left} s`;
  const parts = [];
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    const n = Math.floor(left / size);
    left -= n * size;
    if (n > 0) parts.push(`${n} ${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}

const sameDay = (one, other) => one.toDateString() === other.toDateString();

/** A moment of today by its clock, any other with its day. `now` is the sidecar's. */
export function moment(at, now = Date.now(), seconds = false) {
  const [date, today] = [new Date(at), new Date(now)];
  const time = (seconds ? precise : clock).format(date);
  return sameDay(date, today) ? time : `${day.format(date)}, ${time}`;
}

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local time";

const MOMENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** A sentence of the sidecar, with its moments as people read them. */
export const sentence = (text, now) => text.replace(MOMENT, (at) => moment(at, now));

export const nodes = (mix) => mix.dedicated + mix.spot;

export const mix = ({ dedicated, spot }) => `${count(dedicated)} + ${count(spot)}`;

/** What a decision comes to: a sign, a word, and what colour it has. */
export const VERDICTS = {
  out: { sign: "▲", word: "grows", tone: "grow" },
  in: { sign: "▼", word: "shrinks", tone: "shrink" },
  shift: { sign: "⇄", word: "shifts", tone: "grow" },
  steady: { sign: "●", word: "steady", tone: "calm" },
  hold: { sign: "❚❚", word: "held", tone: "warn" },
};

export const STATES = {
  ready: { word: "Ready", tone: "good", says: "steers" },
  degraded: { word: "Degraded", tone: "warn", says: "steers, and something deserves a look" },
  standby: { word: "Standby", tone: "calm", says: "another instance steers" },
  notReady: { word: "Not ready", tone: "bad", says: "does not steer" },
};

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
