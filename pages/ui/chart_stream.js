// The live figure: fetches what it lacks, draws in place, and keeps the reader's span of time.
//
// `range` is the span in sight, ms, or null for all of it. With `follow` on, a span keeps its
// width and moves with the newest bar; panning away turns it off.

const STREAM_CONFIG = { displayModeBar: false, responsive: true, doubleClick: false };
const MARGIN_SHARE = 0.25;
const WIDTH_STEP_PX = 100;
const AT_END_SHARE = 0.02;
const RETRY_MS = 2000;
const SETTLE_MS = 120;
const KEEP = "pairdesk-chart:";
// What stands above the figure on a wide screen, and the least that its panels can be read in.
const ABOVE_PX = 353;
const LEAST_PX = 540;

class Stream {
  constructor(host) {
    this.host = host;
    this.plot = host.querySelector(".pairdesk-plot");
    this.range = null;
    this.follow = true;
    this.isBusy = false;
    this.listeners = [];
    this.listen(document, "visibilitychange", () => this.refresh());
    this.listen(window, "online", () => this.refresh());
    this.listen(window, "pointerup", () => this.dropped());
    this.listen(window, "pointercancel", () => this.dropped());
    this.listen(this.plot, "pointerdown", () => { this.isDragging = true; });
    this.listen(this.plot, "keydown", (event) => this.key(event));
    this.listen(matchMedia("(prefers-color-scheme: dark)"), "change", () => {
      setTimeout(() => this.draw(), 300);
    });
    this.listen(window, "resize", () => {
      if (this.told && this.heightPx() !== this.plot.layout?.height) this.draw();
    });
    this.resized = new ResizeObserver(() => {
      if (this.whole && this.widthPx() !== this.drawnPx) this.refresh();
    });
    this.resized.observe(host);
    this.bar = new Toolbar(this);
  }

  listen(target, name, handler) {
    target.addEventListener(name, handler);
    this.listeners.push(() => target.removeEventListener(name, handler));
  }

  close() {
    this.isClosed = true;
    this.listeners.forEach((stop) => stop());
    this.resized.disconnect();
    clearTimeout(this.timer);
    window.Plotly?.purge(this.plot);
  }

  // What the page says: where to fetch, and that there is something new.
  tell(data) {
    if (this.told?.url !== data.url) this.whole = this.detail = undefined;
    this.told = data;
    this.host.style.minHeight = this.heightPx() + "px";
    this.plot.setAttribute("aria-label", data.label + ". " + this.bar.keysWords);
    this.refresh();
  }

  widthPx() {
    return Math.max(1, Math.round(this.plot.clientWidth / WIDTH_STEP_PX)) * WIDTH_STEP_PX;
  }

  // All panels on the first screen; a narrow one is scrolled anyway, and shows them tall.
  heightPx() {
    const { height } = this.told;
    if (this.host.clientWidth < NARROW_PX) return height;
    return Math.min(height, Math.max(LEAST_PX, window.innerHeight - ABOVE_PX));
  }

