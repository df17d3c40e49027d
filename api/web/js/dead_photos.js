/** What could not be read, each with its reason. */

import { albumPath, get } from "./api.js";
import { fill, h } from "./dom.js";
import { t } from "./messages.js";
import { reasonOf, showError } from "./notices.js";

const PAGE = 200;

export class DeadPhotos {
  constructor(place, album, signal) {
    Object.assign(this, { place, album, signal });
  }

  /** Ask for them, page by page. */
  async look(after) {
    try {
      const query = { state: "dead", limit: PAGE, after };
      const { photos, next } = await get(albumPath(this.album, "/photos"), { query, signal: this.signal });
      if (!after) fill(this.place, h("ul", { class: "dead-list" }));
      const list = this.place.querySelector(".dead-list");
      list.append(...photos.map((photo) => h("li", {}, h("strong", {}, photo.photo), h("span", { class: "note" }, reasonOf(photo)))));
      this.place.querySelector(".rest")?.remove();
      if (next) this.place.append(h("p", { class: "rest" }, h("button", { class: "button", type: "button", on: { click: () => this.look(next) } }, t("album.more_dead"))));
    } catch (error) {
      showError(error);
    }
  }
}
