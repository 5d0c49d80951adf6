// A Plotly figure that stays where the reader put it: zoom, hidden traces and hover survive
// each new figure, because Plotly.react updates the plot in place.

import {
  fitAxes,
  fitNarrow,
  fittedRanges,
  loadPlotly,
  readersColors,
  themed,
} from "./chart_base.js";
import { written } from "./chart_time.js";
import { hiddenTraces, isDrawn, shownView, zoomedTime } from "./plotly_private.js";

const CONFIG = {
  displaylogo: false,
  responsive: true,
  // Named one by one: some of the library's own buttons talk to a server.
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
};

/** @type {(values: any) => any} */
function decoded(values) {
  if (!values || values.bdata === undefined) return values;
  const bytes = Uint8Array.from(atob(values.bdata), (char) => char.charCodeAt(0));
  /** @type {Record<string, new (buffer: ArrayBuffer) => ArrayLike<number>>} */
  const kinds = {
    f4: Float32Array,
    f8: Float64Array,
    i4: Int32Array,
    i2: Int16Array,
    i1: Int8Array,
  };
  return kinds[values.dtype] ? new kinds[values.dtype](bytes.buffer) : values;
}

/** @type {(trace: any) => Trace} */
function decodeArrays(trace) {
  for (const name of ["x", "y", "customdata"]) {
    if (trace[name] !== undefined) trace[name] = decoded(trace[name]);
  }
  return trace;
}

/** @type {(raw: Figure, host: HTMLElement) => { data: Trace[], layout: Layout }} */
function styledFigure(raw, host) {
  const colors = readersColors(host, raw.css_variables);
  const data = raw.figure.data.map((trace) => decodeArrays(themed(trace, colors)));
  const layout = themed(raw.figure.layout, colors);
  layout.font.family = getComputedStyle(host).fontFamily;
  layout.height = raw.height;
  layout.autosize = true;
  fitNarrow(layout, data, host.clientWidth);
  return { data, layout };
}

/** @type {(host: HTMLElement, plot: FigurePlot, raw: Figure) => Promise<void>} */
async function draw(host, plot, raw) {
  plot.pairdeskNewest = raw;
  const Plotly = await loadPlotly(raw.plotly_url);
  // A newer figure may have come while the library was on its way; nobody sees a hidden tab.
  if (plot.pairdeskNewest !== raw || document.hidden) return;
  const { data, layout } = styledFigure(raw, host);
  plot.pairdeskTraces = data;
  const keepsZoom = shownView(plot) === layout.uirevision;
  plot.pairdeskFixed = new Set(Object.keys(layout).filter((name) => layout[name]?.range));
  fitAxes(layout, data, hiddenTraces(plot), keepsZoom ? zoomedTime(plot) : null);
  const isFirst = !isDrawn(plot);
  const told = written(data, layout);
  await Plotly.react(plot, told.data, told.layout, CONFIG);
  if (isFirst) followReader(Plotly, plot);
  plot.dataset.draws = String(Number(plot.dataset.draws ?? 0) + 1);
}

// Refits the value axes after the reader zoomed in time or hid a trace.
/** @type {(Plotly: PlotlyLibrary, plot: FigurePlot) => void} */
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

/** @type {(component: Component<BufferSource>) => () => void} */
export default function (component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".pairdesk-chart");
  /** @type {FigurePlot} */
  const plot = host.querySelector(".pairdesk-plot");
  const raw = JSON.parse(new TextDecoder().decode(data));
  host.style.minHeight = raw.height + "px";
  host.setAttribute("aria-label", raw.label);
  const show = () =>
    draw(host, plot, plot.pairdeskNewest ?? raw).catch((error) => {
      host.querySelector(".pairdesk-chart-error").textContent = error.message;
    });
  plot.pairdeskNewest = raw;
  show();
  plot.pairdeskStop?.();
  document.addEventListener("visibilitychange", show);
  plot.pairdeskStop = () => document.removeEventListener("visibilitychange", show);
  return () => {
    plot.pairdeskStop?.();
    window.Plotly?.purge(plot);
  };
}
