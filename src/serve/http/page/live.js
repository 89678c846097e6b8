// Events as they happen. Read by fetch and not by EventSource, so that a token can be sent, and silence is noticed.
//
//   connecting ─► open ─► (silent for long, or ended) ─► waiting, longer each time ─► connecting

import { Refused, headers } from "./api.js";

/** The sidecar says something at least every 15 seconds. */
const SILENCE_MAX_MS = 35_000;
const WAIT_LEAST_MS = 500;
const WAIT_MOST_MS = 30_000;

/** Listens for ever; tells `onEvent(kind, data)` and `onState({ is, since, error })`. */
export function listen({ onEvent, onState }) {
  let last = "";
  let tries = 0;
  let wake = () => {};
  const retryNow = () => { tries = 0; wake(); };
  addEventListener("online", retryNow);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });

  async function once() {
    const stop = new AbortController();
    let silence = setTimeout(() => stop.abort(), SILENCE_MAX_MS);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => stop.abort(), SILENCE_MAX_MS);
    };
    try {
      const more = last ? { "last-event-id": last } : {};
      const response = await fetch("/api/v1/events?brief=true", {
        headers: headers({ accept: "text/event-stream", ...more }), signal: stop.signal, cache: "no-store",
      });
      if (!response.ok) throw new Refused(response.status, await response.json().catch(() => null));
      heard();
      tries = 0;
      onState({ is: "open", since: Date.now() });
      const lines = response.body.pipeThrough(new TextDecoderStream()).getReader();
      await read(lines, heard, (event) => {
        if (event.id) last = event.id;
        onEvent(event.kind, event.data);
      });
    } finally {
      clearTimeout(silence);
      stop.abort();
    }
  }

  async function forever() {
    for (;;) {
      let error = null;
      try { await once(); } catch (caught) { error = caught; }
      const refused = error instanceof Refused ? error : null;
      onState({ is: "waiting", since: Date.now(), error: refused });
      // A little chance, so that many pages do not come back at the same moment.
      const wait = Math.min(WAIT_MOST_MS, WAIT_LEAST_MS * 2 ** tries) * (0.75 + Math.random() / 2);
      tries += 1;
      await new Promise((resolve) => { wake = resolve; setTimeout(resolve, wait); });
    }
  }
  forever();
  return { retryNow };
}

/** Reads events until the stream ends: fields by line, an empty line ends an event, a comment is a sign of life. */
async function read(lines, heard, onEvent) {
  let rest = "";
  let event = { kind: "message", data: "", id: "" };
  for (;;) {
    const { value, done } = await lines.read();
    if (done) return;
    heard();
    const parts = (rest + value).split(/\r\n|\n|\r/);
    rest = parts.pop();
    for (const line of parts) {
      if (line === "") {
        if (event.data) onEvent({ ...event, data: parsed(event.data) });
        event = { kind: "message", data: "", id: "" };
        continue;
      }
      const [, field, text] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (field === "event") event.kind = text;
      else if (field === "data") event.data += event.data ? `\n${text}` : text;
      else if (field === "id") event.id = text;
    }
  }
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}
