// The strip below the panels: the spread over the whole range, and the span in sight as a window
// to drag. It draws from what the chart holds already.

import { spanMovedInside, spanOfWords } from "./chart_span.js";
import { panelBox } from "./plotly_private.js";

const LEAST_BARS = 5;
const LINE_SHARE = 0.84;

/** @import { Stream } from "./chart_stream.js" */

export class Overview {
  /** @type {Drag | undefined} */
  held;

  /** @param {Stream} stream */
  constructor(stream) {
    this.stream = stream;
    this.strip = stream.host.querySelector(".pairdesk-strip");
    /** @type {HTMLCanvasElement} */
    this.canvas = this.strip.querySelector("canvas");
    this.window = this.strip.querySelector(".pairdesk-window");
    stream.listen(this.strip, "pointerdown", (event) => this.grab(event));
    stream.listen(this.strip, "pointermove", (event) => this.pull(event));
    stream.listen(this.strip, "pointerup", () => this.drop());
    stream.listen(this.strip, "pointercancel", () => this.drop());
    stream.listen(this.strip, "dblclick", () => stream.whole && stream.look(null));
    stream.listen(this.window, "keydown", (event) => stream.key(event));
  }

  // As wide as the panels above.
  draw() {
    const { l, r } = panelBox(this.stream.plot);
    this.strip.style.marginLeft = `${l}px`;
    this.strip.style.marginRight = `${r}px`;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [this.strip.clientWidth, this.strip.clientHeight];
    Object.assign(this.canvas, { width: width * scale, height: height * scale });
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    pen.scale(scale, scale);
    pen.strokeStyle = getComputedStyle(this.strip).color;
    pen.lineWidth = 1;
    this.line(pen, width, height);
    this.show();
  }

  /** @type {(pen: CanvasRenderingContext2D, width: number, height: number) => void} */
  line(pen, width, height) {
    const { time, spread } = this.stream.frame().tables.bars;
    const [first, last] = this.stream.head.span;
    const known = spread.filter((value) => !Number.isNaN(value));
    if (!known.length || !(last > first)) return;
    const low = known.reduce((a, b) => Math.min(a, b));
    const high = known.reduce((a, b) => Math.max(a, b));
    const room = (height * (1 - LINE_SHARE)) / 2;
    const scale = (height * LINE_SHARE) / (high - low || 1);
    let isOpen = false;
    pen.beginPath();
    for (let i = 0; i < time.length; i += 1) {
      const isKnown = !Number.isNaN(spread[i]);
      const [x, y] = [
        ((time[i] - first) / (last - first)) * width,
        height - room - (spread[i] - low) * scale,
      ];
      if (isKnown && isOpen) pen.lineTo(x, y);
      else if (isKnown) pen.moveTo(x, y);
      isOpen = isKnown;
    }
    pen.stroke();
  }

  // Where the window stands.
  show() {
    const { stream } = this;
    const [first, last] = stream.head.span;
    if (!(last > first)) return;
    const [from, to] = stream.seen() ?? [first, last];
    const [left, right] = [from, to].map((edge) =>
      Math.min(Math.max((edge - first) / (last - first), 0), 1),
    );
    this.strip.style.setProperty("--from", `${left * 100}%`);
    this.strip.style.setProperty("--to", `${(1 - right) * 100}%`);
    this.window.setAttribute("aria-valuenow", String(Math.round(((left + right) / 2) * 100)));
    const words = `${spanOfWords([from, to], stream.clock())} ${stream.meta.picture.zone}`;
    this.window.setAttribute("aria-valuetext", words);
  }

  /** @type {(clientX: number) => number} */
  timeAt(clientX) {
    const box = this.strip.getBoundingClientRect();
    const [first, last] = this.stream.head.span;
    const share = Math.min(Math.max((clientX - box.left) / box.width, 0), 1);
    return first + share * (last - first);
  }

  // An edge of the window, the window itself, or the strip beside it, where the window is brought.
  /** @type {(event: PointerEvent) => void} */
  grab(event) {
    const { stream } = this;
    const { span } = stream.whole?.head ?? {};
    if (!span?.length || !(span[1] > span[0]) || event.button > 0) return;
    event.preventDefault();
    this.window.focus({ preventScroll: true });
    this.strip.setPointerCapture(event.pointerId);
    const at = this.timeAt(event.clientX);
    let span0 = stream.seen() ?? span;
    const width = span0[1] - span0[0];
    const isBeside = at < span0[0] || at > span0[1];
    if (isBeside) span0 = spanMovedInside([at - width / 2, at + width / 2], span);
    // There is nowhere to move the whole range to: a part of it is chosen instead.
    const does =
      /** @type {HTMLElement} */ (event.target).dataset.edge ??
      (stream.range || isBeside ? "move" : "choose");
    this.held = { at, span: span0, does };
    stream.isDragging = true;
    if (isBeside) this.bring(span0);
  }

  /** @type {(event: PointerEvent) => void} */
  pull(event) {
    if (!this.held) return;
    const {
      at,
      span: [from, to],
      does,
    } = this.held;
    const now = this.timeAt(event.clientX);
    const { span, bar_ms: bar } = this.stream.head;
    const least = LEAST_BARS * bar;
    /** @type {Record<string, () => Span>} */
    const spans = {
      from: () => [Math.min(now, to - least), to],
      to: () => [from, Math.max(now, from + least)],
      move: () => spanMovedInside([from + now - at, to + now - at], span),
      choose: () => [Math.min(at, now), Math.max(at, now, Math.min(at, now) + least)],
    };
    if (now === at && !this.held.moved) return;
    this.held.moved = true;
    this.bring(spanMovedInside(spans[does](), span));
  }

  // Kept here too: new data that comes meanwhile moves a span that follows.
  /** @type {(span: Span) => void} */
  bring(span) {
    if (this.held) this.held.shown = span;
    this.stream.slide(span);
  }

  drop() {
    if (!this.held) return;
    const {
      stream,
      held: { shown },
    } = this;
    this.held = undefined;
    if (shown) stream.look(shown);
  }
}
