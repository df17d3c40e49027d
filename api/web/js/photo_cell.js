/** One photo of a grid: the picture, the face that was meant, a box to select it, and what is said of it. */

import { h, icon, set } from "./dom.js";
import { frameFace } from "./framing.js";
import { t } from "./messages.js";

const RETRY_MS = 1500;

/**
 * What a cell shows.
 * @typedef {Object} Item
 * @property {string} id of the photo.
 * @property {string} name
 * @property {string|null} thumbnail address of its picture.
 * @property {string} label for screen readers.
 * @property {number} [width] of the photo; with `box`, the face is outlined.
 * @property {number} [height]
 * @property {number[]} [box]
 * @property {string} [faceId] face of which more can be asked for.
 * @property {string} [words] caption.
 * @property {string} [figure] caption, smaller.
 * @property {string} [badge] a word over the picture: it waits, or could not be read.
 */

/**
 * Make an empty cell.
 * @param {Object} actions `open(index)`, and if wanted `select(index, chosen)` and `more(index)`.
 */
export function makePhotoCell({ open, select, more }) {
  const cell = h("div", { class: "cell" });
  const act = (action) => (event) => action(cell.index, event);
  const image = h("img", { class: "cell-image", alt: "", decoding: "async", draggable: "false", on: { load: shown, error: failed } });
  cell.append(
    h("button", { class: "cell-main", type: "button", on: { click: act(open) } }, image, h("span", { class: "outline", hidden: true }), h("span", { class: "badge", hidden: true })),
  );
  if (select) {
    const box = h("input", { type: "checkbox", on: { change: act((index, event) => select(index, event.target.checked, event)) } });
    cell.append(h("label", { class: "cell-check" }, box, h("span", { class: "cell-tick" }, icon("check"))));
  }
  if (more) {
    cell.append(
      h("div", { class: "cell-caption" },
        h("span", { class: "cell-words" }), h("span", { class: "cell-figure" }),
        h("button", { class: "icon-button small cell-more", type: "button", on: { click: act(more) } }, icon("more")),
      ),
    );
  }
  cell.parts = {
    main: cell.querySelector(".cell-main"), image, outline: cell.querySelector(".outline"), badge: cell.querySelector(".badge"),
    box: cell.querySelector("input"), words: cell.querySelector(".cell-words"), figure: cell.querySelector(".cell-figure"), more: cell.querySelector(".cell-more"),
  };
  return cell;
}

/** Show an item, or that it is still on its way. What the cell shows already costs nothing. */
export function fillPhotoCell(cell, item, { settled, chosen }) {
  const { shows } = cell;
  if (shows && shows.item === item && shows.settled === settled && shows.chosen === chosen) return;
  cell.shows = { item, settled, chosen };
  const { main, image, badge, box } = cell.parts;
  set(main, "aria-label", item?.label ?? t("photo.loading"));
  showImage(image, settled ? item?.thumbnail : image.dataset.address === item?.thumbnail ? item?.thumbnail : null);
  showOutline(cell, item);
  badge.hidden = !item?.badge;
  badge.textContent = item?.badge ?? "";
  if (box) {
    box.checked = Boolean(chosen);
    box.disabled = !item;
    set(box, "aria-label", t("photo.select", { name: item?.name ?? "" }));
    cell.classList.toggle("chosen", Boolean(chosen));
  }
  fillCaption(cell, item);
}

function fillCaption(cell, item) {
  const { more, words, figure } = cell.parts;
  if (!more) return;
  words.textContent = item?.words ?? "";
  figure.textContent = item?.figure ?? "";
  more.hidden = !item?.faceId;
  set(more, "aria-label", t("photo.more_like", { name: item?.name ?? "" }));
  set(more, "title", t("photo.more"));
}

function showOutline(cell, item) {
  const { outline, image } = cell.parts;
  outline.hidden = !item?.box;
  if (!item?.box) return;
  const framed = frameFace(item.width, item.height, item.box);
  image.style.objectPosition = framed.position;
  Object.assign(outline.style, framed.box);
}

function showImage(image, address) {
  if (image.dataset.address === (address ?? "")) return;
  image.dataset.address = address ?? "";
  image.classList.remove("shown", "failed");
  delete image.dataset.tried;
  if (address) image.src = address;
  else image.removeAttribute("src");
}

function shown({ target }) {
  target.classList.add("shown");
}

/** Try once more: the server may have been busy. */
function failed({ target }) {
  const address = target.dataset.address;
  if (!address) return;
  if (target.dataset.tried) {
    target.classList.add("failed");
    return;
  }
  target.dataset.tried = "1";
  setTimeout(() => {
    if (target.dataset.address === address) target.src = `${address}&again=1`;
  }, RETRY_MS);
}
