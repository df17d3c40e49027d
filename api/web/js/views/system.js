/** The server and its fleet, for whoever runs them. */

import { get } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { duration, number, t } from "../messages.js";

const POLL_MS = 3000;
/** Rates that the small chart shows: five minutes. */
const KEPT = 100;
/** Photos that wait this long while nobody has taken any are waiting for somebody who is not there. */
const DESERTED_S = 60;

/** Show the view, and keep it up to date. */
export async function showSystem(context) {
  const rates = [];
  const cards = h("div", { class: "cards" });
  fill(context.place, h("h1", {}, t("nav.system")), cards);
  const look = async () => {
    const [system, ready] = await Promise.all([get("/v1/system", context), readiness(context.signal)]);
    rates.push(system.work.finished_per_minute);
    if (rates.length > KEPT) rates.shift();
    fill(cards, workCard(system, rates), healthCard(ready), modelCard(system.model), linksCard(system));
  };
  await look();
  let timer;
  const again = () => {
    timer = setTimeout(async () => {
      if (!document.hidden) await look().catch(() => {});
      if (!context.signal.aborted) again();
    }, POLL_MS);
  };
  again();
  context.signal.addEventListener("abort", () => clearTimeout(timer));
}

/** Both answers of the route say what it found; only one of them is a success. */
async function readiness(signal) {
  const answer = await fetch("/readyz", { signal });
  return answer.json();
}

function card(title, ...parts) {
  return h("section", { class: "card" }, h("h2", {}, title), parts);
}

function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function workCard({ work, has_fleet: hasFleet, embedded }, rates) {
  const deserted = work.waiting > 0 && work.leased === 0 && work.oldest_s > DESERTED_S;
  return card(t("system.work"),
    h("p", { class: "big" }, number(work.finished_per_minute), h("span", {}, t("system.per_minute"))),
    chart(rates),
    facts([
      [t("system.waiting"), number(work.waiting)],
      [t("system.leased"), number(work.leased)],
      [t("system.oldest"), work.waiting ? duration(work.oldest_s) : t("system.nothing")],
      [t("system.mode"), t(embedded ? "system.embedded" : "system.fleet")],
    ]),
    (deserted || !hasFleet) && h("p", { class: "note bad" }, icon("warning"), t(hasFleet ? "system.deserted" : "system.no_fleet")),
  );
}

/** Draw rates as bars, the newest on the right. */
function chart(rates) {
  const most = Math.max(...rates, 1);
  const bars = Array.from({ length: KEPT }, (_, place) => rates[place - KEPT + rates.length] ?? 0);
  return h("div", { class: "chart", role: "img", "aria-label": t("system.chart", { most: Math.max(...rates) }) }, bars.map((rate) => h("span", { vars: { height: rate / most } })));
}

function healthCard({ checks }) {
  return card(t("system.health"), h("ul", { class: "checks" }, Object.entries(checks).map(([name, { ok, detail }]) =>
    h("li", { class: ok ? "ok" : "bad" }, icon(ok ? "check" : "warning"), h("span", {}, h("strong", {}, t(`check.${name}`)), ok ? null : h("span", { class: "note" }, detail))),
  )));
}

function modelCard(model) {
  if (!model) return card(t("system.model"), h("p", {}, t("system.no_model")));
  return card(t("system.model"),
    h("p", { class: "big word" }, model.name),
    model.drawn_people && h("p", { class: "note bad" }, icon("warning"), t("system.drawn")),
    facts([[t("system.version"), model.version], [t("system.runtime"), model.runtime], [t("system.calibration"), model.calibration], [t("system.licence"), model.licence]]),
  );
}

function linksCard(system) {
  const links = [[system.flower_url, t("system.flower")], [system.grafana_url, t("system.grafana")], ["/docs", t("system.api")], ["/metrics", t("system.metrics")]];
  return card(t("system.more"),
    h("ul", { class: "links" }, links.filter(([address]) => address).map(([address, name]) => h("li", {}, h("a", { href: address, target: "_blank", rel: "noreferrer" }, name, icon("outside"))))),
    facts([["Facefleet", system.version]]),
  );
}
