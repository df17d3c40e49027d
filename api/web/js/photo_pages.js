/** The photos of an album, page by page as they are looked at. */

import { albumPath, get, local } from "./api.js";
import { t } from "./messages.js";

const PAGE = 200;
const MOST_PAGES = 60;

const BADGES = { pending: "photo.waiting", leased: "photo.waiting", dead: "photo.dead" };

export class PhotoPages {
  /**
   * @param {string} album
   * @param {Object} options `state`: only photos in it; `arrived()` is called after each page; `signal`.
   */
  constructor(album, { state, arrived, signal }) {
    Object.assign(this, { album, state, arrived, signal });
    this.pages = new Map();
    this.stale = new Set();
    this.asked = new Set();
  }

  /** Show what is known of a photo; null, while it is asked for. */
  item(index, wanted = true) {
    const number = Math.floor(index / PAGE);
    if (wanted && (!this.pages.has(number) || this.stale.has(number))) this.ask(number);
    return this.pages.get(number)?.[index % PAGE] ?? null;
  }

  /** Have everything asked for anew as it is looked at; until it is here, what was known is shown. */
  refresh() {
    this.stale = new Set(this.pages.keys());
    this.arrived();
  }

  async ask(number) {
    if (this.asked.has(number)) return;
    this.asked.add(number);
    try {
      const query = { limit: PAGE, offset: number * PAGE, links: true, state: this.state };
      const { photos } = await get(albumPath(this.album, "/photos"), { query, signal: this.signal });
      this.pages.delete(number);
      this.stale.delete(number);
      this.pages.set(number, photos.map(itemOf));
      if (this.pages.size > MOST_PAGES) this.pages.delete(this.pages.keys().next().value);
      this.arrived();
    } catch {
      // asked for again when somebody looks there again
    } finally {
      this.asked.delete(number);
    }
  }
}

function itemOf(photo) {
  const badge = BADGES[photo.state] ? t(BADGES[photo.state]) : "";
  const faces = photo.faces === null ? "" : t("photo.faces", { count: photo.faces });
  return {
    id: photo.photo_id,
    name: photo.photo,
    thumbnail: photo.state === "dead" ? null : local(photo.thumbnail),
    label: [photo.photo, faces, badge].filter(Boolean).join(", "),
    badge,
    photo,
  };
}
