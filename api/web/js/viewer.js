/** One photo, large, with its faces: over the grid that it was opened from. */

import { albumPath, get, local } from "./api.js";
import { fill, h, icon, set } from "./dom.js";
import { boxStyle } from "./framing.js";
import { bytes, moment, number, percent, t } from "./messages.js";
import { read, write } from "./memory.js";
import { errorBox, noticePlaces, reasonOf } from "./notices.js";
import { suggestionLine, suggestionOf } from "./suggestions.js";

let open = null;

/** Close the viewer, if it is open. */
export function closeViewer() {
  open?.close();
}

// A phone's way to close something is to go back.
addEventListener("popstate", closeViewer);

/**
 * Open the viewer.
 * @param {Object} list where the photo is among others: `album`, `count`, `idAt(index)` (a promise of an id, or null),
 *   and if wanted `faceAt(index)`: the face that is meant, and `closed(index)`.
 * @param {number} index which photo of the list.
 */
export function openViewer(list, index) {
  closeViewer();
  open = new Viewer(list, index);
}

class Viewer {
  constructor(list, index) {
    Object.assign(this, { list, index });
    this.asking = new AbortController();
    this.stage = h("div", { class: "stage" });
    this.side = h("aside", { class: "viewer-side", "aria-label": t("viewer.details") });
    this.before = this.stepButton("left", "viewer.previous", -1);
    this.after = this.stepButton("right", "viewer.next", 1);
    this.dialog = h("dialog", { class: "viewer", "aria-label": t("viewer.label"), on: { close: () => this.leave(), keydown: (event) => this.onKey(event) } },
      h("div", { class: "viewer-stage" }, this.before, this.stage, this.after),
      this.side,
      h("button", { class: "icon-button viewer-close", type: "button", "aria-label": t("close"), on: { click: () => this.leave() } }, icon("close")),
    );
    // What is told while it is open has to be in it: everything else is out of reach.
    this.dialog.append(...noticePlaces());
    document.body.append(this.dialog);
    this.dialog.showModal();
    history.pushState("viewer", "");
    this.show();
  }

  /** Close at the reader's wish: the step back that opening added is taken. */
  leave() {
    if (open === this && history.state === "viewer") history.back();
    this.close();
  }

  stepButton(picture, key, step) {
    return h("button", { class: "icon-button viewer-step", type: "button", "aria-label": t(key), on: { click: () => this.step(step) } }, icon(picture));
  }

  onKey(event) {
    if (event.target.matches("input:not([type=checkbox])")) return;
    if (event.key === "ArrowLeft") this.step(-1);
    if (event.key === "ArrowRight") this.step(1);
  }

  step(by) {
    const next = this.index + by;
    if (next < 0 || next >= this.list.count) return;
    this.index = next;
    this.show();
  }

  close() {
    if (open !== this) return;
    open = null;
    this.asking.abort();
    document.body.append(...noticePlaces());
    this.dialog.remove();
    this.list.closed?.(this.index);
  }

  /** Show the photo; `place` is the number of the face that was answered for, whose card gets the focus back. */
  async show(place) {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.before.disabled = this.index === 0;
    this.after.disabled = this.index >= this.list.count - 1;
    if (place === undefined) fill(this.stage, h("p", { class: "loading", role: "status" }, t("loading")));
    try {
      const id = await this.list.idAt(this.index);
      if (signal.aborted) return;
      const shown = await get(albumPath(this.list.album, `/photos/${id}`), { signal });
      if (shown.faces.length) await addPeople(shown.faces, id, signal);
      this.showPhoto(shown, this.list.faceAt?.(this.index));
      if (place !== undefined) this.side.querySelectorAll(".face-more")[place]?.focus();
    } catch (error) {
      if (!signal.aborted) fill(this.stage, errorBox(error, () => this.show()));
    }
  }

