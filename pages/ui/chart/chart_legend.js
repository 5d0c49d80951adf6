// The legend above the figure, which reads as well: the newest values, or those at the crosshair.
//
// Nothing covers the figure, and nothing moves when a value grows: what was once so wide stays so.

import { spanWords, wallWords } from "./chart_span.js";
import { firstAtOrAfter } from "./chart_tables.js";
import { panelBox } from "./plotly_private.js";

const NOT_KNOWN = "–";
/** @type {Record<number, string>} */
const SIGNALS = { "-1": "SELL", 1: "BUY" };
/** @type {Record<string, number>} */
const KIND_OF = { SELL: -1, BUY: 1 };
/** @type {[string, number][]} */
const LARGE = [
  ["G", 1e9],
  ["M", 1e6],
  ["k", 1e3],
];

/** @type {Map<number, Intl.NumberFormat>} */
const formats = new Map();

/** @type {(value: number, decimals: number, plus?: boolean) => string} */
export function numberWords(value, decimals, plus = false) {
  if (!Number.isFinite(value)) return NOT_KNOWN;
  let format = formats.get(decimals);
  if (!format) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    format = new Intl.NumberFormat("en-US", digits);
    formats.set(decimals, format);
  }
  const sign = value < 0 ? "−" : plus ? "+" : "";
  return sign + format.format(Math.abs(value));
}

/** @type {(value: number) => string} */
export function largeWords(value) {
  if (!Number.isFinite(value)) return NOT_KNOWN;
  const [unit, least] = LARGE.find(([, from]) => value >= from) ?? ["", 1];
  return `${Number((value / least).toPrecision(4))}${unit}`;
}

// The row whose time is nearest; -1 where there is none.
/** @type {(times: Float64Array, ms: number) => number} */
export function nearestRow(times, ms) {
  const after = firstAtOrAfter(times, ms);
  if (after >= times.length) return times.length - 1;
  return after > 0 && ms - times[after - 1] <= times[after] - ms ? after - 1 : after;
}

// What an entry says: `at` is the crosshair's time, null for the newest.
/** @type {Record<string, (reads: Reads, seen: Seen, row: number, at: number | null, key: string) => string>} */
const READS = {
  column(reads, { tables }, row) {
    const { bars } = tables;
    const words = numberWords(bars[reads.column][row], reads.decimals, reads.plus);
    return reads.says_signal && SIGNALS[bars.held[row]]
      ? `${words} ${SIGNALS[bars.held[row]]}`
      : words;
  },
  band(reads, { tables }, row) {
    return numberWords(reads.times * tables.bars.std[row], reads.decimals);
  },
  volume(reads, { tables }, row) {
    const { volume, bars } = tables;
    const place = firstAtOrAfter(volume.time, bars.time[row] + 1) - 1;
    return largeWords(volume[reads.column][place]);
  },
  // Of the range, or of the stretch of time that a triangle at the crosshair stands for.
  entries(_reads, { tables, head, detail }, row, at, key) {
    if (at === null) return `${numberWords(head.entries[key], 0)} in all`;
    const { marks, bars } = tables;
    const moment = bars.time[row];
    const isFine = detail && moment >= detail.from && moment <= detail.to;
    const stretch = isFine ? detail.head.marks_ms : head.marks_ms;
    const bucket = Math.floor(moment / stretch);
    let count = 0;
    for (let i = 0; i < marks.time.length; i += 1) {
      const isIn = marks.held[i] === KIND_OF[key] && Math.floor(marks.time[i] / stretch) === bucket;
      if (isIn) count += marks.entries[i];
    }
    return `${numberWords(count, 0)} in ${spanWords(stretch)}`;
  },
};

/** @type {Record<string, (color: string) => string>} */
const SWATCHES = {
  line: (color) => `<path d="M0 6H22" stroke="${color}" stroke-width="2.4"/>`,
  dashes: (color) =>
    `<path d="M0 6H22" stroke="${color}" stroke-width="1.6" stroke-dasharray="5 2"/>`,
  dots: (color) =>
    `<path d="M0 6H22" stroke="${color}" stroke-width="1.6" stroke-dasharray="2 2"/>`,
  area: (color) => `<path d="M0 1H22V11H0Z" fill="${color}"/>`,
  block: (color) => `<path d="M4 1H18V11H4Z" fill="${color}" fill-opacity=".7"/>`,
  pale: (color) =>
    `<path d="M4.5 1.5H17.5V10.5H4.5Z" fill="${color}" fill-opacity=".25" stroke="${color}"/>`,
  down: (color) => `<path d="M5 1.5H17L11 11.5Z" fill="${color}"/>`,
  up: (color) => `<path d="M5 10.5H17L11 .5Z" fill="${color}"/>`,
};

/** @import { Stream } from "./chart_stream.js" */

export class Legend {
  /** @type {DrawnEntry[]} */
  entries = [];
  /** @type {number | null} */
  at = null;
  told = "";

