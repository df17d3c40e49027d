/** Small dialogs: a question, or a form of one field. */

import { h } from "./dom.js";
import { t } from "./messages.js";

/**
 * Ask a question that is answered with one of two buttons.
 * @returns {Promise<boolean>} whether it was confirmed.
 */
export function confirm({ title, sentence, action, dangerous = false }) {
  return ask(title, [h("p", {}, sentence)], action, dangerous).then((form) => form !== null);
}

/**
 * Ask for a text.
 * @returns {Promise<string|null>} null when nothing was entered.
 */
export async function prompt({ title, label, hint, action, value = "" }) {
  const input = h("input", { class: "input", name: "text", value, required: true, maxlength: 255, autocomplete: "off" });
  const form = await ask(title, [h("label", { class: "field" }, h("span", {}, label), input, hint && h("span", { class: "note" }, hint))], action, false);
  return form && input.value.trim() ? input.value.trim() : null;
}

function ask(title, body, action, dangerous) {
  const form = h("form", { method: "dialog" }, h("h2", {}, title), body,
    h("div", { class: "actions end" },
      h("button", { class: "button", type: "button", value: "cancel", on: { click: () => dialog.close("") } }, t("cancel")),
      h("button", { class: dangerous ? "button danger" : "button primary", type: "submit", value: "yes" }, action),
    ),
  );
  const dialog = h("dialog", { class: "ask", "aria-label": title }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? form : null);
    });
  });
}
