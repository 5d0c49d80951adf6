// Times as Plotly reads them as written. A number on a date axis it takes for a moment in the zone
// of the browser and moves it by that zone's offset, so it is given words instead; all else here
// counts in ms.

const EDGES = ["x0", "x1", "x"];

/** @type {(ms: number) => string} */
export function isoWords(ms) {
  return new Date(ms).toISOString().slice(0, -1);
}

/** @type {(ms: number) => string | null} */
export function timeWords(ms) {
  return Number.isFinite(ms) ? isoWords(ms) : null;
}

/** @type {(thing: Record<string, any>, names: string[]) => object} */
function withWords(thing, names) {
  const told = names.filter((name) => typeof thing[name] === "number");
  return { ...thing, ...Object.fromEntries(told.map((name) => [name, timeWords(thing[name])])) };
}

// Words for each array of times; traces that share an array share its words.
/** @type {() => (times: Values) => Values} */
function timeWriter() {
  /** @type {Map<Values, Values>} */
  const written = new Map();
  return (times) => {
    if (typeof times?.[0] !== "number") return times;
    const words = written.get(times) ?? Array.from(times, timeWords);
    written.set(times, words);
    return words;
  };
}

/** @type {(layout: Layout) => Set<string>} */
function timeAxes(layout) {
  const names = Object.keys(layout).filter(
    (name) => /^xaxis\d*$/.test(name) && layout[name].type === "date",
  );
  return new Set(names.map((name) => name.replace("axis", "")));
}

// The limits of its own choice of a range are left: those the library does take as they are.
/** @type {(axis: Axis) => Axis} */
function writtenAxis(axis) {
  if (!axis.range) return axis;
  return {
    ...axis,
    range: axis.range.map((edge) => (typeof edge === "number" ? timeWords(edge) : edge)),
  };
}

// The figure with words for every time; the one given stays as it is.
/** @type {(data: Trace[], layout: Layout) => { data: Trace[], layout: Layout }} */
export function written(data, layout) {
  const axes = timeAxes(layout);
  const write = timeWriter();
  const told = { ...layout };
  for (const axis of axes) {
    const name = axis.replace("x", "xaxis");
    told[name] = writtenAxis(layout[name]);
  }
  for (const kind of ["shapes", "annotations"]) {
    told[kind] = layout[kind]?.map((/** @type {{ xref?: string }} */ each) =>
      axes.has(each.xref ?? "x") ? withWords(each, EDGES) : each,
    );
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

// The axis counts evenly, on the clock that the reader's wall has at the end of the span. Where that
// is put forward or back inside the span, `clock` says [until, shift]: before `until` the wall reads
// `shift` ms more than the axis counts. Ticks and the times in words are then written by the wall.

const TICK_PX = 150;
const [SECOND, MINUTE, HOUR] = [1000, 60000, 3600000];
const TICK_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((count) => count * HOUR),
];

/** @type {(ms: number, clock: Clock) => number} */
export function wallShift(ms, clock) {
  return clock.find(([until]) => ms < until)?.[1] ?? 0;
}

// Round times of the wall between two ends, at most about so many.
/** @type {(range: Span, clock: Clock, most: number) => WallTicks} */
export function wallTicks([from, to], clock, most) {
  const step =
    TICK_STEPS.find((each) => (to - from) / each <= most) ?? TICK_STEPS[TICK_STEPS.length - 1];
  const changes = clock.map(([until]) => until).filter((until) => until > from && until < to);
  const edges = [from, ...changes, to + 1];
  const ticks = [];
  for (let piece = 0; piece + 1 < edges.length; piece += 1) {
    const shift = wallShift(edges[piece], clock);
    let at = Math.ceil((edges[piece] + shift) / step) * step - shift;
    for (; at < edges[piece + 1]; at += step) ticks.push({ at, wall: at + shift });
  }
  return { ticks, step };
}

/** @type {(made: WallTicks) => string[]} */
export function tickWords({ ticks, step }) {
  const day = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeZone: "UTC" });
  /** @type {string | undefined} */
  let before;
  return ticks.map(({ wall }) => {
    const words = isoWords(wall).slice(11, step < MINUTE ? 19 : 16);
    const today = day.format(wall);
    const told = today === before ? words : `${words}<br>${today}`;
    before = today;
    return told;
  });
}

// What to set on a time axis that shows this range; nothing where the clock stays.
/** @type {(range: Span | null, clock: Clock, widthPx: number) => object} */
export function wallAxis(range, clock, widthPx) {
  if (!range || !clock.length) return {};
  const made = wallTicks(range, clock, Math.max(3, Math.floor(widthPx / TICK_PX)));
  const tickvals = made.ticks.map(({ at }) => timeWords(at));
  return { tickmode: "array", tickvals, ticktext: tickWords(made) };
}
