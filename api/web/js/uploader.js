/** Sends thousands of photos: several requests at once, only what the album lacks, and on after every interruption. */

import { albumPath, problemOf, send } from "./api.js";

const AT_ONCE = 3;
const ASK_PHOTOS = 200;
const BATCH_PHOTOS = 8;
const BATCH_BYTES = 24_000_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Statuses after which the same bytes may be taken: everything else says that something is wrong with them. */
const PASSING = new Set([0, 408, 429, 502, 503, 504]);

/** Reports `change` whenever something moved, and `end` when nothing is left to do. */
export class Uploader extends EventTarget {
  /**
   * @param {string} album
   * @param {{name: string, file: File}[]} photos
   * @param {Object} limits of the server.
   */
  constructor(album, photos, limits) {
    super();
    Object.assign(this, { album, limits, photos });
    this.total = photos.length;
    this.known = 0;
    this.sent = 0;
    this.refused = [];
    this.bytes = 0;
    this.sentBytes = 0;
    this.flying = new Map();
    this.job = null;
    this.paused = false;
    this.stopped = false;
    this.startedAt = performance.now();
  }

  /** Send everything that the album lacks. */
  async run() {
    const wanted = await this.findMissing(this.photos.filter((photo) => this.isSendable(photo)));
    this.bytes = wanted.reduce((sum, { file }) => sum + file.size, 0);
    this.startedAt = performance.now();
    this.batches = cut(wanted, Math.min(BATCH_BYTES, this.limits.max_upload_bytes / 2), Math.min(BATCH_PHOTOS, this.limits.max_upload_photos));
    this.moved();
    // The first one alone: it makes the job that the others belong to.
    if (this.batches.length) await this.sendBatch(this.batches.shift());
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.work()));
    this.dispatchEvent(new Event("end"));
  }

  /** Go on later, or go on. What is on its way arrives. */
  pause(paused) {
    this.paused = paused;
    this.dispatchEvent(new Event("resume"));
    this.moved();
  }

  /** Begin nothing more. */
  stop() {
    this.stopped = true;
    for (const request of this.flying.keys()) request.abort();
    this.dispatchEvent(new Event("resume"));
  }

  /** Bytes that the server has, or that are on their way. */
  get movedBytes() {
    return this.sentBytes + [...this.flying.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Seconds that the rest takes at the speed so far; null while nobody knows. */
  get secondsLeft() {
    const seconds = (performance.now() - this.startedAt) / 1000;
    if (this.movedBytes === 0 || seconds < 2) return null;
    return ((this.bytes - this.movedBytes) * seconds) / this.movedBytes;
  }

  isSendable({ name, file }) {
    if (file.size <= this.limits.max_photo_bytes) return true;
    this.refused.push({ name, reason: "too_large" });
    return false;
  }

  async findMissing(photos) {
    const missing = [];
    for (let start = 0; start < photos.length && !this.stopped; start += ASK_PHOTOS) {
      const page = photos.slice(start, start + ASK_PHOTOS);
      const body = { photos: page.map(({ name, file }) => ({ photo: name, size_bytes: file.size })) };
      const { known } = await this.insist(() => send("POST", albumPath(this.album, "/photos/known"), body));
      missing.push(...page.filter((_, place) => !known[place]));
      this.known += known.filter(Boolean).length;
      this.moved();
    }
    return missing;
  }

  async work() {
    while (this.batches.length && !this.stopped) {
      while (this.paused && !this.stopped) await new Promise((resolve) => this.addEventListener("resume", resolve, { once: true }));
      const batch = this.batches.shift();
      if (batch && !this.stopped) await this.sendBatch(batch);
    }
  }

  async sendBatch(batch) {
    try {
      const { job_id: job } = await this.insist(() => this.post(batch));
      this.job ??= job;
      this.sent += batch.length;
      this.sentBytes += batch.reduce((sum, { file }) => sum + file.size, 0);
    } catch (error) {
      if (!this.stopped) await this.divide(batch, error);
    }
    this.moved();
  }

  /** A batch is taken whole or not at all: find out which photo of it was refused. */
  async divide(batch, error) {
    if (batch.length === 1) {
      this.refused.push({ name: batch[0].name, reason: error.message });
      this.bytes -= batch[0].file.size;
      return;
    }
    for (const photo of batch) await this.sendBatch([photo]);
  }

  post(batch) {
    const form = new FormData();
    for (const { name } of batch) form.append("names", encodeURIComponent(name));
    for (const { name, file } of batch) form.append("files", file, name.split("/").at(-1));
    const request = new XMLHttpRequest();
    request.open("POST", albumPath(this.album, "/photos") + (this.job ? `?job=${this.job}` : ""));
    this.flying.set(request, 0);
    const size = batch.reduce((sum, { file }) => sum + file.size, 0);
    return new Promise((resolve, reject) => {
      request.upload.addEventListener("progress", ({ loaded }) => { this.flying.set(request, Math.min(loaded, size)); this.moved(); });
      request.addEventListener("loadend", () => {
        this.flying.delete(request);
        if (request.status === 202) resolve(JSON.parse(request.responseText));
        else reject(problemOf(request.status, request.responseText));
      });
      request.send(form);
    });
  }

  /** Try until it works, waiting longer each time: a network that is gone comes back. */
  async insist(attempt) {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        const answer = await attempt();
        this.waiting = false;
        return answer;
      } catch (error) {
        if (this.stopped || !PASSING.has(error.status)) throw error;
        this.waiting = true;
        this.moved();
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  moved() {
    this.dispatchEvent(new Event("change"));
  }
}

function cut(photos, mostBytes, mostPhotos) {
  const batches = [];
  let room = 0;
  for (const photo of photos) {
    const last = batches.at(-1);
    if (last && last.length < mostPhotos && photo.file.size <= room) {
      last.push(photo);
      room -= photo.file.size;
    } else {
      batches.push([photo]);
      room = mostBytes - photo.file.size;
    }
  }
  return batches;
}
