/** The ways into an album: a dropped folder, chosen files, or photos that lie in S3 or on the server. */

import { albumPath, send } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { readChosen, readDropped } from "./files.js";
import { bytes, duration, t } from "./messages.js";
import { showError, tell } from "./notices.js";
import { progressBar } from "./progress.js";
import { Uploader } from "./uploader.js";

/**
 * Make the panel.
 * @param {string} album
 * @param {Object} system what the server says of itself.
 * @param {Object} options `changed()` is called when the album may have grown; `signal` ends everything.
 */
export function intakePanel(album, system, { changed, signal }) {
  const panel = new Intake(album, system, changed, signal);
  return { element: panel.element };
}

class Intake {
  constructor(album, system, changed, signal) {
    Object.assign(this, { album, system, changed, signal });
    this.drop = h("div", { class: "drop-area" });
    this.state = h("div", { class: "upload", "aria-live": "off" });
    this.element = h("section", { class: "intake needs-index", hidden: true, "aria-label": t("album.add") }, this.drop, this.state, this.sourceForm());
    this.drawDrop();
    this.listen();
  }

  drawDrop() {
    const files = this.picker({ multiple: true, accept: "image/*,.heic,.heif" });
    const folder = this.picker({ webkitdirectory: true });
    fill(this.drop, h("span", { class: "drop-picture" }, icon("upload")), h("p", { class: "drop-title" }, h("span", { class: "for-mouse" }, t("upload.drop")), h("span", { class: "for-touch" }, t("album.add"))),
      h("div", { class: "actions" },
        h("button", { class: "button primary", type: "button", on: { click: () => folder.click() } }, t("upload.folder")),
        h("button", { class: "button", type: "button", on: { click: () => files.click() } }, t("upload.files")),
      ),
      h("p", { class: "note" }, t("upload.hint")), files, folder);
  }

  picker(props) {
    const input = h("input", { type: "file", class: "hidden-input", tabindex: "-1", "aria-hidden": "true", ...props, on: { change: () => this.take(readChosen(input.files)) } });
    return input;
  }

  listen() {
    const { signal } = this;
    const mark = (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      this.drop.classList.toggle("over", event.type === "dragover");
      if (event.type === "dragover") this.element.hidden = false;
    };
    for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, mark, { signal });
    document.addEventListener("drop", (event) => readDropped(event.dataTransfer).then((found) => this.take(found), showError), { signal });
    addEventListener("beforeunload", (event) => this.uploader && event.preventDefault(), { signal });
    signal.addEventListener("abort", () => this.uploader?.stop());
  }

  take({ photos, others }) {
    if (others) tell(t("upload.others", { count: others }));
    if (!photos.length) {
      if (!others) return;
      showError(new Error(t("upload.no_photos")));
      return;
    }
    if (this.uploader) {
      showError(new Error(t("upload.busy")));
      return;
    }
    this.uploader = new Uploader(this.album, photos, this.system.limits);
    this.uploader.addEventListener("change", () => this.drawUpload());
    this.uploader.addEventListener("end", () => this.end());
    this.drop.hidden = true;
    this.uploader.run().catch((error) => { showError(error); this.end(); });
  }

  /** At most once a frame, however many requests report. */
  drawUpload() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = undefined;
      if (this.uploader) fill(this.state, this.uploadParts(this.uploader));
    });
    if (this.reported !== this.uploader.sent) {
      this.reported = this.uploader.sent;
      this.changed();
    }
  }

  uploadParts(uploader) {
    const { total, known, sent, refused, bytes: size, movedBytes, secondsLeft } = uploader;
    const done = known + sent + refused.length;
    const left = secondsLeft === null ? "" : t("upload.left", { time: duration(secondsLeft) });
    const sentence = uploader.waiting ? t("upload.offline") : uploader.paused ? t("upload.paused") : [t("upload.bytes", { moved: bytes(movedBytes), all: bytes(size) }), left].filter(Boolean).join(" · ");
    const pause = h("button", { class: "button", type: "button", on: { click: () => uploader.pause(!uploader.paused) } }, icon(uploader.paused ? "play" : "pause"), t(uploader.paused ? "upload.resume" : "upload.pause"));
    return [progressBar(t("upload.sending"), done, total, sentence), known > 0 && h("p", { class: "note" }, t("upload.known", { count: known })), refusedList(refused), h("div", { class: "actions end" }, pause)];
  }

  end() {
    const { known, sent, refused } = this.uploader;
    this.uploader = null;
    this.drop.hidden = false;
    fill(this.state, h("p", { class: "note done" }, icon("check"), [t("upload.done", { count: sent }), known && t("upload.known", { count: known })].filter(Boolean).join(" ")), refusedList(refused));
    this.changed();
  }

  sourceForm() {
    const input = h("input", { class: "input", name: "source", required: true, placeholder: "s3://bucket/2026", spellcheck: "false", autocapitalize: "off" });
    const label = t(this.system.folder_sources ? "source.label_folders" : "source.label");
    const state = h("div", { class: "upload" });
    const form = h("form", { class: "source", on: { submit: (event) => { event.preventDefault(); this.index(input.value.trim(), state); } } },
      h("label", { class: "field" }, h("span", {}, label), input), h("button", { class: "button", type: "submit" }, t("source.index")));
    return h("details", { class: "fold" }, h("summary", {}, t("source.title")), form, state);
  }

  async index(source, state) {
    try {
      const { job_id: job } = await send("POST", albumPath(this.album, "/index"), { source });
      this.follow(job, state);
    } catch (error) {
      showError(error);
    }
  }

  /** Show how far a job is, as the server tells it. */
  follow(job, state) {
    const events = new EventSource(`/v1/jobs/${job}/events`);
    this.signal.addEventListener("abort", () => events.close());
    const show = ({ data }) => {
      const progress = JSON.parse(data);
      const left = progress.seconds_left ? t("upload.left", { time: duration(progress.seconds_left) }) : t(`job.${progress.state ?? "failed"}`);
      fill(state, progressBar(t("album.indexing"), progress.indexed + progress.dead, progress.photos, left));
      this.changed();
      return progress;
    };
    events.addEventListener("progress", show);
    events.addEventListener("done", (event) => { events.close(); const { photos } = show(event); tell(t("source.done", { count: photos })); });
    events.addEventListener("failed", (event) => { events.close(); fill(state); showError(new Error(JSON.parse(event.data).detail)); this.changed(); });
  }
}

function refusedList(refused) {
  if (!refused.length) return null;
  return h("details", { class: "fold bad" }, h("summary", {}, t("upload.refused", { count: refused.length })),
    h("ul", {}, refused.map(({ name, reason }) => h("li", {}, `${name}: ${reason === "too_large" ? t("upload.too_large") : reason}`))));
}
