// The live figure: draws in place what its data brings, and does what the reader asks of it.

import { NARROW_PX, fitAxes, fitNarrow, loadPlotly, readersColors, themed } from "./chart_base.js";
import { ChartData } from "./chart_data.js";
import { filledTraces } from "./chart_fill.js";
import { Legend } from "./chart_legend.js";
import { Overview } from "./chart_overview.js";
import { spanWords } from "./chart_span.js";
import { withDetail } from "./chart_tables.js";
import { timeWords, wallAxis, written } from "./chart_time.js";
import { Toolbar } from "./chart_toolbar.js";
import { isDrawn, panelBox, timeRange } from "./plotly_private.js";

const STREAM_CONFIG = {
  displayModeBar: false,
  responsive: true,
  doubleClick: false,
  showTips: false,
};
const WIDTH_STEP_PX = 100;
const RETRY_MS = 2000;
const SETTLE_MS = 120;
/** @type {Record<string, number>} */
const READING_STEPS = { ArrowLeft: -1, ArrowRight: 1 };
// The least that the panels can be read in, what is left free below them, and by how much what
// stands above may grow or shrink before the figure follows.
const LEAST_PX = 400;
const BELOW_PX = 26;
const STEADY_PX = 20;
const TOP_PX = 8;

export class Stream extends ChartData {
  /** @type {PlotlyLibrary | undefined} */
  Plotly;
  /** @type {Tables} */
  tables;
  /** @type {ChartMeta} */
  meta;
  /** @type {Trace[]} */
  traces = [];
  /** @type {Set<string>} */
  fixed = new Set();
  /** @type {(() => void)[]} */
  listeners = [];
  /** @type {Promise<void> | undefined} */
  isSliding;

  /** @param {OwnPart} host */
  constructor(host) {
    super();
    this.host = host;
    /** @type {Plot} */
    this.plot = host.querySelector(".pairdesk-plot");
    this.isBusy = false;
    /** @type {Promise<void>} */
    this.drawn = new Promise((resolve) => {
      this.hasDrawn = resolve;
    });
    this.listen(document, "visibilitychange", () => this.refresh());
    this.listen(window, "online", () => this.refresh());
    this.listen(window, "pointerup", () => this.dropped());
    this.listen(window, "pointercancel", () => this.dropped());
    this.listen(this.plot, "pointerdown", () => {
      this.isDragging = true;
    });
    this.listen(this.plot, "keydown", (event) => this.key(event));
    this.listen(matchMedia("(prefers-color-scheme: dark)"), "change", () => {
      setTimeout(() => this.draw(), 300);
    });
    this.listen(window, "resize", () => this.resize());
    this.resized = new ResizeObserver(() => {
      if (this.whole && this.widthPx() !== this.drawnPx) this.refresh();
    });
    this.resized.observe(host);
    this.bar = new Toolbar(this);
    this.legend = new Legend(this);
    this.overview = new Overview(this);
  }

  /** @type {(target: EventTarget, name: string, handler: (event: any) => void) => void} */
  listen(target, name, handler) {
    target.addEventListener(name, handler);
    this.listeners.push(() => target.removeEventListener(name, handler));
  }

  close() {
    this.isClosed = true;
    for (const stop of this.listeners) stop();
    this.resized.disconnect();
    clearTimeout(this.timer);
    window.Plotly?.purge(this.plot);
  }

  // What the page says: where to fetch, and that there is something new.
  /** @type {(data: StreamData) => void} */
  tell(data) {
    this.take(data);
    if (!this.whole) this.plot.style.minHeight = this.heightPx() + "px";
    this.plot.setAttribute("aria-label", data.label + ". " + this.bar.keysWords);
    this.refresh();
  }

  widthPx() {
    return Math.max(1, Math.round(this.plot.clientWidth / WIDTH_STEP_PX)) * WIDTH_STEP_PX;
  }

  // All panels and the strip on the first screen; a narrow one is scrolled anyway, and shows them
  // tall. What comes and goes above by a line does not move the figure.
  heightPx() {
    if (this.host.clientWidth < NARROW_PX && !this.bar.isFull()) return this.told.height;
    const box = this.plot.getBoundingClientRect();
    const below =
      /** @type {Element} */ (this.host.lastElementChild).getBoundingClientRect().bottom -
      box.bottom;
    const scroller = this.bar.isFull() ? this.host : this.host.closest("[data-testid=stMain]");
    const above = box.top + (scroller?.scrollTop ?? 0);
    const height = Math.max(LEAST_PX, Math.floor(window.innerHeight - above - below - BELOW_PX));
    if (!this.fitted || Math.abs(height - this.fitted) > STEADY_PX) this.fitted = height;
    return this.fitted;
  }

