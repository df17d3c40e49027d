/** What is said about people: each change is made at once, told, and can be undone from where it was told. */

import { get, send } from "./api.js";
import { t } from "./messages.js";
import { showError, tell } from "./notices.js";

const PAGE = 1000;

/** Name somebody for a reader. */
export function nameOf(person) {
  return person.name ?? t("people.nameless");
}

/**
 * Make a change, and offer to undo it.
 * @param {string} person whose history the change is in.
 * @param {string} said what to tell when it is done.
 * @param {function(): Promise} change
 * @param {function(): Promise|void} changed is called after the change, and after its end.
 */
export async function makeChange(person, said, change, changed) {
  try {
    await change();
    tell(said, { label: t("people.undo"), run: () => undo(person, changed) });
    await changed();
  } catch (error) {
    showError(error);
  }
}

/** Undo the newest change of a person. */
export async function undo(person, changed) {
  try {
    await send("POST", personPath(person, "/undo"), {});
    tell(t("people.undone"));
    await changed();
  } catch (error) {
    showError(error);
  }
}

/** Say that several people are one. */
export function merge(into, others, changed) {
  const said = t("people.merged", { count: others.length + 1, name: nameOf(into) });
  return makeChange(into.person_id, said, () => send("POST", personPath(into.person_id, "/merge"), { people: others.map((each) => each.person_id) }), changed);
}

/** Name a person in a path. */
export function personPath(person, rest = "") {
  return `/v1/people/${encodeURIComponent(person)}${rest}`;
}

/** Ask for every page of a list. */
export async function getAll(path, name, options) {
  const found = [];
  let after;
  do {
    const page = await get(path, { ...options, query: { ...options.query, limit: PAGE, links: true, after } });
    found.push(...page[name]);
    after = page.next;
  } while (after);
  return found;
}
