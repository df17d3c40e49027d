/** Who a face without a name may be, as the classifiers said when it was new. A human says whether that is so. */

import { send } from "./api.js";
import { h } from "./dom.js";
import { percent, t } from "./messages.js";
import { makeChange, personPath } from "./people.js";

const MOST_CAREFUL_FIRST = ["accurate", "balanced", "fast"];

/**
 * Choose what is suggested for a face: the word of the most careful classifier that spoke.
 * @param {Object[]} predictions of `GET /v1/photos/{photo}/predictions`.
 * @returns {Object|null} `person_id`, `name`, `confidence` (0-1); null when it is not sure enough.
 */
export function suggestionOf(predictions) {
  const said = MOST_CAREFUL_FIRST.map((name) => predictions.find((each) => each.classifier === name)).find(Boolean);
  return said?.person_id ? said : null;
}

/**
 * Make the line that asks whether a face is somebody's.
 * @param {Object} face with a `suggestion`.
 * @param {function(): void} changed is called after the answer, and after its end.
 */
export function suggestionLine({ face_id: id, suggestion }, changed) {
  const { person_id: person, name, confidence } = suggestion;
  const answer = (rest, said) => () => makeChange(person, said, () => send("POST", personPath(person, rest), { face_ids: [id] }), changed);
  const button = (word, label, run) => h("button", { class: "button small needs-index", type: "button", "aria-label": label, on: { click: run } }, word);
  return h("div", { class: "suggestion" },
    h("p", { class: "note" }, t("suggestion.maybe", { name, confidence: percent(100 * confidence) })),
    h("div", { class: "suggestion-answers" },
      button(t("suggestion.yes"), t("suggestion.yes_name", { name }), answer("/faces", t("people.named", { name }))),
      button(t("suggestion.no"), t("suggestion.no_name", { name }), answer("/not", t("suggestion.not_done", { name }))),
    ),
  );
}
