// Times as Plotly reads them as written. A number on a date axis it takes for a moment in the zone
// of the browser and moves it by that zone's offset, so it is given words instead; all else here
// counts in ms.

const EDGES = ["x0", "x1", "x"];

function timeWords(ms) {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, -1) : null;
}

function withWords(thing, names) {
  const told = names.filter((name) => typeof thing[name] === "number");
  return { ...thing, ...Object.fromEntries(told.map((name) => [name, timeWords(thing[name])])) };
}

// Words for each array of times; traces that share an array share its words.
function timeWriter() {
  const written = new Map();
  return (times) => {
    if (typeof times?.[0] !== "number") return times;
    if (!written.has(times)) written.set(times, Array.from(times, timeWords));
    return written.get(times);
  };
}

function timeAxes(layout) {
  const names = Object.keys(layout).filter((name) => /^xaxis\d*$/.test(name) && layout[name].type === "date");
  return new Set(names.map((name) => name.replace("axis", "")));
}

// The limits of its own choice of a range are left: those the library does take as they are.
function writtenAxis(axis) {
  if (!axis.range) return axis;
  return { ...axis, range: axis.range.map((edge) => (typeof edge === "number" ? timeWords(edge) : edge)) };
}

// The figure with words for every time; the one given stays as it is.
function written(data, layout) {
  const axes = timeAxes(layout);
  const write = timeWriter();
  const told = { ...layout };
  for (const axis of axes) {
    const name = axis.replace("x", "xaxis");
    told[name] = writtenAxis(layout[name]);
  }
  for (const kind of ["shapes", "annotations"]) {
    told[kind] = layout[kind]?.map((each) => (axes.has(each.xref ?? "x") ? withWords(each, EDGES) : each));
    if (!told[kind]) delete told[kind];
  }
  const traces = data.map((trace) => {
    if (!axes.has(trace.xaxis ?? "x")) return trace;
    const moved = { ...trace, x: write(trace.x) };
    if (trace.base !== undefined) moved.base = write(trace.base);
    return moved;
  });
  return { data: traces, layout: told };
}
