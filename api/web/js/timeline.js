/** When photos were taken, in a few steps: each leads to the first photo of its time. */

import { h } from "./dom.js";
import { moment, t } from "./messages.js";

/** The steps by what they are called, with the characters of an ISO time that they share: the finest that are few enough. */
const STEPS = [["hour", 13], ["day", 10], ["month", 7], ["year", 4]];
const MOST_STEPS = 24;

/**
 * Make the steps; null when there would be only one.
 * @param {Object[]} items in the order in which they were taken; `taken` is an ISO time by the camera's own clock, or null.
 * @param {function(number): void} go is called with the place of the item to go to.
 */
export function timeline(items, go) {
  const dated = items.filter((item) => item.taken);
  const [unit, starts] = STEPS.map(([name, length]) => [name, startsOf(dated, length)]).find(([name, found], place) => fits(name, found, dated) || place === STEPS.length - 1);
  if (dated.length < items.length) starts.push(dated.length);
  if (starts.length < 2) return null;
  const step = (start, place) => {
    const word = start < dated.length ? moment(items[start].taken, unit) : t("people.undated");
    const count = (starts[place + 1] ?? items.length) - start;
    return h("li", {}, h("button", { class: "chip plain", type: "button", on: { click: () => go(start) } }, word, " ", h("span", { class: "note" }, t("albums.photos", { count }))));
  };
  const title = unit === "hour" ? t("people.over_day", { day: moment(dated[0].taken, "day") }) : t("people.over_time");
  return h("nav", { class: "companions", "aria-label": title }, h("h2", {}, title), h("ul", {}, starts.map(step)));
}

/** Find where each new time begins. */
function startsOf(dated, length) {
  return [...dated.keys()].filter((place) => dated[place].taken.slice(0, length) !== dated[place - 1]?.taken.slice(0, length));
}

/** Hours without their day are read only where there is one day. */
function fits(unit, starts, dated) {
  return starts.length <= MOST_STEPS && (unit !== "hour" || startsOf(dated, 10).length === 1);
}