  later(delayMs) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), delayMs);
  }

  // One at a time: what comes meanwhile is one more round, however many refreshes it was.
  async refresh() {
    if (this.isBusy) { this.isAgain = true; return; }
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

  say(words) {
    this.host.querySelector(".pairdesk-chart-error").textContent = words;
  }

  async pull() {
    const [Plotly] = await Promise.all([loadPlotly(this.told.plotly_url), this.pullWhole()]);
    this.Plotly = Plotly;
    await this.pullDetail();
    await this.draw();
  }

  async pullWhole() {
    const px = this.widthPx();
    if (this.whole?.head.version >= this.told.version && this.drawnPx === px) return;
    const before = this.whole?.head.span;
    this.whole = await this.fetched({ width: px }, this.whole);
    this.drawnPx = px;
    if (this.whole.head.figure) this.figure = this.whole.head;
    const { span } = this.whole.head;
    this.restore(this.figure.figure.layout.uirevision);
    if (this.follow && this.range && before && span.length) {
      const moved = span[1] - before[1];
      this.range = this.range.map((edge) => edge + moved);
    }
  }

  // A zoomed span at the full width of the screen, with some room to pan; none where the whole
  // has every bar already.
  async pullDetail() {
    if (!this.range || this.whole.head.bucket_ms <= this.whole.head.bar_ms) {
      this.detail = undefined;
      return;
    }
    const room = (this.range[1] - this.range[0]) * MARGIN_SHARE;
    const [from, to] = [this.range[0] - room, this.range[1] + room];
    const width = Math.round(this.drawnPx * (1 + 2 * MARGIN_SHARE));
    const { version } = this.whole.head;
    const at = [from, to, width, version].join();
    if (this.detail?.at === at) return;
    this.detail = await this.fetched({ from, to, width }, this.detail);
    this.detail.at = at;
  }

  async fetched(wish, had) {
    const told = this.figure && this.whole ? { told: this.figure.told } : {};
    const query = new URLSearchParams({ ...wish, ...told, ...(had ? { had: had.number } : {}) });
    const answer = await fetch(new URL(`${this.told.url}?${query}`, document.baseURI));
    if (answer.status !== 200) throw new Error("The chart's data could not be loaded.");
    const frame = unpacked(await answer.arrayBuffer(), had);
    // Another base than ours: once more, from nothing.
    return frame ?? this.fetched(wish, undefined);
  }

  // The span, the switch and hidden traces of this view, also after a reload of the page.
  restore(view) {
    if (this.view === view) return;
    const isFirst = this.view === undefined;
    this.view = view;
    this.hidden = undefined;
    [this.range, this.follow] = [null, true];
    if (!isFirst) return;
    const kept = JSON.parse(sessionStorage.getItem(KEEP + this.told.key) ?? "null");
    if (kept?.view !== view) return;
    [this.range, this.follow, this.hidden] = [kept.range, kept.follow, kept.hidden];
    if (this.range && this.follow) this.slideToEnd();
    else if (this.range && this.range[0] > this.whole.head.span[1]) this.range = null;
  }

  keep() {
    const { view, range, follow } = this;
    const hidden = [...hiddenTraces(this.plot)];
    sessionStorage.setItem(KEEP + this.told.key, JSON.stringify({ view, range, follow, hidden }));
  }

  slideToEnd() {
    const moved = this.whole.head.span[1] - this.range[1];
    this.range = this.range.map((edge) => edge + moved);
  }

  seen() {
    const { span } = this.whole.head;
    return this.range ?? (span.length && span[1] > span[0] ? span : null);
  }

  built() {
    const { figure, css_variables: variables } = this.figure;
    const colors = readersColors(this.host, variables);
    const tables = this.detail ? withDetail(this.whole, this.detail) : this.whole.tables;
    const data = filledTraces(themed(figure.data, colors), tables, this.whole.head.bases);
    const layout = themed(figure.layout, colors);
    const bucket = spanWords((this.detail ?? this.whole).head.bucket_ms);
    for (const axis of Object.values(layout)) {
      if (axis?.title?.text) axis.title.text = axis.title.text.replace("{bucket}", bucket);
    }
    layout.font.family = getComputedStyle(this.host).fontFamily;
    layout.height = this.heightPx();
    layout.autosize = true;
    layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : this.bar.dragmode;
    fitNarrow(layout, data, this.host.clientWidth);
    return { data, layout };
  }

  async draw() {
    // A hand on the chart is not disturbed: it gets the newest when it lets go.
    if (!this.whole || !this.Plotly || document.hidden || this.isClosed) return;
    if (this.isDragging) { this.isWaiting = true; return; }
    const { data, layout } = this.built();
    const isFirst = !this.plot._fullLayout;
    if (isFirst && this.hidden) {
      for (const trace of data) if (this.hidden.includes(trace.uid)) trace.visible = "legendonly";
    }
    const hidden = isFirst ? new Set(this.hidden) : hiddenTraces(this.plot);
    this.traces = data;
    this.fixed = new Set(Object.keys(layout).filter((name) => layout[name]?.range));
    const range = this.seen();
    fitAxes(layout, data, hidden, range);
    if (range) layout.xaxis = { ...layout.xaxis, range: [...range], autorange: false };
    Object.assign(layout.xaxis, wallAxis(range, this.clock(), this.host.clientWidth));
    const told = written(data, layout);
    await this.Plotly.react(this.plot, told.data, told.layout, STREAM_CONFIG);
    if (isFirst) this.followReader();
    this.bar.show();
    this.plot.dataset.draws = String(Number(this.plot.dataset.draws ?? 0) + 1);
    this.plot.dataset.version = String(this.whole.head.version);
  }

  dropped() {
    // After the library's own handler, which tells the new range.
    setTimeout(() => {
      this.isDragging = false;
      if (this.isWaiting) { this.isWaiting = false; this.draw(); }
    }, 0);
  }

  followReader() {
    this.plot.on("plotly_relayout", (change) => {
      if (this.isOwn || !Object.keys(change).some((name) => name.startsWith("xaxis"))) return;
      const axis = this.plot._fullLayout.xaxis;
      this.look(axis.range.map((edge) => axis.r2l(edge)));
    });
    this.plot.on("plotly_afterplot", () => this.writeTimes());
    this.writeTimes();
    this.plot.on("plotly_doubleclick", () => this.look(null));
    this.plot.on("plotly_restyle", () => { this.refit(); this.keep(); });
  }

  clock() {
    return this.whole.head.clock;
  }

  writeTimes() {
    const axis = this.plot._fullLayout.xaxis;
    if (!this.clock().length || axis.pairdeskClock) return;
    axis.pairdeskClock = this.clock();
    writeByTheWall(axis, axis.pairdeskClock);
  }

  // The reader looks at another span: null is all of it. What reaches the end goes on following.
  look(range) {
    const [first, last] = this.whole.head.span;
    const width = range ? range[1] - range[0] : last - first;
    const isAll = !range || (range[0] <= first && range[1] >= last);
    this.range = isAll ? null : range;
    this.follow = isAll || (this.follow && range[1] >= last - width * AT_END_SHARE);
    this.refit();
    this.keep();
    this.bar.show();
    this.later(SETTLE_MS);
  }

  // The last so many ms.
  lookBack(spanMs) {
    const last = this.whole.head.span[1];
    this.follow = true;
    this.look([last - spanMs, last]);
  }

  setFollow(follow) {
    const [first, last] = this.whole.head.span;
    if (follow && this.range) this.slideToEnd();
    if (!follow && !this.range) this.range = [first, last];
    this.follow = follow;
    this.refit();
    this.keep();
    this.bar.show();
    this.later(0);
  }

  async refit() {
    const range = this.seen();
    const update = range ? { "xaxis.range": range.map(timeWords) } : {};
    const ticks = wallAxis(range, this.clock(), this.host.clientWidth);
    for (const [name, value] of Object.entries(ticks)) update["xaxis." + name] = value;
    const fitted = fitAxes({ ...this.plot.layout, ...this.unranged() }, this.traces, hiddenTraces(this.plot), range);
    for (const [name, axis] of Object.entries(fitted)) {
      if (name.startsWith("yaxis") && !this.fixed.has(name)) update[name + ".range"] = axis.range;
    }
    this.isOwn = true;
    try {
      await this.Plotly.relayout(this.plot, update);
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

  key(event) {
    const range = this.whole && this.seen();
    if (!range || event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, to] = range;
    const width = to - from;
    const spans = {
      ArrowLeft: () => [from - width / 10, to - width / 10],
      ArrowRight: () => [from + width / 10, to + width / 10],
      "+": () => (this.follow ? [to - width / 1.5, to] : [from + width / 6, to - width / 6]),
      "-": () => (this.follow ? [to - width * 1.5, to] : [from - width / 4, to + width / 4]),
      Home: () => null,
    };
    if (event.key === "End") this.setFollow(true);
    else if (spans[event.key]) this.look(spans[event.key]());
    else return;
    event.preventDefault();
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".pairdesk-chart");
  host.pairdeskStream ??= new Stream(host);
  host.pairdeskStream.tell(data);
  return () => { host.pairdeskStream?.close(); host.pairdeskStream = undefined; };
}
