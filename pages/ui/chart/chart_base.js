// What all charts share: the library, the reader's colours, and value axes that fit what is seen.

export const NARROW_PX = 600;
const NARROW_TOP_PX = 84;
const FIT_PADDING = 0.06;

// One for all charts of a page, however often it is asked for; after a failure it is fetched again.
/** @type {Promise<PlotlyLibrary> | undefined} */
let library;

/** @type {(url: string) => Promise<PlotlyLibrary>} */
export function loadPlotly(url) {
  if (!library) {
    library = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(url, document.baseURI).href;
      script.onload = () => resolve(/** @type {PlotlyLibrary} */ (window.Plotly));
      script.onerror = () => {
        library = undefined;
        reject(new Error("The chart library could not be loaded from " + script.src));
      };
      document.head.appendChild(script);
    });
  }
  return library;
}

// Each colour of a figure -> the one of the reader's theme.
/** @type {(host: HTMLElement, variables: Record<string, string>) => Map<string, string>} */
export function readersColors(host, variables) {
  const css = getComputedStyle(host);
  return new Map(
    Object.entries(variables).map(([color, name]) => [
      color,
      css.getPropertyValue(name).trim() || color,
    ]),
  );
}

/** @type {(value: any, colors: Map<string, string>) => any} */
export function themed(value, colors) {
  if (typeof value === "string") return colors.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => themed(item, colors));
  if (value === null || typeof value !== "object" || "bdata" in value) return value;
  if (ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, colors)]));
}

// The range of each value axis over the visible traces inside the visible time.
/** @type {(traces: Trace[], hidden: Set<string>, timeRange: Span | null) => Record<string, Span>} */
export function fittedRanges(traces, hidden, timeRange) {
  const [from, to] = timeRange ?? [-Infinity, Infinity];
  /** @type {Record<string, Span>} */
  const ranges = {};
  for (const trace of traces) {
    if (hidden.has(trace.uid)) continue;
    const axis = "yaxis" + (trace.yaxis ?? "y").slice(1);
    const range = (ranges[axis] ??= [Infinity, -Infinity]);
    const isLevel = trace.x.length <= 2 && trace.mode === "lines";
    for (let i = 0; i < trace.x.length; i += 1) {
      const value = trace.y[i];
      if (Number.isNaN(value) || (!isLevel && (trace.x[i] < from || trace.x[i] > to))) continue;
      if (value < range[0]) range[0] = value;
      if (value > range[1]) range[1] = value;
    }
  }
  for (const [axis, [low, high]] of Object.entries(ranges)) {
    if (low > high) {
      delete ranges[axis];
      continue;
    }
    const room = (high - low || Math.abs(high) || 1) * FIT_PADDING;
    ranges[axis] = [low - room, high + room];
  }
  return ranges;
}

// An axis that came with a range of its own keeps it; one that begins at nothing begins there.
/** @type {(layout: Layout, traces: Trace[], hidden: Set<string>, timeRange: Span | null) => Layout} */
export function fitAxes(layout, traces, hidden, timeRange) {
  for (const [axis, range] of Object.entries(fittedRanges(traces, hidden, timeRange))) {
    if (!layout[axis] || layout[axis].range) continue;
    layout[axis] = {
      ...layout[axis],
      range: layout[axis].rangemode === "tozero" ? [0, range[1]] : range,
    };
  }
  return layout;
}

// Room for a legend that wraps, and smaller words.
/** @type {(layout: Layout, traces: Trace[], width: number) => void} */
export function fitNarrow(layout, traces, width) {
  if (width >= NARROW_PX) return;
  const top = layout.legend ? NARROW_TOP_PX : layout.margin.t;
  layout.height += top - layout.margin.t;
  layout.margin = { ...layout.margin, l: 58, r: layout.yaxis2 || layout.yaxis8 ? 58 : 6, t: top };
  layout.font = { ...layout.font, size: 11 };
  for (const [name, axis] of Object.entries(layout)) {
    if (!name.startsWith("yaxis") || !axis.title?.text) continue;
    layout[name] = {
      ...axis,
      title: { ...axis.title, text: axis.title.text.replace("<br>", " "), standoff: 4 },
    };
  }
  if (layout.xaxis.type === "date") layout.xaxis = { ...layout.xaxis, nticks: 4 };
  for (const trace of traces) if (trace.marker) trace.marker = { ...trace.marker, size: 5 };
}
