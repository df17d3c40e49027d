/** Choosing an album, where a view is about one. */

import { Problem } from "./api.js";
import { h } from "./dom.js";
import { t } from "./messages.js";
import { read, write } from "./memory.js";

/** Find the album that is meant: the one of the address; where it names none, the one that was looked at last, or the first. */
export function chooseAlbum(albums, wanted) {
  const names = albums.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted)) throw new Problem("album_not_found", 404, t("problem.album_not_found"));
  const chosen = wanted ?? names.find((name) => name === read("album")) ?? names[0];
  rememberAlbum(chosen);
  return chosen;
}

/** Begin with this album next time. */
export function rememberAlbum(name) {
  write("album", name);
}

/**
 * Make the menu.
 * @param {Object[]} albums
 * @param {string} chosen
 * @param {string} view whose address is changed.
 */
export function albumMenu(albums, chosen, view) {
  const options = albums.map(({ name, indexed }) => h("option", { value: name, selected: name === chosen }, t("find.album_option", { name, count: indexed })));
  const menu = h("select", { class: "select", id: "album", on: { change: () => (location.hash = `#/${view}/${encodeURIComponent(menu.value)}`) } }, options);
  return h("p", { class: "field-line" }, h("label", { for: "album" }, t("find.album")), menu);
}
