// What the live chart holds and which span of it is in sight; it fetches what it lacks.
//
// `range` is the span in sight, ms, or null for all of it. With `follow` on, a span keeps its
// width and moves with the newest bar; panning away turns it off.

import { movedBy, spanAtEnd, spanMovedInside, spanWithin } from "./chart_span.js";
import { unpacked } from "./chart_tables.js";

const MARGIN_SHARE = 0.25;
const AT_END_SHARE = 0.02;
const KEEP = "pairdesk-chart:";

export class ChartData {
  /** @type {StreamData} */
  told;
  /** @type {Frame | undefined} */
  whole;
  /** @type {Frame | undefined} */
  detail;
  /** @type {FigureHead} */
  figure;
  /** @type {Span | null} */
  range = null;
  follow = true;
  /** @type {Set<string>} */
  hidden = new Set();
  /** @type {string | undefined} */
  view;
  offset = 0;
  drawnPx = 0;

  // What the page says: where to fetch. Another address has other data.
  /** @type {(data: StreamData) => void} */
  take(data) {
    if (this.told?.url !== data.url) this.whole = this.detail = undefined;
    this.told = data;
  }

  // What came for the whole range; asked for only once there is something.
  frame() {
    return /** @type {Frame} */ (this.whole);
  }

  get head() {
    return this.frame().head;
  }

  clock() {
    return this.head.clock;
  }

  /** @type {() => Span | null} */
  seen() {
    const { span } = this.head;
    return this.range ?? (span.length && span[1] > span[0] ? span : null);
  }

  // Another span is in sight; null is all of it. What reaches the end goes on following.
  /** @type {(range: Span | null) => void} */
  lookAt(range) {
    const { span } = this.head;
    const width = range ? range[1] - range[0] : 0;
    this.range =
      range && spanWithin(width < span[1] - span[0] ? spanMovedInside(range, span) : range, span);
    const end = range?.[1] ?? span[1];
    this.follow = !this.range || (this.follow && end >= span[1] - width * AT_END_SHARE);
  }

  /** @type {(follow: boolean) => void} */
  followNewest(follow) {
    const { span } = this.head;
    if (follow && this.range) this.range = spanAtEnd(this.range, span);
    if (!follow && !this.range) this.range = span;
    this.follow = follow;
  }

  // The finer rows' own numbers and where they lie; undefined where there are none.
  finer() {
    if (!this.detail?.tables.bars.time.length) return undefined;
    const { head, tables } = this.detail;
    const { time } = tables.bars;
    return { head, from: time[0], to: time[time.length - 1] };
  }

  // For so many pixels of width.
  /** @type {(px: number) => Promise<void>} */
  async pullWhole(px) {
    const isStale = !this.whole || this.head.version < this.told.version;
    if (!isStale && this.drawnPx === px) return;
    this.whole = await this.fetched({ width: px }, this.whole);
    this.drawnPx = px;
    if ("figure" in this.head) this.figure = this.head;
    this.carry();
  }

  // The reader's span and hidden lines in what has come: the same instants, as far as it has them.
  carry() {
    const { span, offset_ms: offset } = this.head;
    const view = this.figure.figure.layout.uirevision;
    if (this.view !== view) this.begin(view, offset);
    else this.range = movedBy(this.range, offset - this.offset);
    this.offset = offset;
    if (!this.range || !(span[1] > span[0])) return;
    if (this.follow) this.range = spanAtEnd(this.range, span);
    this.range = spanWithin(this.range, span);
    this.follow ||= !this.range;
  }

  // A zoomed span at the full width of the screen, with some room to pan; none where the whole
  // has every bar already.
  async pullDetail() {
    if (!this.range || this.head.bucket_ms <= this.head.bar_ms) {
      this.detail = undefined;
      return;
    }
    const room = (this.range[1] - this.range[0]) * MARGIN_SHARE;
    const [from, to] = [this.range[0] - room, this.range[1] + room];
    const width = Math.round(this.drawnPx * (1 + 2 * MARGIN_SHARE));
    const { version } = this.head;
    const at = [from, to, width, version].join();
    if (this.detail?.at === at) return;
    this.detail = await this.fetched({ from, to, width }, this.detail);
    this.detail.at = at;
  }

  /** @type {(wish: Record<string, number>, had?: Frame) => Promise<Frame>} */
  async fetched(wish, had) {
    const told = this.figure && this.whole ? { told: this.figure.told } : {};
    const asked = Object.entries({ ...wish, ...told, ...(had ? { had: had.number } : {}) });
    const query = new URLSearchParams(asked.map(([name, value]) => [name, String(value)]));
    const answer = await fetch(new URL(`${this.told.url}?${query}`, document.baseURI));
    if (answer.status !== 200) throw new Error("The chart's data could not be loaded.");
    const frame = unpacked(await answer.arrayBuffer(), had);
    // Another base than ours: once more, from nothing.
    return frame ?? this.fetched(wish, undefined);
  }

  // Another pair or source begins with all of it, but for what was kept over a reload of the page;
  // says whether there was such.
  /** @type {(view: string | undefined, offset: number) => boolean} */
  begin(view, offset) {
    const isFirst = this.view === undefined;
    this.view = view;
    [this.range, this.follow, this.hidden] = [null, true, new Set()];
    const kept = isFirst
      ? JSON.parse(sessionStorage.getItem(KEEP + this.told.key) ?? "null")
      : null;
    if (kept?.view !== view) {
      this.keep();
      return false;
    }
    this.range = movedBy(kept.range, offset);
    this.follow = kept.follow;
    this.hidden = new Set(kept.hidden);
    return true;
  }

  // In UTC: the zone may be another next time.
  keep() {
    const { view, follow } = this;
    const range = movedBy(this.range, -this.offset);
    const hidden = [...this.hidden];
    sessionStorage.setItem(KEEP + this.told.key, JSON.stringify({ view, range, follow, hidden }));
  }
}
