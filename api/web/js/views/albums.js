/** All albums. */

import { albumPath, get, local, send } from "../api.js";
import { prompt } from "../dialogs.js";
import { fill, h, icon } from "../dom.js";
import { t } from "../messages.js";
import { emptyBox, showError } from "../notices.js";
import { showAlbum } from "./album.js";

const PICTURES = 4;

/** Show the view: all albums, or the one that the address names. */
export async function showAlbums(context) {
  if (context.path.length) return showAlbum(context);
  const { albums } = await get("/v1/albums", context);
  const create = () => h("button", { class: "button primary needs-index", type: "button", on: { click: createAlbum } }, icon("plus"), t("albums.create"));
  if (!albums.length) {
    fill(context.place, h("h1", { class: "unseen" }, t("nav.albums")), emptyBox("albums", t("albums.none"), t("albums.none_hint"), create()));
    return;
  }
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries.filter((each) => each.isIntersecting)) {
      if (isIntersecting) seen.unobserve(target);
      showPictures(target, context.signal);
    }
  });
  context.signal.addEventListener("abort", () => seen.disconnect());
  const cards = albums.map(albumCard);
  fill(context.place, h("div", { class: "view-head" }, h("h1", {}, t("nav.albums")), h("span", { class: "spring" }), create()), h("ul", { class: "album-cards" }, cards));
  for (const card of cards) seen.observe(card.querySelector(".album-pictures"));
}

function albumCard(album) {
  const waiting = album.photos - album.indexed - album.dead;
  return h("li", {},
    h("a", { class: "album-card", href: `#/albums/${encodeURIComponent(album.name)}` },
      h("span", { class: "album-pictures", dataset: { album: album.name } }),
      h("strong", {}, album.name),
      h("span", { class: "note" }, t("albums.photos", { count: album.photos }), " · ", t("photo.faces", { count: album.faces })),
      waiting > 0 && h("span", { class: "note working" }, t("albums.waiting", { count: waiting })),
      album.dead > 0 && h("span", { class: "note bad" }, t("albums.dead", { count: album.dead })),
    ),
  );
}

async function showPictures(place, signal) {
  try {
    const query = { state: "indexed", limit: PICTURES, links: true };
    const { photos } = await get(albumPath(place.dataset.album, "/photos"), { query, signal });
    place.classList.add(`of-${photos.length}`);
    fill(place, photos.map((photo) => h("img", { src: local(photo.thumbnail), alt: "", decoding: "async" })));
    if (!photos.length) fill(place, icon("albums"));
  } catch {
    // an album without pictures is still an album
  }
}

async function createAlbum() {
  const name = await prompt({ title: t("albums.create"), label: t("albums.name"), hint: t("albums.name_hint"), action: t("albums.create") });
  if (!name) return;
  try {
    const album = await send("POST", "/v1/albums", { name });
    location.hash = `#/albums/${encodeURIComponent(album.name)}`;
  } catch (error) {
    showError(error);
  }
}
