/** What the page says, in the reader's language: every sentence is in `messages/*.json`. */

import { read, write } from "./memory.js";

export const LANGUAGES = { en: "English", es: "Español" };

let language = "en";
/** The language as the reader's region writes it: en-GB, es-MX. */
let locale = "en";
let messages = {};
/** Formats of the language in use, made once: making one takes longer than using it a hundred times. */
let formats = new Map();

/** Load the messages of the language that the reader chose, or the browser asks for. */
export async function loadMessages() {
  const asked = read("language") ?? navigator.languages.map((each) => each.slice(0, 2)).find((each) => each in LANGUAGES);
  language = asked in LANGUAGES ? asked : "en";
  locale = navigator.languages.find((each) => each.slice(0, 2) === language) ?? language;
  const answer = await fetch(`/web/messages/${language}.json`);
  messages = await answer.json();
  formats = new Map();
  document.documentElement.lang = language;
}

/** Choose a language for good. */
export function chooseLanguage(chosen) {
  write("language", chosen);
}

/** Name the language in use. */
export function currentLanguage() {
  return language;
}

/**
 * Say something.
 * @param {string} key of the messages.
 * @param {Object} values for `{name}` in the message; `count` also chooses among its plural forms.
 */
export function t(key, values = {}) {
  let message = messages[key];
  if (message === undefined) throw new Error(`no message ${key}`);
  if (typeof message === "object") message = message[format(Intl.PluralRules).select(values.count)] ?? message.other;
  return message.replace(/\{(\w+)\}/g, (_, name) => show(values[name]));
}

/** Say something if there is a message for it. */
export function tIfKnown(key) {
  return key in messages ? t(key) : null;
}

function format(kind, options = {}) {
  const key = kind.name + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new kind(locale, options));
  return formats.get(key);
}

function show(value) {
  return typeof value === "number" ? number(value) : String(value);
}

/** Write a number as the language does. */
export function number(value, digits = 0) {
  return format(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);
}

/** Write 0-100. */
export function percent(value) {
  const shown = value > 99 && value < 100 ? Math.floor(value * 10) / 10 : Math.round(value);
  return format(Intl.NumberFormat, { style: "percent", maximumFractionDigits: 1 }).format(shown / 100);
}

/** Write a size. */
export function bytes(value) {
  const [unit, factor] = [["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3], ["byte", 1]].find(([, each]) => value >= each || each === 1);
  return format(Intl.NumberFormat, { style: "unit", unit, maximumFractionDigits: value < 1e4 ? 0 : 1 }).format(value / factor);
}

/** Write a time that something takes, in its two largest units. */
export function duration(seconds) {
  const whole = Math.max(Math.round(seconds), 0);
  const parts = [["hour", Math.floor(whole / 3600)], ["minute", Math.floor(whole / 60) % 60], ["second", whole % 60]];
  const first = Math.max(parts.findIndex(([, value]) => value > 0), 0);
  return parts
    .slice(first, first === 0 ? 2 : first + (whole < 600 ? 2 : 1))
    .filter(([, value], place) => value > 0 || place === 0)
    .map(([unit, value]) => format(Intl.NumberFormat, { style: "unit", unit, unitDisplay: "short" }).format(value))
    .join(" ");
}

const MOMENTS = {
  hour: { hour: "numeric", minute: "2-digit" },
  day: { dateStyle: "medium" },
  month: { month: "long", year: "numeric" },
  year: { year: "numeric" },
  minute: { dateStyle: "medium", timeStyle: "short" },
};

/**
 * Write a moment.
 * @param {string} iso without a time zone it is what a clock on the wall showed, and stays that.
 * @param {string} [unit] how much of it is said; an hour is said by its beginning.
 */
export function moment(iso, unit = "day") {
  const said = new Date(iso);
  if (unit === "hour") said.setMinutes(0);
  return format(Intl.DateTimeFormat, MOMENTS[unit]).format(said);
}
