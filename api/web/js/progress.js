/** How far something is. */

import { h } from "./dom.js";
import { percent, t } from "./messages.js";

/** Make a bar with its name, its figures and a sentence beside it. */
export function progressBar(label, done, all, sentence) {
  const share = all ? done / all : 0;
  const bar = h("progress", { max: 1, value: share, "aria-label": label });
  const figures = h("span", { class: "figures" }, t("progress.of", { done, all }), " · ", percent(Math.floor(100 * share)));
  return h("div", { class: "progress" }, h("p", { class: "progress-head" }, h("strong", {}, label), figures), bar, sentence && h("p", { class: "note" }, sentence));
}
