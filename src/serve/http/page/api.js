// Asks the sidecar. The token lives in this module and nowhere else: it is gone when the page is.

let token = "";

export const hasToken = () => token !== "";
export function keepToken(text) {
  token = text.trim();
}

/** What the sidecar said no to, in its own words. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `the sidecar answered ${status}`);
    this.status = status;
    this.kind = (problem?.type ?? "").replace("urn:lowtide:problem:", "");
    this.title = problem?.title ?? "";
    this.wayOut = problem?.wayOut ?? "";
    this.faults = problem?.faults ?? [];
  }
}

/** The sidecar did not answer at all. */
export class Away extends Error {}

export function headers(more = {}) {
  return token ? { ...more, authorization: `Bearer ${token}` } : more;
}

async function told(request) {
  let response;
  try {
    response = await request;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Away("the sidecar does not answer");
  }
  let body = null;
  try { body = await response.json(); } catch { /* A body that is no JSON tells nothing; the status does. */ }
  if (response.ok) return body;
  throw new Refused(response.status, body);
}

/** An answer that takes longer than this is no answer: the sidecar gives up at a minute. */
const PATIENCE_MS = 65_000;

const within = (signal) => {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  return signal ? AbortSignal.any([signal, patience]) : patience;
};

export const get = (path, signal) =>
  told(fetch(`/api/v1/${path}`, { headers: headers(), signal: within(signal), cache: "no-store", credentials: "same-origin" }));

export const post = (path, body, signal) =>
  told(fetch(`/api/v1/${path}`, {
    method: "POST",
    headers: headers({ "content-type": "application/json" }),
    body: JSON.stringify(body),
    signal: within(signal),
    credentials: "same-origin",
  }));

export const inPath = (id) => encodeURIComponent(id).replaceAll("*", "%2A");
