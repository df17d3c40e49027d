/** The key that a server asks for before it shows anything. */

import { fill, h, icon } from "../dom.js";
import { t } from "../messages.js";
import { beginSession } from "../session.js";

/**
 * Show the form.
 * @param {Element} place
 * @param {function(): void} signedIn is called once the server knows the key.
 */
export function showSignIn(place, signedIn) {
  const key = h("input", { class: "input", type: "password", name: "key", required: true, autocomplete: "current-password", spellcheck: "false" });
  const refusal = h("p", { class: "note bad", role: "alert" });
  const form = h("form", { class: "card sign-in", on: { submit: async (event) => {
    event.preventDefault();
    fill(refusal);
    try {
      await beginSession(key.value.trim());
      signedIn();
    } catch (error) {
      fill(refusal, icon("warning"), error.status === 401 ? t("sign_in.refused") : error.message);
      key.select();
    }
  } } },
    h("h1", {}, t("sign_in.title")),
    h("p", { class: "note" }, t("sign_in.hint")),
    h("label", { class: "field" }, h("span", {}, t("sign_in.key")), key),
    refusal,
    h("button", { class: "button primary", type: "submit" }, t("sign_in.action")),
  );
  fill(place, form);
  key.focus();
}
