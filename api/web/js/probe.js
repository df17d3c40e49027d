/** The photo to search with: chosen, dropped, pasted or taken, and made small enough to travel fast. */

import { fill, h, icon } from "./dom.js";
import { t } from "./messages.js";
import { showError } from "./notices.js";

/** Enough for every face that the detector sees; a camera's photo has six times as many bytes. */
const LONGEST_SIDE_PX = 2000;
const JPEG_QUALITY = 0.9;

/** Make the area that takes a photo. */
export function probeArea(take) {
  const input = h("input", { type: "file", accept: "image/*", class: "hidden-input", tabindex: "-1", "aria-hidden": "true", on: { change: () => input.files[0] && take(input.files[0]) } });
  const choose = h("button", { class: "button primary large", type: "button", on: { click: () => input.click() } }, icon("upload"), t("find.choose"));
  const camera = h("button", { class: "button large", type: "button", on: { click: () => takePhoto().then((photo) => photo && take(photo), showError) } }, icon("camera"), t("find.camera"));
  return h("div", { class: "drop-area" }, h("span", { class: "drop-picture" }, icon("find")),
    h("p", { class: "drop-title" }, h("span", { class: "for-mouse" }, t("find.drop")), h("span", { class: "for-touch" }, t("find.your_photo"))), h("div", { class: "actions" }, choose, navigator.mediaDevices && camera), h("p", { class: "note for-mouse" }, t("find.paste")), input);
}

/**
 * Listen to the whole page for drops and pastes.
 * @param {Element} place in which an area for drops may be seen.
 * @param {function(Blob): void} take
 * @param {AbortSignal} signal ends the listening.
 */
export function listenForPhotos(place, take, signal) {
  const mark = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    place.querySelector(".drop-area")?.classList.toggle("over", event.type === "dragover");
  };
  for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, mark, { signal });
  document.addEventListener("drop", (event) => takeFirst(event.dataTransfer?.files, take), { signal });
  document.addEventListener("paste", (event) => takeFirst(event.clipboardData?.files, take), { signal });
}

function takeFirst(files, take) {
  const [first] = [...(files ?? [])];
  if (!first) return;
  if (first.type && !first.type.startsWith("image/")) showError(new Error(t("find.no_photo", { name: first.name })));
  else take(first);
}

/**
 * Decode a photo, and shrink it when it is larger than a search needs.
 * @param {Blob} photo
 * @returns {Promise<{file: Blob, image: ImageBitmap|null}>} without an image when the browser cannot show such files;
 *   the server may still read it.
 */
export async function prepareProbe(photo) {
  let image;
  try {
    image = await createImageBitmap(photo);
  } catch {
    return { file: photo, image: null };
  }
  const scale = LONGEST_SIDE_PX / Math.max(image.width, image.height);
  if (scale >= 1) return { file: photo, image };
  const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const file = await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
  return { file, image: canvas.transferToImageBitmap() };
}

/** Draw a face of an image into a canvas of its own; a numbered tile where there is no image. */
export function drawFace(image, [x, y, w, h_], place) {
  if (!image) return h("span", { class: "face-tile" }, String(place + 1));
  const side = 1.6 * Math.max(w * image.width, h_ * image.height);
  const left = (x + w / 2) * image.width - side / 2;
  const top = (y + h_ / 2) * image.height - side / 2;
  const canvas = h("canvas", { width: 144, height: 144 });
  canvas.getContext("2d").drawImage(image, left, top, side, side, 0, 0, 144, 144);
  return canvas;
}

/** Show what the camera sees until a photo is taken; null when it was not. */
async function takePhoto() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 } } });
  } catch {
    throw new Error(t("camera.refused"));
  }
  const video = h("video", { autoplay: true, playsinline: true });
  video.muted = true;
  video.srcObject = stream;
  video.addEventListener("playing", () => (shutter.disabled = false));
  const shutter = h("button", { class: "shutter", type: "button", "aria-label": t("camera.take"), disabled: true });
  const cancel = h("button", { class: "button", type: "button" }, t("cancel"));
  const dialog = h("dialog", { class: "camera", "aria-label": t("camera.label") }, h("p", { class: "note" }, t("camera.hint")), video, h("div", { class: "camera-controls" }, cancel, shutter));
  document.body.append(dialog);
  dialog.showModal();
  const photo = await new Promise((resolve) => {
    shutter.addEventListener("click", () => resolve(grab(video)));
    cancel.addEventListener("click", () => resolve(null));
    dialog.addEventListener("close", () => resolve(null));
  });
  for (const track of stream.getTracks()) track.stop();
  fill(dialog);
  dialog.remove();
  return photo;
}

function grab(video) {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
}
