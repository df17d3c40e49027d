/** The page: its frame, and which view is in it. */

import { fill, h, icon, set } from "./dom.js";
import { LANGUAGES, chooseLanguage, currentLanguage, loadMessages, t } from "./messages.js";
import { read, write } from "./memory.js";
import { errorBox, noticePlaces } from "./notices.js";
import { endSession, isSignedIn, loadSession } from "./session.js";
import { closeViewer } from "./viewer.js";

/** The views by the first word of the address, in the order of the menu. Each is loaded when it is first shown. */
const VIEWS = {
  find: { picture: "find", load: async () => (await import("./views/find.js")).showFind },
  albums: { picture: "albums", load: async () => (await import("./views/albums.js")).showAlbums },
  people: { picture: "people", load: async () => (await import("./views/people.js")).showPeople },
  system: { picture: "system", load: async () => (await import("./views/system.js")).showSystem },
};

let leaving = new AbortController();
const main = h("main", { id: "main", tabindex: "-1" });

/** Read the address: its words, and what follows the question mark. */
function readAddress() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").filter(Boolean).map(readWord);
  return { name: name in VIEWS ? name : "find", path: rest, query: new URLSearchParams(query) };
}

/** Read a word of the address as it is quoted; one that somebody typed himself may not be. */
function readWord(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

async function show() {
  const { name, path, query } = readAddress();
  leaving.abort();
  leaving = new AbortController();
  closeViewer();
  for (const link of document.querySelectorAll("nav a")) set(link, "aria-current", link.dataset.view === name ? "page" : null);
  const place = h("div", { class: `view view-${name}` }, h("p", { class: "loading late" }, t("loading")));
  fill(main, place);
  scrollTo({ top: 0, behavior: "instant" });
  const context = { place, path, query, signal: leaving.signal, title: (text) => (document.title = `${text} · Facefleet`) };
  context.title(t(`nav.${name}`));
  try {
    const showView = await VIEWS[name].load();
    if (!context.signal.aborted) await showView(context);
  } catch (error) {
    if (error.status === 401) (await import("./views/sign_in.js")).showSignIn(place, start);
    else if (error.name !== "AbortError") fill(place, errorBox(error, show));
  }
}

function header() {
  const links = Object.entries(VIEWS).map(([name, { picture }]) =>
    h("a", { href: `#/${name}`, dataset: { view: name } }, icon(picture), h("span", {}, t(`nav.${name}`))),
  );
  return h("header", { class: "top" },
    h("a", { class: "brand", href: "#/find" }, h("img", { src: "/web/icon.svg", alt: "", width: 28, height: 28 }), h("span", {}, "Facefleet")),
    h("nav", { "aria-label": t("nav.label") }, links),
    h("div", { class: "tools" }, languageMenu(), themeButton(), isSignedIn() && signOutButton()),
  );
}

function signOutButton() {
  const leave = async () => {
    await endSession();
    await start();
  };
  return h("button", { class: "icon-button", type: "button", "aria-label": t("sign_in.out"), title: t("sign_in.out"), on: { click: leave } }, icon("leave"));
}

function languageMenu() {
  const menu = h("select", { class: "select small", "aria-label": t("language"), on: { change: async () => { chooseLanguage(menu.value); await start(); } } },
    Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, lang: code, selected: code === currentLanguage() }, name)),
  );
  return menu;
}

function themeButton() {
  const isDark = () => (read("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const button = h("button", { class: "icon-button", type: "button" });
  const draw = () => {
    set(document.documentElement, "data-theme", read("theme"));
    set(button, "aria-label", t(isDark() ? "theme.light" : "theme.dark"));
    fill(button, icon(isDark() ? "sun" : "moon"));
  };
  button.addEventListener("click", () => { write("theme", isDark() ? "light" : "dark"); draw(); });
  draw();
  return button;
}

async function start() {
  await Promise.all([loadMessages(), loadSession()]);
  const skip = h("a", { class: "skip", href: "#main", on: { click: (event) => { event.preventDefault(); main.focus(); } } }, t("skip"));
  fill(document.body, skip, header(), main, noticePlaces());
  addEventListener("hashchange", follow);
  await show();
}

let shown = location.hash.split("?")[0];

function follow() {
  // Only the viewer changes what follows the question mark.
  const path = location.hash.split("?")[0];
  if (path !== shown) main.focus({ preventScroll: true });
  shown = path;
  show();
}

set(document.documentElement, "data-theme", read("theme"));
start();