  /** @param {Stream} stream */
  constructor(stream) {
    this.stream = stream;
    this.root = stream.host.querySelector(".pairdesk-legend");
    this.list = this.root.querySelector(".pairdesk-panels");
    this.time = this.root.querySelector(".pairdesk-at");
    this.said = stream.host.querySelector(".pairdesk-said");
    this.cross = stream.host.querySelector(".pairdesk-cross");
    const { plot } = stream;
    stream.listen(plot, "pointermove", (event) => this.point(event));
    stream.listen(plot, "pointerdown", (event) => {
      if (event.pointerType === "mouse") this.clear();
      else this.point(event);
    });
    // A finger that is lifted leaves the crosshair where it was.
    stream.listen(plot, "pointerleave", (event) => event.pointerType === "mouse" && this.clear());
  }

  // Made anew only where the entries are others.
  /** @type {(entries: LegendEntry[]) => void} */
  build(entries) {
    const told = JSON.stringify(entries);
    if (this.told === told) return;
    this.told = told;
    this.entries = entries.map((entry) => ({ ...entry, ...this.made(entry), widest: 0 }));
    const panels = [...new Set(entries.map(({ panel }) => panel))];
    this.list.replaceChildren(...panels.map((panel) => this.panel(panel)));
  }

  // What one panel shows stands together, also where the legend needs another line.
  /** @type {(name: string) => HTMLElement} */
  panel(name) {
    const place = document.createElement("span");
    place.append(
      ...this.entries.filter(({ panel }) => panel === name).map(({ element }) => element),
    );
    return place;
  }

  /** @type {(entry: LegendEntry) => Pick<DrawnEntry, "element" | "value">} */
  made(entry) {
    const element = document.createElement(entry.hides ? "button" : "span");
    element.className = "pairdesk-entry";
    element.dataset.key = entry.key;
    const swatch = `<svg viewBox="0 0 22 12" width="22" height="12" fill="none" aria-hidden="true">`;
    element.innerHTML = `${swatch}${SWATCHES[entry.looks](entry.color)}</svg><span></span> <b></b>`;
    element.querySelector("span")?.append(entry.name);
    if (element instanceof HTMLButtonElement) {
      element.type = "button";
      element.title = `Show or hide ${entry.name}`;
      element.onclick = () => this.stream.hide(entry.key);
    }
    return { element, value: /** @type {HTMLElement} */ (element.querySelector("b")) };
  }

  // The values where the crosshair is, and the crosshair where they are.
  show() {
    const { stream } = this;
    const { time } = stream.tables?.bars ?? {};
    if (!this.entries.length || !time?.length) return;
    const row = this.at === null ? time.length - 1 : nearestRow(time, this.at);
    const seen = { tables: stream.tables, head: stream.head, detail: stream.finer() };
    for (const entry of this.entries) {
      const { reads, key } = entry;
      this.write(entry, READS[reads.kind ?? "column"](reads, seen, row, this.at, key));
      if (entry.hides) entry.element.setAttribute("aria-pressed", String(!stream.hidden.has(key)));
    }
    const words = `${wallWords(time[row], stream.clock())} ${stream.meta.picture.zone}`;
    this.time.textContent = this.at === null ? `Latest ${words}` : words;
    this.place(this.at === null ? null : time[row]);
  }

  /** @type {(entry: DrawnEntry, words: string) => void} */
  write(entry, words) {
    if (entry.value.textContent !== words) entry.value.textContent = words;
    if (words.length <= entry.widest) return;
    entry.widest = words.length;
    entry.value.style.minWidth = `${words.length}ch`;
  }

  /** @type {(ms: number | null) => void} */
  place(ms) {
    const x = ms === null ? null : this.stream.pxOf(ms);
    this.cross.hidden = x === null;
    if (x === null) return;
    const { t, h } = panelBox(this.stream.plot);
    Object.assign(this.cross.style, { left: `${x}px`, top: `${t}px`, height: `${h}px` });
  }

  /** @type {(event: PointerEvent) => void} */
  point(event) {
    const { stream } = this;
    if (stream.isDragging && event.pointerType === "mouse") return;
    const at = stream.timeAt(event.clientX);
    if (at === null) this.clear();
    else {
      this.at = at;
      this.show();
    }
  }

  clear() {
    if (this.at === null) return;
    this.at = null;
    this.show();
  }

  // To the bar before or after, by keys; what it says is said aloud.
  /** @type {(rows: number) => void} */
  step(rows) {
    const { time } = this.stream.tables.bars;
    const [from, to] = this.stream.seen() ?? [-Infinity, Infinity];
    const [first, last] = [firstAtOrAfter(time, from), firstAtOrAfter(time, to + 1) - 1];
    const row = this.at === null ? last : nearestRow(time, this.at) + rows;
    this.at = time[Math.min(Math.max(row, first), last)];
    this.show();
    const values = this.entries.map(({ name, value }) => `${name} ${value.textContent}`);
    this.said.textContent = [this.time.textContent, ...values].join(", ");
  }
}
