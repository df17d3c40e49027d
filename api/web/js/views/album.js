/** One album: its photos, how far they are, and what could not be read. */

import { albumPath, get, send } from "../api.js";
import { rememberAlbum } from "../album_menu.js";
import { confirm } from "../dialogs.js";
import { fill, h, icon, set } from "../dom.js";
import { PhotoGrid } from "../grid.js";
import { t } from "../messages.js";
import { emptyBox, showError, tell } from "../notices.js";
import { DeadPhotos } from "../dead_photos.js";
import { fillPhotoCell, makePhotoCell } from "../photo_cell.js";
import { PhotoPages } from "../photo_pages.js";
import { progressBar } from "../progress.js";
import { Selection, selectionBar } from "../selection.js";
import { intakePanel } from "../intake.js";
import { openViewer } from "../viewer.js";

const BUSY_POLL_MS = 2000;
const IDLE_POLL_MS = 10_000;

/** Show the view. */
export async function showAlbum(context) {
  const name = context.path[0];
  const [album, system] = await Promise.all([get(albumPath(name), context), get("/v1/system", context)]);
  context.title(name);
  rememberAlbum(name);
  new AlbumView(context, album, system).begin();
}

class AlbumView {
  constructor({ place, signal, query }, album, system) {
    Object.assign(this, { place, signal, album, system });
    this.onlyDead = query.get("show") === "dead";
    this.selection = new Selection();
    this.counts = h("p", { class: "note counts" });
    this.work = h("section", { class: "work", "aria-label": t("album.progress"), hidden: true });
    this.trouble = h("section", { class: "trouble", hidden: true });
    this.photos = h("section", { class: "photos", "aria-label": t("album.photos") });
    this.intake = intakePanel(album.name, system, { signal, changed: () => this.look() });
  }

  begin() {
    const { name } = this.album;
    const find = h("a", { class: "button", href: `#/find/${encodeURIComponent(name)}` }, icon("find"), t("album.find"));
    const add = h("button", { class: "button primary needs-index", type: "button", "aria-expanded": "false", on: { click: () => this.toggleIntake(add) } }, icon("plus"), t("album.add"));
    const remove = h("button", { class: "icon-button needs-admin", type: "button", "aria-label": t("album.delete"), title: t("album.delete"), on: { click: () => this.remove() } }, icon("trash"));
    fill(this.place,
      h("a", { class: "back", href: "#/albums" }, icon("left"), t("nav.albums")),
      h("div", { class: "view-head" }, h("div", {}, h("h1", {}, name), this.counts), h("span", { class: "spring" }), find, add, remove),
      this.intake.element, this.work, this.trouble, this.photos, selectionBar(name, this.selection, this.system.limits.max_download_photos),
    );
    if (!this.album.photos) this.toggleIntake(add);
    this.signal.addEventListener("abort", () => { this.grid?.detach(); clearTimeout(this.polling); });
    this.selection.addEventListener("change", () => this.grid?.refill());
    this.draw();
    this.poll();
  }

  toggleIntake(button) {
    const open = this.intake.element.hidden;
    this.intake.element.hidden = !open;
    set(button, "aria-expanded", String(open));
  }

  /** Ask how far the album is, again and again: often while something waits. */
  poll() {
    const busy = this.album.photos > this.album.indexed + this.album.dead;
    this.polling = setTimeout(async () => {
      if (!document.hidden) await this.look();
      if (!this.signal.aborted) this.poll();
    }, busy ? BUSY_POLL_MS : IDLE_POLL_MS);
  }

  async look() {
    try {
      const before = this.album;
      this.album = await get(albumPath(before.name), { signal: this.signal });
      if (["photos", "indexed", "dead"].some((count) => before[count] !== this.album[count])) this.draw();
    } catch (error) {
      if (error.status === 404) showError(error);
    }
  }

  draw() {
    const { photos, indexed, dead, faces } = this.album;
    this.counts.textContent = `${t("albums.photos", { count: photos })} · ${t("photo.faces", { count: faces })}`;
    const waiting = photos - indexed - dead;
    this.work.hidden = waiting === 0;
    if (waiting) fill(this.work, progressBar(t("album.indexing"), indexed + dead, photos, t("album.indexing_hint")));
    this.trouble.hidden = dead === 0;
    if (dead) fill(this.trouble, this.troubleParts(dead));
    this.drawPhotos();
  }

  troubleParts(dead) {
    const show = h("button", { class: "button", type: "button", "aria-pressed": String(this.onlyDead), on: { click: () => { this.onlyDead = !this.onlyDead; this.draw(); } } }, t(this.onlyDead ? "album.show_all" : "album.show_dead"));
    const again = h("button", { class: "button needs-index", type: "button", on: { click: () => this.retry() } }, icon("retry"), t("try_again"));
    return [icon("warning"), h("p", {}, t("albums.dead", { count: dead })), h("span", { class: "spring" }), show, again];
  }

  drawPhotos() {
    if (!this.album.photos) {
      fill(this.photos, emptyBox("albums", t("album.empty"), t("album.empty_hint")));
      this.grid = null;
      return;
    }
    if (this.onlyDead && this.album.dead) {
      this.grid?.detach();
      this.grid = null;
      new DeadPhotos(this.photos, this.album.name, this.signal).look();
      return;
    }
    if (!this.grid) this.showGrid();
    this.grid.setCount(this.album.photos);
    this.pages.refresh();
  }

  showGrid() {
    this.pages = new PhotoPages(this.album.name, { arrived: () => this.grid?.refill(), signal: this.signal });
    const idAt = async (index) => (await this.itemAt(index)).id;
    this.grid = new PhotoGrid({
      label: t("album.photos"),
      make: () => makePhotoCell({
        open: (index) => openViewer({ album: this.album.name, count: this.grid.count, idAt, closed: (each) => this.grid?.move(each, true) }, index),
        select: (index, chosen, event) => this.selection.select(index, chosen, event, (each) => this.pages.item(each, false)?.id),
      }),
      fill: (cell, index, settled) => {
        const item = this.pages.item(index, settled);
        fillPhotoCell(cell, item, { settled, chosen: item && this.selection.ids.has(item.id) });
      },
    });
    fill(this.photos, this.grid.element);
    this.grid.setCount(this.album.photos);
    this.grid.attach();
  }

  async itemAt(index) {
    while (!this.pages.item(index)) await new Promise((resolve) => setTimeout(resolve, 50));
    return this.pages.item(index);
  }

  async retry() {
    try {
      const { retried } = await send("POST", albumPath(this.album.name, "/retry"));
      tell(t("album.retried", { count: retried }));
      await this.look();
    } catch (error) {
      showError(error);
    }
  }

  async remove() {
    const { name } = this.album;
    if (!(await confirm({ title: t("album.delete"), sentence: t("album.delete_sure", { name }), action: t("album.delete"), dangerous: true }))) return;
    tell(t("album.deleting", { name }));
    clearTimeout(this.polling);
    try {
      await send("DELETE", albumPath(name));
      tell(t("album.deleted", { name }));
      location.hash = "#/albums";
    } catch (error) {
      showError(error);
    }
  }
}
