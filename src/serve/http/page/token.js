// Asks for the token when something is to be changed; it is kept in the page alone.

import { Refused, hasToken, keepToken } from "./api.js";
import { h, say } from "./dom.js";

/** Asks for a token; gives whether one was entered. */
function askForToken(why) {
  const field = h("input", { type: "password", id: "writetoken", autocomplete: "off", spellcheck: "false" });
  const dialog = h("dialog", { class: "tokenbox", "aria-labelledby": "tokenhead" },
    h("form", { method: "dialog", onsubmit: () => keepToken(field.value) },
      h("h2", { id: "tokenhead" }, "A token that lets write"), h("p", { class: "wayout" }, why),
      h("label", { for: "writetoken" }, "Token"), field,
      h("p", { class: "aside" }, "Kept in this page until it is closed or loaded anew, and nowhere else."),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "main", value: "go" }, "Go on"), h("button", { type: "button", onclick: () => dialog.close("") }, "Never mind"))));
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "go" && hasToken());
    });
    dialog.showModal();
    field.focus();
  });
}

/** Does something that needs a token: asked for first, and again as long as it is the wrong one. */
export async function withToken(what) {
  let why = "One of those in http.tokenFile of the sidecar's configuration.";
  for (;;) {
    if (!hasToken() && !(await askForToken(why))) return null;
    try {
      return await what();
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      keepToken("");
      why = `${error.message}: ${error.wayOut}`;
    }
  }
}

/** Says what went wrong, with the way out. */
export function tell(place, error) {
  say(place, error ? `${error.message}${error.wayOut ? `: ${error.wayOut}` : ""}` : "");
}
