// What plotly.js does not promise: every name of its inside that our scripts use stands here, and
// `tests/pages/scripts` says which of them a newer library has moved.

// Whether a figure has been drawn in this place.
/** @type {(plot: Plot) => boolean} */
export function isDrawn(plot) {
  return Boolean(plot._fullLayout);
}

/** @type {(plot: Plot) => DrawnLayout} */
function drawn(plot) {
  return /** @type {DrawnLayout} */ (plot._fullLayout);
}

// The `uirevision` of the figure that is drawn; undefined before the first.
/** @type {(plot: Plot) => string | undefined} */
export function shownView(plot) {
  return plot._fullLayout?.uirevision;
}

// Where the panels lie in the plot, px: room on the left, right, top and below, width and height.
/** @type {(plot: Plot) => Box} */
export function panelBox(plot) {
  const { l, r, t, b, w, h } = drawn(plot)._size;
  return { l, r, t, b, w, h };
}

// The span of the time axis, ms.
/** @type {(plot: Plot) => Span} */
export function timeRange(plot) {
  const { xaxis: axis } = drawn(plot);
  return [axis.r2l(axis.range[0]), axis.r2l(axis.range[1])];
}

// The same, null while all of it is in sight.
/** @type {(plot: Plot) => Span | null} */
export function zoomedTime(plot) {
  return isDrawn(plot) && !drawn(plot).xaxis.autorange ? timeRange(plot) : null;
}

// The `uid` of each trace that is not seen, also of one that its legend alone shows.
/** @type {(plot: Plot) => Set<string>} */
export function hiddenTraces(plot) {
  const hidden = (plot._fullData ?? []).filter((trace) => trace.visible !== true);
  return new Set(hidden.map((trace) => trace.uid));
}
