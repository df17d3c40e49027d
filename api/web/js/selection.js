/** The photos that are ticked, and what can be done with them. */

import { albumPath, problemOf } from "./api.js";
import { h, icon } from "./dom.js";
import { number, t } from "./messages.js";
import { showError, tell } from "./notices.js";

export class Selection extends EventTarget {
  constructor() {
    super();
    this.ids = new Set();
    this.last = null;
  }

  /** Tick or untick. With the shift key, everything between this and the last one. */
  select(index, chosen, event, idAt) {
    const from = event?.shiftKey && this.last !== null ? Math.min(this.last, index) : index;
    const to = event?.shiftKey && this.last !== null ? Math.max(this.last, index) : index;
    for (let each = from; each <= to; each++) {
      const id = idAt(each);
      if (id) this.ids[chosen ? "add" : "delete"](id);
    }
    this.last = index;
    this.changed();
  }

  /** Tick exactly these. */
  replace(ids) {
    this.ids = new Set(ids);
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Make the bar that says how many are ticked and downloads them.
 * @param {string} album
 * @param {Selection} selection
 * @param {number} most photos in one download.
 */
export function selectionBar(album, selection, most) {
  const count = h("strong", {});
  const download = h("button", { class: "button primary", type: "button" }, icon("download"), h("span", {}, t("selection.download")));
  const clear = h("button", { class: "button quiet", type: "button", on: { click: () => selection.replace([]) } }, t("selection.clear"));
  const bar = h("div", { class: "selection-bar", role: "region", "aria-label": t("selection.label"), hidden: true }, count, h("span", { class: "spring" }), clear, download);
  download.addEventListener("click", async () => {
    download.disabled = true;
    await downloadPhotos(album, [...selection.ids], most);
    download.disabled = false;
  });
  selection.addEventListener("change", () => {
    bar.hidden = selection.ids.size === 0;
    count.textContent = t("selection.count", { count: selection.ids.size });
  });
  return bar;
}

/** Save photos as one zip file, or as several when they are many. */
export async function downloadPhotos(album, ids, most) {
  const parts = Math.ceil(ids.length / most);
  try {
    for (let part = 0; part < parts; part++) {
      tell(t("selection.packing", { count: ids.length }));
      const name = parts > 1 ? `${album} ${number(part + 1)}.zip` : `${album}.zip`;
      save(await fetchZip(album, ids.slice(part * most, (part + 1) * most)), name);
    }
    tell(t("selection.saved", { count: ids.length }));
  } catch (error) {
    showError(error);
  }
}

async function fetchZip(album, ids) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(albumPath(album, "/photos/zip"), { method: "POST", headers, body: JSON.stringify({ photo_ids: ids }) });
  if (!answer.ok) throw problemOf(answer.status, await answer.text());
  return answer.blob();
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
