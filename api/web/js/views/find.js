/** Find me: a photo goes in, the photos of that person come out. */

import { albumPath, get, local, sendFile } from "../api.js";
import { albumMenu, chooseAlbum } from "../album_menu.js";
import { fill, h, icon, set } from "../dom.js";
import { t } from "../messages.js";
import { emptyBox, errorBox } from "../notices.js";
import { drawFace, listenForPhotos, prepareProbe, probeArea } from "../probe.js";
import { showResults } from "../results.js";

const MOST_CANDIDATES = 500;

/** Show the view. The address may name the album, and a face of it to search with instead of a photo. */
export async function showFind(context) {
  const [{ albums }, { limits }] = await Promise.all([get("/v1/albums", context), get("/v1/system", context)]);
  if (!albums.length) {
    const start = h("a", { class: "button primary", href: "#/albums" }, icon("plus"), t("albums.create"));
    fill(context.place, emptyBox("albums", t("find.no_albums"), t("find.no_albums_hint"), start));
    return;
  }
  const album = chooseAlbum(albums, context.path[0]);
  new FindView(context, albums, album, limits.max_download_photos).begin(context.query.get("face"));
}

class FindView {
  constructor({ place, signal }, albums, album, most) {
    Object.assign(this, { place, signal, album, most });
    this.searching = new AbortController();
    this.probe = h("section", { class: "probe", "aria-label": t("find.probe") });
    this.found = h("section", { class: "found", "aria-live": "off" });
    this.lead = h("div", { class: "lead" }, h("p", {}, t("find.lead")), albumMenu(albums, album, "find"));
    fill(place, h("h1", {}, t("find.title")), this.lead, this.probe, this.found);
    listenForPhotos(place, (photo) => this.search(photo), signal);
  }

  begin(face) {
    if (face) this.searchWithFace(face);
    else this.askForPhoto();
  }

  askForPhoto() {
    this.searching.abort();
    this.place.classList.remove("has-probe");
    fill(this.probe, probeArea((photo) => this.search(photo)), h("p", { class: "note private" }, t("find.private")));
    fill(this.found);
  }

  /** Look for every face of a photo; the largest is shown first. */
  async search(photo) {
    await this.follow(async (signal) => {
      const { file, image } = await prepareProbe(photo);
      this.showProbe(h("p", { class: "loading" }, t("find.looking")));
      const query = { limit: MOST_CANDIDATES, links: true };
      const { faces, notice } = await sendFile(albumPath(this.album, "/search"), file, { signal, query });
      if (!faces.length) return this.showNothing(t("find.no_face"), t("find.no_face_hint"));
      this.showFaces(faces, image, notice);
    }, () => this.search(photo));
  }

  async searchWithFace(face) {
    await this.follow(async (signal) => {
      const query = { limit: MOST_CANDIDATES, links: true };
      const answer = await get(albumPath(this.album, `/faces/${face}/similar`), { signal, query });
      const picture = h("img", { src: local(answer.face.crop), alt: t("find.face_of", { name: answer.face.photo }), width: 72, height: 72 });
      this.showProbe(h("span", { class: "face-choice alone" }, picture), h("p", {}, t("find.like_face")));
      this.showCandidates(answer.candidates, null);
    }, () => this.searchWithFace(face));
  }

  async follow(work, again) {
    this.searching.abort();
    this.searching = new AbortController();
    const signal = AbortSignal.any([this.signal, this.searching.signal]);
    this.place.classList.add("has-probe");
    fill(this.found, h("p", { class: "loading", role: "status" }, t("find.looking")));
    try {
      await work(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.showProbe();
      fill(this.found, errorBox(error, again));
    }
  }

  showProbe(...parts) {
    const other = h("button", { class: "button", type: "button", on: { click: () => this.askForPhoto() } }, icon("find"), t("find.other"));
    fill(this.probe, h("div", { class: "probe-bar" }, parts, h("span", { class: "spring" }), other));
  }

  showFaces(faces, image, notice) {
    const largest = faces.reduce((best, face, place) => (area(face) > area(faces[best]) ? place : best), 0);
    const buttons = faces.map((face, place) => h("button", { class: "face-choice", type: "button", "aria-label": t("find.face", { number: place + 1 }), on: { click: () => choose(place) } }, drawFace(image, face.probe_face.box_fraction, place)));
    const choose = (place) => {
      buttons.forEach((button, each) => set(button, "aria-pressed", String(each === place)));
      this.showCandidates(faces[place].candidates, notice);
    };
    this.showProbe(h("div", { class: "face-choices", role: "group", "aria-label": t("find.who") }, buttons), h("p", {}, t(faces.length > 1 ? "find.choose_face" : "find.one_face")));
    choose(largest);
  }

  showCandidates(candidates, notice) {
    if (!candidates.length) return this.showNothing(t("find.nobody"), notice ?? t("find.nobody_hint"));
    const heading = showResults(this.found, { album: this.album, candidates, most: this.most, signal: AbortSignal.any([this.signal, this.searching.signal]) });
    if (!this.probe.contains(document.activeElement)) heading.focus({ preventScroll: true });
  }

  showNothing(title, sentence) {
    if (!this.probe.querySelector(".face-choices, .alone")) this.showProbe();
    fill(this.found, emptyBox("find", title, sentence));
  }
}

function area({ probe_face: { box } }) {
  return box[2] * box[3];
}
