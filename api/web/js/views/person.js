/** One person: their photos, who is with them, and faces that are somebody else's. */

import { Problem, albumPath, get, local, send } from "../api.js";
import { prompt } from "../dialogs.js";
import { fill, h, icon, set } from "../dom.js";
import { PhotoGrid } from "../grid.js";
import { moment, t } from "../messages.js";
import { showError } from "../notices.js";
import { getAll, makeChange, nameOf, personPath, undo } from "../people.js";
import { fillPhotoCell, makePhotoCell } from "../photo_cell.js";
import { Selection, selectionBar } from "../selection.js";
import { timeline } from "../timeline.js";
import { openViewer } from "../viewer.js";

const COMPANIONS = 12;
const IS_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Show the view. */
export async function showPerson(context, album, id) {
  if (!IS_ID.test(id)) throw new Problem("person_not_found", 404, t("problem.person_not_found"));
  const view = new PersonView(context, album, id);
  await view.look();
}

class PersonView {
  constructor({ place, signal, title }, album, id) {
    Object.assign(this, { place, signal, title, album, id });
    this.together = new Set();
    this.showsFaces = false;
    this.signal.addEventListener("abort", () => this.grid?.detach());
  }

  async look() {
    const options = { signal: this.signal };
    const [person, { changes }, { people: companions }, everybody, { limits }] = await Promise.all([
      get(personPath(this.id), options), get(personPath(this.id, "/history"), options), get(personPath(this.id, "/companions"), { ...options, query: { limit: COMPANIONS } }),
      getAll(albumPath(this.album, "/people"), "people", { ...options, query: { hidden: true } }), get("/v1/system", options),
    ]);
    const covers = new Map(everybody.map((each) => [each.person_id, each.cover?.crop]));
    const canUndo = changes.some((change) => !change.undone_at);
    Object.assign(this, { person, canUndo, companions, covers, most: limits.max_download_photos });
    this.title(nameOf(person));
    this.draw();
    await this.showItems();
  }

  draw() {
    const { person } = this;
    const cover = person.cover?.crop ? h("img", { src: local(person.cover.crop), alt: "" }) : icon("people");
    const button = (picture, key, run, kind = "button") => h("button", { class: `${kind} needs-index`, type: "button", on: { click: run } }, icon(picture), t(key));
    this.body = h("section", { class: "photos", "aria-label": t("album.photos") });
    fill(this.place,
      h("a", { class: "back", href: `#/people/${encodeURIComponent(this.album)}` }, icon("left"), t("nav.people")),
      h("div", { class: "view-head person-head" }, h("span", { class: "person-face" }, cover),
        h("div", {}, h("h1", { class: person.name ? "" : "nameless" }, nameOf(person)), h("p", { class: "note counts" }, `${t("albums.photos", { count: person.photos })} · ${t("photo.faces", { count: person.faces })}`)),
        h("span", { class: "spring" }),
        this.canUndo ? button("undo", "people.undo", () => undo(this.id, () => this.look()), "button quiet") : null,
        button("hide", person.hidden ? "people.unhide" : "people.hide", () => this.hide()),
        button("people", person.name ? "people.rename" : "people.name", () => this.rename(), "button primary"),
      ),
      this.companionsPart(), this.switcher(), this.body,
    );
  }

  /** Who is on the same photos; each can be pressed to see only the photos with all of them. */
  companionsPart() {
    if (!this.companions.length) return null;
    const chips = this.companions.map((each) => {
      const crop = this.covers.get(each.person_id);
      const name = nameOf(each);
      const chip = h("button", { class: "chip", type: "button", "aria-pressed": String(this.together.has(each.person_id)), on: { click: () => this.toggle(each.person_id, chip) } },
        crop ? h("img", { src: local(crop), alt: "", loading: "lazy" }) : icon("people"), h("span", { class: each.name ? "" : "unseen" }, name), h("span", { class: "note" }, t("people.together_count", { count: each.photos })));
      return h("li", {}, chip);
    });
    return h("section", { class: "companions" }, h("h2", {}, t("people.together")), h("ul", {}, chips));
  }

  toggle(id, chip) {
    if (!this.together.delete(id)) this.together.add(id);
    set(chip, "aria-pressed", String(this.together.has(id)));
    this.refill();
  }