  showPhoto({ photo, faces }, meant) {
    const image = h("img", { class: "viewer-image", alt: t("viewer.alt", { name: photo.photo, count: faces.length }), width: photo.width, height: photo.height, src: `${local(photo.thumbnail)}&size=screen` });
    const cards = faces.map((face, place) => this.faceCard(face, place));
    const marks = faces.map((face, place) => this.faceMark(face, place, cards[place]));
    const frame = h("div", { class: "viewer-frame", vars: { ratio: `${photo.width ?? 4} / ${photo.height ?? 3}` } }, photo.state === "dead" ? deadNote(photo) : image, marks);
    frame.style.aspectRatio = `${photo.width ?? 4} / ${photo.height ?? 3}`;
    frame.style.setProperty("--wide", (photo.width ?? 4) / (photo.height ?? 3));
    fill(this.stage, frame);
    fill(this.side, h("h2", {}, photo.photo.split("/").at(-1)), facts(photo), this.outlineSwitch(), this.scoreSwitch(),
      h("h3", {}, t("photo.faces", { count: faces.length })), h("ul", { class: "face-cards" }, cards),
      h("a", { class: "button", href: local(photo.link), download: photo.photo.split("/").at(-1) }, icon("download"), t("viewer.original")),
    );
    marks.forEach((mark, place) => mark.classList.toggle("meant", faces[place].face_id === meant));
    this.applySwitches();
  }

  faceMark(face, place, card) {
    const name = face.name ?? (face.suggestion ? t("suggestion.mark", face.suggestion) : null);
    const mark = h("button", { class: "face-mark", type: "button", "aria-label": name ?? t("viewer.face", { number: place + 1 }), on: { click: () => card.querySelector("a").focus() } }, h("span", {}, name ?? number(place + 1)));
    Object.assign(mark.style, boxStyle(face.box_fraction));
    return mark;
  }

  faceCard(face, place) {
    const address = `#/find/${encodeURIComponent(this.list.album)}?face=${face.face_id}`;
    return h("li", { class: "face-card" },
      h("img", { src: local(face.crop), alt: "", width: 64, height: 64 }),
      h("div", {},
        h("strong", {}, this.whose(face, place)),
        h("p", { class: "note" }, t(qualityKey(face.quality.overall))),
        h("p", { class: "note scores" }, t("viewer.scores", {
          detection: percent(100 * face.detection_score), quality: percent(100 * face.quality.overall),
          size: Math.round(face.quality.size_px), yaw: Math.round(face.quality.yaw_deg), pitch: Math.round(face.quality.pitch_deg),
        })),
        face.suggestion && suggestionLine(face, () => this.show(place)),
      ),
      h("a", { class: "icon-button small face-more", href: address, "aria-label": t("viewer.more_like", { number: place + 1 }), title: t("photo.more") }, icon("more")),
    );
  }

  /** Name a face: a link to the person, when it is somebody's. */
  whose(face, place) {
    const name = face.name ?? t("viewer.face", { number: place + 1 });
    if (!face.person) return name;
    return h("a", { class: "face-name", href: `#/people/${encodeURIComponent(this.list.album)}/${face.person}` }, name);
  }

  outlineSwitch() {
    return this.switch("outlines", t("viewer.outlines"), true);
  }

  scoreSwitch() {
    return this.switch("scores", t("viewer.show_scores"), false);
  }

  switch(name, label, usual) {
    const box = h("input", { type: "checkbox", checked: (read(name) ?? String(usual)) === "true", on: { change: () => { write(name, String(box.checked)); this.applySwitches(); } } });
    return h("label", { class: "switch", dataset: { name } }, box, h("span", {}, label));
  }

  applySwitches() {
    for (const { dataset, firstChild } of this.side.querySelectorAll(".switch")) this.dialog.classList.toggle(`with-${dataset.name}`, firstChild.checked);
  }
}

/** Add to faces whose they are, or may be. */
async function addPeople(faces, photo, signal) {
  const [people, predictions] = await Promise.all(["people", "predictions"].map((what) => get(`/v1/photos/${photo}/${what}`, { signal })));
  const owners = new Map(people.faces.map((face) => [face.face_id, face]));
  const said = new Map(predictions.faces.map((face) => [face.face_id, face.predictions]));
  for (const face of faces) {
    const { person_id: person, name } = owners.get(face.face_id) ?? {};
    Object.assign(face, { person, name, suggestion: name ? null : suggestionOf(said.get(face.face_id) ?? []) });
  }
}

function facts(photo) {
  const size = photo.width ? t("viewer.pixels", { width: photo.width, height: photo.height }) : "";
  const taken = photo.taken_at && moment(photo.taken_at, "minute");
  return h("p", { class: "note" }, [taken, size, bytes(photo.size_bytes)].filter(Boolean).join(" · "));
}

function deadNote(photo) {
  return h("p", { class: "dead-note" }, icon("warning"), h("span", {}, reasonOf(photo)));
}

/** Say in words how usable a face is. */
function qualityKey(overall) {
  if (overall >= 0.6) return "quality.good";
  return overall >= 0.3 ? "quality.fair" : "quality.poor";
}
