/** Who is in an album: a face for everybody, with a name or without. */

import { albumPath, get, local, send } from "../api.js";
import { albumMenu, chooseAlbum } from "../album_menu.js";
import { fill, h, icon, set } from "../dom.js";
import { t } from "../messages.js";
import { emptyBox, showError } from "../notices.js";
import { getAll, merge, nameOf } from "../people.js";
import { showPerson } from "./person.js";

const POLL_MS = 3000;
const DRAGGED = "application/x-facefleet-person";
const BUSY = new Set(["waiting", "running"]);

/** Show the view: everybody, or the one whom the address names. */
export async function showPeople(context) {
  const { albums } = await get("/v1/albums", context);
  if (!albums.length) {
    const start = h("a", { class: "button primary", href: "#/albums" }, icon("plus"), t("albums.create"));
    fill(context.place, h("h1", { class: "unseen" }, t("nav.people")), emptyBox("people", t("people.none"), t("people.no_albums"), start));
    return;
  }
  const album = chooseAlbum(albums, context.path[0]);
  if (context.path[1]) await showPerson(context, album, context.path[1]);
  else await new PeopleView(context, albums, album).begin();
}

class PeopleView {
  constructor({ place, signal }, albums, album) {
    Object.assign(this, { place, signal, album });
    this.chosen = new Map();
    this.withHidden = false;
    this.state = h("div", { class: "grouping", role: "status" });
    this.list = h("ul", { class: "person-cards" });
    this.bar = h("div", { class: "selection-bar", role: "region", "aria-label": t("people.selected"), hidden: true });
    const anew = h("button", { class: "button needs-index", type: "button", on: { click: () => this.groupAnew() } }, icon("retry"), t("people.anew"));
    const hidden = h("input", { type: "checkbox", on: { change: () => { this.withHidden = hidden.checked; this.look(); } } });
    this.parts = [
      h("div", { class: "view-head" }, h("h1", {}, t("nav.people")), h("span", { class: "spring" }), albumMenu(albums, album, "people")),
      h("div", { class: "people-tools" }, this.state, h("span", { class: "spring" }), h("label", { class: "switch" }, hidden, h("span", {}, t("people.show_hidden"))), anew),
      this.list, this.bar,
    ];
  }

  async begin() {
    await this.look();
    fill(this.place, this.parts);
    this.signal.addEventListener("abort", () => clearTimeout(this.polling));
  }

  async look() {
    try {
      const options = { signal: this.signal, query: { hidden: this.withHidden } };
      const [people, { clustering }] = await Promise.all([
        getAll(albumPath(this.album, "/people"), "people", options),
        get(albumPath(this.album, "/people"), { signal: this.signal, query: { limit: 1 } }),
      ]);
      this.draw(people, clustering);
      clearTimeout(this.polling);
      if (BUSY.has(clustering.state)) this.polling = setTimeout(() => this.look(), POLL_MS);
    } catch (error) {
      showError(error);
    }
  }

  draw(people, clustering) {
    Object.assign(this, { people, clustering });
    fill(this.state, h("p", { class: clustering.state === "failed" ? "note bad" : "note" }, clustering.state === "none" ? "" : t(`people.${clustering.state}`, { count: people.length }), clustering.state === "failed" && ` ${clustering.detail}`));
    const known = new Set(people.map((person) => person.person_id));
    for (const id of this.chosen.keys()) if (!known.has(id)) this.chosen.delete(id);
    fill(this.list, people.map((person) => this.card(person)));
    if (!people.length && !BUSY.has(clustering.state)) fill(this.list, h("li", { class: "whole" }, emptyBox("people", t("people.none"), t("people.none_hint"))));
    this.drawBar();
  }

  card(person) {
    const address = `#/people/${encodeURIComponent(this.album)}/${person.person_id}`;
    const picture = person.cover?.crop ? h("img", { src: local(person.cover.crop), alt: "", loading: "lazy", draggable: "false" }) : icon("people");
    const box = h("input", { type: "checkbox", checked: this.chosen.has(person.person_id), "aria-label": t("people.select", { name: nameOf(person) }), on: { change: () => this.choose(person, box.checked) } });
    const card = h("li", { class: "person-card", draggable: "true", dataset: { hidden: person.hidden } },
      h("a", { href: address, draggable: "false" }, h("span", { class: "person-face" }, picture), h("strong", { class: person.name ? "" : "nameless" }, nameOf(person)), h("span", { class: "note" }, t("albums.photos", { count: person.photos }))),
      h("label", { class: "cell-check needs-index" }, box, h("span", { class: "cell-tick" }, icon("check"))),
    );
    card.classList.toggle("chosen", box.checked);
    this.makeDraggable(card, person);
    return card;
  }

  makeDraggable(card, person) {
    const on = (kind, listener) => card.addEventListener(kind, listener);
    on("dragstart", ({ dataTransfer }) => { dataTransfer.setData(DRAGGED, person.person_id); dataTransfer.effectAllowed = "move"; });
    on("dragover", (event) => {
      if (!event.dataTransfer.types.includes(DRAGGED)) return;
      event.preventDefault();
      card.classList.add("over");
    });
    on("dragleave", () => card.classList.remove("over"));
    on("drop", (event) => {
      event.preventDefault();
      card.classList.remove("over");
      const dropped = this.people.find((each) => each.person_id === event.dataTransfer.getData(DRAGGED));
      if (dropped && dropped !== person) merge(person, [dropped], () => this.look());
    });
  }

  choose(person, isChosen) {
    if (isChosen) this.chosen.set(person.person_id, person);
    else this.chosen.delete(person.person_id);
    for (const [place, card] of [...this.list.children].entries()) card.classList.toggle("chosen", this.chosen.has(this.people[place].person_id));
    this.drawBar();
  }

  drawBar() {
    const chosen = [...this.chosen.values()];
    this.bar.hidden = chosen.length === 0;
    const one = h("button", { class: "button primary", type: "button", on: { click: () => this.mergeChosen(chosen) } }, t("people.merge"));
    one.disabled = chosen.length < 2;
    const clear = h("button", { class: "button quiet", type: "button", on: { click: () => { this.chosen.clear(); this.draw(this.people, this.clustering); } } }, t("selection.clear"));
    fill(this.bar, h("strong", {}, t("people.count", { count: chosen.length })), h("span", { class: "spring" }), clear, one);
  }

  /** The one with a name stays, or else the one with most faces. */
  async mergeChosen(chosen) {
    const into = chosen.find((person) => person.name) ?? chosen.reduce((most, each) => (each.faces > most.faces ? each : most));
    this.chosen.clear();
    await merge(into, chosen.filter((each) => each !== into), () => this.look());
  }

  async groupAnew() {
    try {
      await send("POST", albumPath(this.album, "/people/cluster"));
      set(this.state, "class", "grouping");
      await this.look();
    } catch (error) {
      showError(error);
    }
  }
}
