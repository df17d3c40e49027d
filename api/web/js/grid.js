/** A grid of which only the visible rows exist: fifty thousand photos cost as much as fifty. The page itself scrolls. */

import { h, set } from "./dom.js";

const GAP_PX = 10;
/** What is gone to stays this far from the edges of the window: bars lie over them. */
const MARGIN_PX = 90;
/** On a phone, three small squares are better than two large ones. */
const NARROW_PX = 600;
const NARROW_LEAST_PX = 100;
/** Rows that exist above and below the visible ones. */
const SPARE_ROWS = 2;
/** Who scrolls faster than this is not looking: pictures are asked for when it slows down. */
const FAST_PX_PER_MS = 3;
const SETTLED_AFTER_MS = 90;

const STEPS = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (grid) => -grid.columns,
  ArrowDown: (grid) => grid.columns,
  PageUp: (grid) => -grid.columns * grid.rowsInSight,
  PageDown: (grid) => grid.columns * grid.rowsInSight,
  Home: (grid) => -grid.count,
  End: (grid) => grid.count,
};

export class PhotoGrid {
  /**
   * @param {Object} options
   * @param {string} options.label what the grid is, for screen readers.
   * @param {function(): Element} options.make makes a cell; its first button is its main control.
   * @param {function(Element, number, boolean): void} options.fill shows an item in a cell; the flag says whether
   *   pictures are worth asking for.
   * @param {number} [options.least] px; cells are at least this wide.
   * @param {number} [options.caption] px below the square of a cell.
   */
  constructor({ label, make, fill, least = 168, caption = 0 }) {
    Object.assign(this, { make, fill, least, caption });
    this.count = 0;
    this.current = 0;
    this.columns = 1;
    this.rowsInSight = 1;
    this.rows = new Map();
    this.spare = [];
    this.seen = { top: 0, at: 0 };
    this.element = h("div", { class: "grid", role: "grid", "aria-label": label, on: { keydown: (event) => this.onKey(event), focusin: (event) => this.onFocus(event) } });
    this.onScroll = () => this.schedule();
    this.resizing = new ResizeObserver(() => this.measure());
  }

  /** Begin to follow the page; call once the element is in it. */
  attach() {
    addEventListener("scroll", this.onScroll, { passive: true });
    addEventListener("resize", this.onScroll, { passive: true });
    this.resizing.observe(this.element);
    this.measure();
  }

  /** Stop. */
  detach() {
    removeEventListener("scroll", this.onScroll);
    removeEventListener("resize", this.onScroll);
    this.resizing.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
  }

  /** Say how many items there are. */
  setCount(count) {
    if (count === this.count) return;
    this.count = count;
    this.current = Math.min(this.current, Math.max(count - 1, 0));
    this.measure();
  }

  /** Show every visible item anew. */
  refill() {
    for (const [number, row] of this.rows) this.fillRow(row, number, true);
  }

  measure() {
    const width = this.element.clientWidth;
    if (!width) return;
    const least = width < NARROW_PX && !this.caption ? NARROW_LEAST_PX : this.least;
    const columns = Math.max(Math.floor((width + GAP_PX) / (least + GAP_PX)), 2);
    const side = (width - GAP_PX * (columns - 1)) / columns;
    const height = side + this.caption + GAP_PX;
    const changed = columns !== this.columns || height !== this.height;
    Object.assign(this, { columns, height, rowCount: Math.ceil(this.count / columns) });
    this.element.style.height = `${Math.max(this.rowCount * height - GAP_PX, 0)}px`;
    this.element.style.setProperty("--columns", columns);
    set(this.element, "aria-rowcount", this.rowCount);
    set(this.element, "aria-colcount", columns);
    if (changed) for (const number of [...this.rows.keys()]) this.release(number);
    this.draw(true);
    this.refill();
  }