  resize() {
    if (!this.whole) return;
    this.fitted = undefined;
    if (this.heightPx() !== this.plot.layout?.height) this.draw();
  }

  /** @type {(delayMs: number) => void} */
  later(delayMs) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), delayMs);
  }

  // One at a time: what comes meanwhile is one more round, however many refreshes it was.
  async refresh() {
    if (this.isBusy) {
      this.isAgain = true;
      return;
    }
    if (document.hidden || this.isClosed || !this.told || !this.plot.clientWidth) return;
    this.isBusy = true;
    try {
      do {
        this.isAgain = false;
        await this.pull();
      } while (this.isAgain && !document.hidden && !this.isClosed);
      this.say("");
    } catch (error) {
      // What is drawn stays. A session that is gone brings a new address when it is back.
      if (!this.whole) this.say(error.message);
      if (!this.isClosed) this.later(RETRY_MS);
    } finally {
      this.isBusy = false;
    }
  }

  /** @type {(words: string) => void} */
  say(words) {
    this.host.querySelector(".pairdesk-chart-error").textContent = words;
  }

  async pull() {
    const [Plotly] = await Promise.all([
      loadPlotly(this.told.plotly_url),
      this.pullWhole(this.widthPx()),
    ]);
    this.Plotly = Plotly;
    await this.pullDetail();
    await this.draw();
  }

  // The crosshair stands on nothing of another pair.
  /** @type {ChartData["begin"]} */
  begin(view, offset) {
    const isKept = super.begin(view, offset);
    if (!isKept) this.legend.at = null;
    return isKept;
  }

  /** @type {(key: string) => void} */
  hide(key) {
    if (!this.hidden.delete(key)) this.hidden.add(key);
    this.keep();
    this.draw();
  }

  built() {
    const { figure, css_variables: variables } = this.figure;
    const colors = readersColors(this.host, variables);
    const whole = this.frame();
    this.tables = this.detail ? withDetail(whole, this.detail) : whole.tables;
    const data = filledTraces(themed(figure.data, colors), this.tables, whole.head.bases);
    for (const trace of data) trace.visible = !this.hidden.has(trace.legendgroup ?? trace.uid);
    // The legend is ours and hides nothing of the figure; a picture takes the library's own.
    const { meta, legend, uirevision, ...layout } = themed(figure.layout, colors);
    this.meta = meta;
    this.pictureLayout = { legend };
    this.legend.build(meta.legend);
    this.legend.show(); // what it says may take another line, which the height has to know
    const sizes = (this.detail ?? whole).head;
    for (const axis of Object.values(layout))
      if (axis?.title?.text) axis.title.text = this.sized(axis.title.text, sizes);
    layout.font.family = getComputedStyle(this.host).fontFamily;
    layout.height = this.heightPx();
    layout.autosize = true;
    layout.showlegend = false;
    layout.hovermode = false;
    layout.margin = { ...layout.margin, t: TOP_PX };
    layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : this.bar.dragmode;
    fitNarrow(layout, data, this.host.clientWidth);
    return { data, layout };
  }

  /** @type {(words: string, sizes: Head) => string} */
  sized(words, { bucket_ms: bucket, candle_ms: candle }) {
    return words.replace("{bucket}", spanWords(bucket)).replace("{candle}", spanWords(candle));
  }

  async draw() {
    // A hand on the chart is not disturbed: it gets the newest when it lets go.
    if (!this.whole || !this.Plotly || document.hidden || this.isClosed) return;
    if (this.isDragging) {
      this.isWaiting = true;
      return;
    }
    const { data, layout } = this.built();
    const isFirst = !isDrawn(this.plot);
    this.traces = data;
    this.fixed = new Set(Object.keys(layout).filter((name) => layout[name]?.range));
    const range = this.seen();
    fitAxes(layout, data, this.hiddenUids(), range);
    if (range) layout.xaxis = { ...layout.xaxis, range: [...range], autorange: false };
    Object.assign(layout.xaxis, wallAxis(range, this.clock(), this.host.clientWidth));
    const told = written(data, layout);
    this.plot.style.minHeight = layout.height + "px";
    await this.Plotly.react(this.plot, told.data, told.layout, STREAM_CONFIG);
    if (isFirst) this.followReader();
    this.overview.draw();
    this.showAround();
    this.plot.dataset.draws = String(Number(this.plot.dataset.draws ?? 0) + 1);
    this.hasDrawn();
    this.plot.dataset.version = String(this.head.version);
  }

  hiddenUids() {
    return new Set(this.traces.filter((trace) => !trace.visible).map((trace) => trace.uid));
  }

  // What stands around the panels and tells of them.
  showAround() {
    this.bar.show();
    this.legend.show();
    if (this.meta) this.overview.show();
  }

  dropped() {
    // After the library's own handler, which tells the new range.
    setTimeout(() => {
      this.isDragging = false;
      if (this.isWaiting) {
        this.isWaiting = false;
        this.draw();
      }
    }, 0);
  }

  followReader() {
    this.plot.on("plotly_relayout", (change) => {
      if (this.isOwn || !Object.keys(change).some((name) => name.startsWith("xaxis"))) return;
      this.look(timeRange(this.plot));
    });
    this.plot.on("plotly_doubleclick", () => this.look(null));
  }

  // Place on the plot of a time in sight, px; null where it is out of sight.
  /** @type {(ms: number) => number | null} */
  pxOf(ms) {
    const range = this.seen();
    if (!range || ms < range[0] || ms > range[1]) return null;
    const { l, w } = panelBox(this.plot);
    return l + ((ms - range[0]) / (range[1] - range[0])) * w;
  }

  // Time where the reader points, null beside the panels.
  /** @type {(clientX: number) => number | null} */
  timeAt(clientX) {
    const range = this.whole && isDrawn(this.plot) && this.seen();
    if (!range) return null;
    const { l, w } = panelBox(this.plot);
    const share = (clientX - this.plot.getBoundingClientRect().left - l) / w;
    return share < 0 || share > 1 ? null : range[0] + share * (range[1] - range[0]);
  }

  // The reader looks at another span: null is all of it.
  /** @type {(range: Span | null) => void} */
  look(range) {
    this.lookAt(range);
    this.refit();
    this.keep();
    this.later(SETTLE_MS);
  }

  // While the strip's window is dragged; `look` follows.
  /** @type {(range: Span) => void} */
  slide(range) {
    this.range = range;
    this.showAround();
    this.isSliding ??= this.refit().finally(() => {
      this.isSliding = undefined;
      if (this.range && this.range !== range && this.isDragging) this.slide(this.range);
    });
  }

  /** @type {(follow: boolean) => void} */
  setFollow(follow) {
    this.followNewest(follow);
    this.refit();
    this.keep();
    this.later(0);
  }

  async refit() {
    const range = this.seen();
    /** @type {Record<string, unknown>} */
    const update = range ? { "xaxis.range": range.map(timeWords) } : {};
    const ticks = wallAxis(range, this.clock(), this.host.clientWidth);
    for (const [name, value] of Object.entries(ticks)) update["xaxis." + name] = value;
    const fitted = fitAxes(
      { ...this.plot.layout, ...this.unranged() },
      this.traces,
      this.hiddenUids(),
      range,
    );
    for (const [name, axis] of Object.entries(fitted)) {
      if (name.startsWith("yaxis") && !this.fixed.has(name)) update[name + ".range"] = axis.range;
    }
    this.showAround();
    this.isOwn = true;
    try {
      await this.Plotly?.relayout(this.plot, update);
    } finally {
      this.isOwn = false;
    }
  }

  unranged() {
    return Object.fromEntries(
      Object.entries(this.plot.layout)
        .filter(([name]) => name.startsWith("yaxis") && !this.fixed.has(name))
        .map(([name, axis]) => [name, { ...axis, range: undefined }]),
    );
  }

  /** @type {(event: KeyboardEvent) => void} */
  key(event) {
    const range = this.whole && this.seen();
    if (!range || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && READING_STEPS[event.key]) {
      event.preventDefault();
      this.legend.step(READING_STEPS[event.key]);
      return;
    }
    const [from, to] = range;
    const width = to - from;
    /** @type {Record<string, () => Span | null>} */
    const spans = {
      ArrowLeft: () => [from - width / 10, to - width / 10],
      ArrowRight: () => [from + width / 10, to + width / 10],
      "+": () => (this.follow ? [to - width / 1.5, to] : [from + width / 6, to - width / 6]),
      "-": () => (this.follow ? [to - width * 1.5, to] : [from - width / 4, to + width / 4]),
      Home: () => null,
    };
    if (event.key === "End") this.setFollow(true);
    else if (event.key === "Escape") this.legend.clear();
    else if (spans[event.key]) this.look(spans[event.key]());
    else return;
    event.preventDefault();
  }
}

/** @type {(component: Component<StreamData>) => () => void} */
export default function (component) {
  const { data, parentElement } = component;
  /** @type {OwnPart & { pairdeskStream?: Stream }} */
  const host = parentElement.querySelector(".pairdesk-chart");
  host.pairdeskStream ??= new Stream(host);
  host.pairdeskStream.tell(data);
  return () => {
    host.pairdeskStream?.close();
    host.pairdeskStream = undefined;
  };
}
