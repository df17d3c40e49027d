/** Requests to the server that this page came from. Every refusal is a `Problem` with a sentence for a person. */

import { t, tIfKnown } from "./messages.js";

const NO_CONTENT = 204;
/** Problems of a server that did nothing, and says when it is worth asking again. */
const BUSY = new Set(["overloaded", "rate_limited"]);
/** Nobody looks at a page that stands still for longer. */
const PATIENCE_MS = 15_000;

/** An RFC 9457 problem. */
export class Problem extends Error {
  constructor(type, status, sentence) {
    super(sentence);
    this.type = type;
    this.status = status;
  }
}

/** Show the server a key: from then on the browser sends a cookie, which no script can read. */
export function signIn(key) {
  return ask("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${key}` } });
}

/** Name an album in a path. */
export function albumPath(album, rest = "") {
  return `/v1/albums/${encodeURIComponent(album)}${rest}`;
}

/** GET as JSON. */
export async function get(path, { signal, query = {} } = {}) {
  const answer = await ask(withQuery(path, query), { signal });
  return answer.json();
}

/** Send JSON (or nothing), and read the JSON that comes back, if any does. */
export async function send(method, path, body, { signal } = {}) {
  const options = { method, signal };
  if (body !== undefined) Object.assign(options, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await ask(path, options);
  return answer.status === NO_CONTENT ? null : answer.json();
}

/** Send a file as it is. */
export async function sendFile(path, file, { signal, query = {} } = {}) {
  const headers = { "Content-Type": file.type.startsWith("image/") ? file.type : "application/octet-stream" };
  const answer = await ask(withQuery(path, query), { method: "POST", headers, body: file, signal });
  return answer.json();
}

/** Turn an absolute link of an answer into one of this page's own server, whatever a proxy is called. */
export function local(link) {
  const url = new URL(link);
  return url.pathname + url.search;
}

/** Read a refusal. */
export function problemOf(status, text) {
  try {
    const problem = JSON.parse(text);
    return new Problem(problem.type, status, tIfKnown(`problem.${problem.type}`) ?? problem.detail ?? t("problem.http", { status }));
  } catch {
    return new Problem("http", status, t("problem.http", { status }));
  }
}

function withQuery(path, query) {
  const known = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const mark = path.includes("?") ? "&" : "?";
  return known.length ? path + mark + new URLSearchParams(known) : path;
}

/** Ask, and again when a busy server says, while there is time for that. */
async function ask(path, options) {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await askOnce(path, options);
    if (answer.ok) return answer;
    const problem = problemOf(answer.status, await answer.text());
    const restMs = 1000 * Number(answer.headers.get("Retry-After") ?? Infinity);
    if (!BUSY.has(problem.type) || !(performance.now() + restMs < giveUpAt)) throw problem;
    await new Promise((resume) => setTimeout(resume, restMs));
  }
}

async function askOnce(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem("offline", 0, t("problem.offline"));
  }
}
