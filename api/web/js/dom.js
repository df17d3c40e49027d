/** Elements without markup in strings: the page's policy forbids turning text into HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 * @param {string} tag
 * @param {Object} props `class`, `dataset`, `on` (listeners by event), `vars` (custom CSS properties); everything else is
 *   an attribute: null and false leave it out, true sets it empty.
 * @param {...(Node|string|null|false)} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) apply(element, name, value);
  append(element, children);
  return element;
}

function apply(element, name, value) {
  if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "vars") for (const [key, each] of Object.entries(value)) element.style.setProperty(`--${key}`, each);
  else set(element, name, value);
}

/** Set an attribute; null and false remove it. */
export function set(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** Replace everything in an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const PATHS = {
  find: "M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3M8.5 14.5c1 1.300 2.100 1.900 3.5 1.900s2.5-.6 3.5-1.900M9 9.5v.01M15 9.5v.01",
  albums: "M4 7h16v13H4zM6 4h12M4 16l4.5-4.5 4 4 2.5-2.5 5 5",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.700 3-6 6.5-6s6.100 2.300 6.5 6M16 4.300a3.5 3.5 0 0 1 0 6.400M17.5 14.5c2.300.7 3.700 2.700 4 5.5",
  system: "M3 12h4l2.5-7 4 14 2.5-7h5",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 20h16",
  more: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L21 21M7.9 11.6c.7.9 1.5 1.3 2.6 1.3s1.9-.4 2.6-1.3M8.6 8.7v.01M12.4 8.7v.01",
  close: "M5 5l14 14M19 5L5 19",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  check: "M5 12.5l4.5 4.5L19 7",
  plus: "M12 5v14M5 12h14",
  retry: "M20 11a8 8 0 1 0-2.300 6.300M20 5v6h-6",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  sun: "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.600 17.600L19 19M5 19l1.4-1.4M17.600 6.400L19 5",
  warning: "M12 4l9.5 16h-19zM12 10v4.5M12 17.200v.01",
  pause: "M8 5v14M16 5v14",
  play: "M7 4.5v15l12-7.5z",
  split: "M12 20v-7M12 13L6 7M12 13l6-6M6 11V7h4M18 11V7h-4",
  hide: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zM4 4l16 16",
  leave: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  undo: "M8 5L4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3",
  outside: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
};

/** Make a picture of a line that means something beside its text: it is hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  return svg;
}
