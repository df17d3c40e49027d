/** What a search found: a grid of photos with the face outlined in each, the surest first. */

import { local } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { PhotoGrid } from "./grid.js";
import { percent, t } from "./messages.js";
import { fillPhotoCell, makePhotoCell } from "./photo_cell.js";
import { Selection, downloadPhotos, selectionBar } from "./selection.js";
import { openViewer } from "./viewer.js";

const CAPTION_PX = 52;
/** Percentages, and what they are called: 80 is one false match in a thousand. */
const WORDS = [[99, "similarity.certain"], [90, "similarity.very_likely"], [80, "similarity.likely"], [0, "similarity.perhaps"]];
const LIKELY = 80;

/**
 * Show candidates.
 * @param {Element} place
 * @param {Object} options `album`, `candidates` as the server gave them, `most` photos in a download, `signal`.
 */
export function showResults(place, { album, candidates, most, signal }) {
  const all = onePerPhoto(candidates).map(itemOf);
  const likely = all.filter((item) => item.percent >= LIKELY);
  let shown = likely.length ? likely : all;
  const selection = new Selection();
  const grid = new PhotoGrid({
    label: t("results.label"), least: 200, caption: CAPTION_PX,
    make: () => makePhotoCell({
      open: (index) => openViewer({ album, count: shown.length, idAt: (each) => shown[each].id, faceAt: (each) => shown[each].faceId, closed: (each) => grid.move(each, true) }, index),
      select: (index, chosen, event) => selection.select(index, chosen, event, (each) => shown[each].id),
      more: (index) => (location.hash = `#/find/${encodeURIComponent(album)}?face=${shown[index].faceId}`),
    }),
    fill: (cell, index, settled) => fillPhotoCell(cell, shown[index], { settled, chosen: selection.ids.has(shown[index].id) }),
  });
  const heading = h("h2", { tabindex: "-1" });
  const less = h("button", { class: "button", type: "button", on: { click: () => use(all) } });
  const rest = h("p", { class: "rest" }, less);
  const use = (items) => {
    shown = items;
    heading.textContent = t(items === all && !likely.length ? "results.unsure" : "results.count", { count: items.length });
    less.textContent = t("results.more", { count: all.length - items.length });
    rest.hidden = items.length === all.length;
    grid.setCount(items.length);
    grid.refill();
  };
  const download = h("button", { class: "button", type: "button", on: { click: () => downloadPhotos(album, shown.map(({ id }) => id), most) } }, icon("download"), t("results.download_all"));
  const selectAll = h("button", { class: "button quiet", type: "button", on: { click: () => selection.replace(shown.map(({ id }) => id)) } }, t("selection.all"));
  fill(place, h("div", { class: "results-head" }, heading, h("span", { class: "spring" }), selectAll, download), grid.element, rest, selectionBar(album, selection, most));
  selection.addEventListener("change", () => grid.refill());
  use(shown);
  grid.attach();
  signal.addEventListener("abort", () => grid.detach());
  return heading;
}

/** A photo in which two faces look alike is one photo. */
function onePerPhoto(candidates) {
  const best = new Map();
  for (const candidate of candidates) if (!best.has(candidate.photo_id)) best.set(candidate.photo_id, candidate);
  return [...best.values()];
}

function itemOf(candidate) {
  const words = t(WORDS.find(([least]) => candidate.similarity_percent >= least)[1]);
  const figure = percent(candidate.similarity_percent);
  return {
    id: candidate.photo_id, name: candidate.photo, faceId: candidate.face_id, thumbnail: local(candidate.thumbnail),
    width: candidate.width, height: candidate.height, box: candidate.box_fraction,
    percent: candidate.similarity_percent, words, figure, label: `${candidate.photo}, ${words}, ${figure}`,
  };
}
