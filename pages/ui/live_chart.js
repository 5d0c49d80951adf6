// A Plotly figure that stays where the reader put it: zoom, hidden traces and hover survive
// each new figure, because Plotly.react updates the plot in place.

const CONFIG = {
  displaylogo: false,
  responsive: true,
  // Named one by one: some of the library's own buttons talk to a server.
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
};
const NARROW_PX = 600;
const NARROW_TOP_PX = 84;
const FIT_PADDING = 0.06;

function loadPlotly(url) {
  if (!window.pairdeskPlotly) {
    window.pairdeskPlotly = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(url, document.baseURI).href;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => {
        window.pairdeskPlotly = undefined;
        reject(new Error("The chart library could not be loaded from " + script.src));
      };
      document.head.appendChild(script);
    });
  }
  return window.pairdeskPlotly;
}

// Swaps each colour of the figure for the reader's theme.
function themed(value, colors) {
  if (typeof value === "string") return colors.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => themed(item, colors));
  if (value === null || typeof value !== "object" || "bdata" in value) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, colors)]));
}

function decoded(values) {
  if (!values || values.bdata === undefined) return values;
  const bytes = Uint8Array.from(atob(values.bdata), (char) => char.charCodeAt(0));
  return values.dtype === "f4" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}

function decodeArrays(trace) {
  for (const name of ["x", "y", "customdata"]) {
    if (trace[name] !== undefined) trace[name] = decoded(trace[name]);
  }
  return trace;
}

// The range of each value axis over the visible traces inside the visible time.
function fittedRanges(traces, hidden, timeRange) {
  const [from, to] = timeRange ?? [-Infinity, Infinity];
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
    if (low > high) { delete ranges[axis]; continue; }
    const room = (high - low || Math.abs(high) || 1) * FIT_PADDING;
    ranges[axis] = [low - room, high + room];
  }
  return ranges;
}

function hiddenTraces(plot) {
  return new Set((plot._fullData ?? []).filter((t) => t.visible !== true).map((t) => t.uid));
}

// Null while the whole span is in sight.
function zoomedTime(plot) {
  const axis = plot._fullLayout?.xaxis;
  if (!axis || axis.autorange) return null;
  return axis.range.map((edge) => axis.r2l(edge));
}

function styledFigure(raw, host) {
  const css = getComputedStyle(host);
  const colors = new Map(
    Object.entries(raw.css_variables).map(([color, name]) => [color, css.getPropertyValue(name).trim() || color]),
  );
  const data = raw.figure.data.map((trace) => decodeArrays(themed(trace, colors)));
  const layout = themed(raw.figure.layout, colors);
  layout.font.family = css.fontFamily;
  layout.height = raw.height;
  layout.autosize = true;
  if (host.clientWidth < NARROW_PX) {
    // A legend wraps here: room for it, beside that of the panels.
    const top = layout.legend ? NARROW_TOP_PX : layout.margin.t;
    layout.height += top - layout.margin.t;
    layout.margin = { ...layout.margin, l: 58, r: 6, t: top };
    layout.font.size = 11;
    if (layout.xaxis.type === "date") layout.xaxis.nticks = 4;
    for (const trace of data) if (trace.marker) trace.marker.size = 5;
  }
  return { data, layout };
}

async function draw(host, plot, raw) {
  plot.pairdeskNewest = raw;
  const Plotly = await loadPlotly(raw.plotly_url);
  // A newer figure may have come while the library was on its way.
  if (plot.pairdeskNewest !== raw) return;
  const { data, layout } = styledFigure(raw, host);
  plot.pairdeskTraces = data;
  const keepsZoom = plot._fullLayout?.uirevision === layout.uirevision;
  // An axis that comes with a range of its own keeps it.
  plot.pairdeskFixed = new Set(Object.keys(layout).filter((name) => layout[name]?.range));
  const ranges = fittedRanges(data, hiddenTraces(plot), keepsZoom ? zoomedTime(plot) : null);
  for (const [axis, range] of Object.entries(ranges)) {
    if (!plot.pairdeskFixed.has(axis)) layout[axis].range = range;
  }
  const isFirst = !plot._fullLayout;
  await Plotly.react(plot, data, layout, CONFIG);
  if (isFirst) followReader(Plotly, plot);
  plot.dataset.draws = String(Number(plot.dataset.draws ?? 0) + 1);
}

// Refits the value axes after the reader zoomed in time or hid a trace.
function followReader(Plotly, plot) {
  const refit = () => {
    const ranges = fittedRanges(plot.pairdeskTraces, hiddenTraces(plot), zoomedTime(plot));
    const update = Object.fromEntries(
      Object.entries(ranges)
        .filter(([axis]) => !plot.pairdeskFixed.has(axis))
        .map(([axis, range]) => [axis + ".range", range]),
    );
    if (Object.keys(update).length) Plotly.relayout(plot, update);
  };
  plot.on("plotly_relayout", (change) => {
    if (Object.keys(change).some((name) => name.startsWith("xaxis"))) refit();
  });
  plot.on("plotly_restyle", refit);
}

export default function (component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".pairdesk-chart");
  const plot = host.querySelector(".pairdesk-plot");
  const raw = JSON.parse(new TextDecoder().decode(data));
  host.style.minHeight = raw.height + "px";
  host.setAttribute("aria-label", raw.label);
  draw(host, plot, raw).catch((error) => {
    host.querySelector(".pairdesk-chart-error").textContent = error.message;
  });
  return () => window.Plotly?.purge(plot);
}
