// What plotly.js does not promise: every name of its inside that our scripts use stands here, and
// `tests/pages/scripts` says which of them a newer library has moved.

// Whether a figure has been drawn in this place.
export function isDrawn(plot) {
  return Boolean(plot._fullLayout);
}

// The `uirevision` of the figure that is drawn; undefined before the first.
export function shownView(plot) {
  return plot._fullLayout?.uirevision;
}

// Where the panels lie in the plot, px: room on the left, right, top and below, width and height.
export function panelBox(plot) {
  const { l, r, t, b, w, h } = plot._fullLayout._size;
  return { l, r, t, b, w, h };
}

// The span of the time axis, ms.
export function timeRange(plot) {
  const axis = plot._fullLayout.xaxis;
  return axis.range.map((edge) => axis.r2l(edge));
}

// The same, null while all of it is in sight.
export function zoomedTime(plot) {
  return isDrawn(plot) && !plot._fullLayout.xaxis.autorange ? timeRange(plot) : null;
}

// The `uid` of each trace that is not seen, also of one that its legend alone shows.
export function hiddenTraces(plot) {
  const hidden = (plot._fullData ?? []).filter((trace) => trace.visible !== true);
  return new Set(hidden.map((trace) => trace.uid));
}