  switcher() {
    const tab = (key, showsFaces) => h("button", { class: "tab", type: "button", "aria-pressed": String(this.showsFaces === showsFaces), on: { click: () => { this.showsFaces = showsFaces; this.draw(); this.refill(); } } }, t(key));
    return h("div", { class: "tabs", role: "group", "aria-label": t("people.what") }, tab("album.photos", false), tab("people.faces", true));
  }

  /** Show other items at the reader's wish. */
  async refill() {
    try {
      await this.showItems();
    } catch (error) {
      showError(error);
    }
  }

  async showItems() {
    const query = { album: this.album };
    const items = this.showsFaces ? (await getAll(personPath(this.id, "/faces"), "faces", { signal: this.signal, query })).map(faceItem) : await this.photoItems();
    this.grid?.detach();
    const selection = new Selection();
    const open = (index) => openViewer({ album: this.album, count: items.length, idAt: (each) => items[each].id, faceAt: (each) => items[each].faceId, closed: (each) => this.grid?.move(each, true) }, index);
    const keyAt = (each) => (this.showsFaces ? items[each].faceId : items[each].id);
    this.grid = new PhotoGrid({
      label: t("album.photos"), least: this.showsFaces ? 120 : 168,
      make: () => makePhotoCell({ open, select: (index, chosen, event) => selection.select(index, chosen, event, keyAt) }),
      fill: (cell, index, settled) => fillPhotoCell(cell, items[index], { settled, chosen: selection.ids.has(keyAt(index)) }),
    });
    selection.addEventListener("change", () => this.grid.refill());
    const above = this.showsFaces ? h("p", { class: "note hint" }, t("people.faces_hint")) : timeline(items, (each) => this.grid.goTo(each));
    fill(this.body, above, this.grid.element, this.showsFaces ? this.faceBar(selection) : selectionBar(this.album, selection, this.most));
    this.grid.setCount(items.length);
    this.grid.attach();
  }

  async photoItems() {
    const others = [...this.together].map((id) => `&with=${id}`).join("");
    const path = `${personPath(this.id, "/photos")}?album=${encodeURIComponent(this.album)}${others}`;
    const photos = await getAll(path, "photos", { signal: this.signal });
    return photos.map((photo) => ({ id: photo.photo_id, faceId: photo.face_ids[0], name: photo.photo, thumbnail: local(photo.thumbnail), taken: photo.taken_at, label: [photo.photo, photo.taken_at && moment(photo.taken_at)].filter(Boolean).join(", ") }));
  }

  faceBar(selection) {
    const count = h("strong", {});
    const faces = () => ({ face_ids: [...selection.ids] });
    const not = h("button", { class: "button", type: "button", on: { click: () => this.change(t("people.not_done", { count: selection.ids.size }), () => send("POST", personPath(this.id, "/not"), faces())) } }, t("people.not"));
    const split = h("button", { class: "button primary", type: "button", on: { click: () => this.split(faces()) } }, icon("split"), t("people.split"));
    const bar = h("div", { class: "selection-bar needs-index", role: "region", "aria-label": t("people.selected_faces"), hidden: true }, count, h("span", { class: "spring" }), not, split);
    selection.addEventListener("change", () => {
      bar.hidden = selection.ids.size === 0;
      count.textContent = t("photo.faces", { count: selection.ids.size });
    });
    return bar;
  }

  change(said, change) {
    return makeChange(this.id, said, change, () => this.look());
  }

  split(faces) {
    return this.change(t("people.split_done", { count: faces.face_ids.length }), () => send("POST", personPath(this.id, "/split"), faces));
  }

  hide() {
    const hidden = !this.person.hidden;
    return this.change(t(hidden ? "people.hidden_done" : "people.unhidden_done"), () => send("PATCH", personPath(this.id), { hidden }));
  }

  async rename() {
    const key = this.person.name ? "people.rename" : "people.name";
    const name = await prompt({ title: t(key), label: t("albums.name"), action: t("people.save"), value: this.person.name ?? "" });
    if (name) await this.change(t("people.named", { name }), () => send("PATCH", personPath(this.id), { name }));
  }
}

function faceItem(face) {
  return { id: face.photo_id, faceId: face.face_id, name: face.photo, thumbnail: local(face.crop), label: face.photo };
}