  schedule() {
    this.frame ??= requestAnimationFrame((now) => {
      this.frame = undefined;
      const top = this.element.getBoundingClientRect().top;
      const speed = Math.abs(top - this.seen.top) / Math.max(now - this.seen.at, 1);
      this.seen = { top, at: now };
      const settled = speed < FAST_PX_PER_MS;
      this.draw(settled, top);
      clearTimeout(this.settling);
      if (!settled || this.unsettled) this.settling = setTimeout(() => this.refill(), SETTLED_AFTER_MS);
      this.unsettled = !settled;
    });
  }

  draw(settled, top = this.element.getBoundingClientRect().top) {
    if (!this.height) return;
    this.rowsInSight = Math.max(Math.floor(innerHeight / this.height), 1);
    const first = Math.max(Math.floor(-top / this.height) - SPARE_ROWS, 0);
    const last = Math.min(Math.ceil((innerHeight - top) / this.height) + SPARE_ROWS, this.rowCount) - 1;
    for (const [number, row] of this.rows) {
      if ((number < first || number > last) && !row.contains(document.activeElement)) this.release(number);
    }
    for (let number = first; number <= last; number++) {
      if (!this.rows.has(number)) this.show(number, settled);
    }
    // Not before: a row that is hidden and shown again is laid out anew.
    for (const row of this.spare) row.hidden = true;
  }

  show(number, settled) {
    const row = this.spare.pop() ?? h("div", { class: "grid-row", role: "row" });
    while (row.children.length > this.columns) row.lastChild.remove();
    while (row.children.length < this.columns) row.append(this.makeCell(row.children.length));
    row.style.transform = `translateY(${number * this.height}px)`;
    set(row, "aria-rowindex", number + 1);
    this.rows.set(number, row);
    this.fillRow(row, number, settled);
    if (!row.isConnected) this.element.append(row);
    row.hidden = false;
  }

  makeCell(place) {
    const cell = this.make();
    set(cell, "role", "gridcell");
    set(cell, "aria-colindex", place + 1);
    return cell;
  }

  release(number) {
    this.spare.push(this.rows.get(number));
    this.rows.delete(number);
  }

  fillRow(row, number, settled) {
    for (const [place, cell] of [...row.children].entries()) {
      const index = number * this.columns + place;
      cell.hidden = index >= this.count;
      cell.index = index;
      this.reach(cell, index === this.current);
      if (!cell.hidden) this.fill(cell, index, settled);
    }
  }

  /** Put a cell's controls into the order of Tab, or take them out: one cell of the grid is in it. */
  reach(cell, isCurrent) {
    if (cell.isReached === isCurrent) return;
    cell.isReached = isCurrent;
    for (const control of cell.querySelectorAll("button, input")) control.tabIndex = isCurrent ? 0 : -1;
  }

  onFocus(event) {
    const cell = event.target.closest("[role=gridcell]");
    if (cell && cell.index !== this.current) this.move(cell.index, false);
  }

  onKey(event) {
    const step = STEPS[event.key]?.(this);
    if (step === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.move(Math.min(Math.max(this.current + step, 0), this.count - 1), true);
  }

  /** Scroll until the row of an item is at the top, and make it the current one. */
  goTo(index) {
    const top = this.element.getBoundingClientRect().top + Math.floor(index / this.columns) * this.height;
    scrollBy({ top: top - MARGIN_PX, behavior: "instant" });
    this.move(index, true);
  }

  /** Make an item the current one, and if wanted show and focus it. */
  move(index, focus) {
    const cellOf = (each) => this.rows.get(Math.floor(each / this.columns))?.children[each % this.columns];
    const before = cellOf(this.current);
    this.current = index;
    if (before) this.reach(before, false);
    if (focus) this.reveal(Math.floor(index / this.columns));
    const cell = cellOf(index);
    if (!cell) return;
    this.reach(cell, true);
    if (focus) cell.querySelector("button")?.focus({ preventScroll: true });
  }

  reveal(number) {
    const top = this.element.getBoundingClientRect().top + number * this.height;
    if (top < MARGIN_PX) scrollBy({ top: top - MARGIN_PX, behavior: "instant" });
    else if (top + this.height > innerHeight - MARGIN_PX) scrollBy({ top: top + this.height - innerHeight + MARGIN_PX, behavior: "instant" });
    this.draw(true);
  }
}
