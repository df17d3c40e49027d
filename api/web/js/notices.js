/** Short messages at the edge of the page, which screen readers hear too. */

import { fill, h, icon } from "./dom.js";
import { t, tIfKnown } from "./messages.js";

const SHOWN_MS = 5000;

const polite = h("div", { class: "notices", role: "status" });
const urgent = h("div", { class: "notices urgent", role: "alert" });

/** Make the places where messages appear. */
export function noticePlaces() {
  return [polite, urgent];
}

/** Say that something went well, or is on its way; `action` is a button beside it: `{label, run}`. */
export function tell(sentence, action) {
  const button = action && h("button", { class: "button quiet small", type: "button", on: { click: () => { fill(polite); action.run(); } } }, action.label);
  const notice = h("p", { class: "notice" }, sentence, button);
  fill(polite, notice);
  setTimeout(() => notice.remove(), action ? 2 * SHOWN_MS : SHOWN_MS);
}

/** Say that something went wrong, until it is dismissed. An aborted request is no error. */
export function showError(error) {
  if (error.name === "AbortError") return;
  const close = h("button", { class: "icon-button small", type: "button", "aria-label": t("close"), on: { click: () => fill(urgent) } }, icon("close"));
  fill(urgent, h("p", { class: "notice bad" }, icon("warning"), h("span", {}, error.message), close));
}

/** Make the box that stands where something could not be loaded. */
export function errorBox(error, again) {
  return h("div", { class: "empty" },
    icon("warning"), h("p", {}, error.message),
    again && h("button", { class: "button", type: "button", on: { click: again } }, icon("retry"), t("try_again")),
  );
}

/** Make the box that stands where nothing is yet. */
export function emptyBox(picture, title, sentence, ...actions) {
  return h("div", { class: "empty" }, icon(picture), h("h2", {}, title), h("p", {}, sentence), h("div", { class: "actions" }, actions));
}

/** Say why a photo is dead, in the reader's language; the server's own sentence, which is more exact, beside it. */
export function reasonOf({ reason, detail }) {
  const said = tIfKnown(`problem.${reason}`);
  return [said, detail && h("span", { lang: "en" }, ` ${detail}`)];
}
