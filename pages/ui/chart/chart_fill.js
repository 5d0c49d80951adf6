// Traces that say what they draw, filled from tables (as `pages/charts/fill.py` does).

// Share of a candle's time that is left free on either side of its body.
const CANDLE_ROOM = 0.15;

/** @type {(column: Float64Array, value: number) => number[]} */
function rowsWhere(column, value) {
  const rows = [];
  for (let i = 0; i < column.length; i += 1) if (column[i] === value) rows.push(i);
  return rows;
}

// One closed outline for each stretch where both edges are known.
/** @type {(times: Float64Array, mean: Float64Array, std: Float64Array, reach: number) => Filling} */
function bandOutline(times, mean, std, reach) {
  const x = [];
  const y = [];
  let start = -1;
  for (let i = 0; i <= times.length; i += 1) {
    const known = i < times.length && !Number.isNaN(mean[i]) && !Number.isNaN(std[i]);
    if (known && start < 0) start = i;
    if (known || start < 0) continue;
    for (let k = start; k < i; k += 1) {
      x.push(times[k]);
      y.push(mean[k] + reach * std[k]);
    }
    for (let k = i - 1; k >= start; k -= 1) {
      x.push(times[k]);
      y.push(mean[k] - reach * std[k]);
    }
    x.push(NaN);
    y.push(NaN);
    start = -1;
  }
  return { x, y };
}

// One closed outline for each chosen candle, its wicks on the way.
/** @type {(table: Table, chooses: (open: number, close: number) => boolean) => Filling} */
function candleOutline({ time, end, open, high, low, close }, chooses) {
  const x = [];
  const y = [];
  for (let i = 0; i < time.length; i += 1) {
    if (Number.isNaN(close[i]) || !chooses(open[i], close[i])) continue;
    const room = CANDLE_ROOM * (end[i] - time[i]);
    const [left, right, middle] = [time[i] + room, end[i] - room, (time[i] + end[i]) / 2];
    const [top, foot] = [Math.max(open[i], close[i]), Math.min(open[i], close[i])];
    x.push(middle, middle, right, right, middle, middle, middle, left, left, middle, NaN);
    y.push(high[i], top, top, foot, foot, low[i], foot, foot, top, top, NaN);
  }
  return { x, y };
}

/** @type {Record<string, (draws: Draws, table: Table, bases: Record<string, number>) => Filling>} */
const FILLS = {
  line(draws, table) {
    const { words } = draws;
    const data = { x: table.time, y: table[draws.column] };
    if (!words) return data;
    return { ...data, text: Array.from(table.held, (held) => words[held] ?? "") };
  },
  rebased(draws, table, bases) {
    const prices = table[draws.column];
    const scale = 100 / bases[draws.column];
    return { x: table.time, y: prices.map((price) => price * scale), customdata: prices };
  },
  band(draws, table) {
    return bandOutline(table.time, table.mean, table.std, draws.times);
  },
  level(draws, table) {
    const { time } = table;
    const x = time.length ? [time[0], time[time.length - 1]] : [];
    return { x, y: x.map(() => draws.at) };
  },
  marks(draws, table) {
    const rows = rowsWhere(table.held, draws.is);
    return { x: rows.map((i) => table.time[i]), y: rows.map((i) => table[draws.column][i]) };
  },
  stretches(draws, table) {
    const rows = rowsWhere(table.held, draws.is);
    return {
      x: rows.flatMap((i) => [table.time[i], table.time[i], table.end[i], table.end[i], NaN]),
      y: rows.flatMap(() => [0, 1, 1, 0, NaN]),
    };
  },
  candles(draws, table) {
    return candleOutline(table, (open, close) => close >= open === draws.rises);
  },
  stack(draws, table) {
    const columns = draws.columns.map((name) => table[name]);
    const y = columns[0].map((_, i) => columns.reduce((sum, column) => sum + column[i], 0));
    return { x: table.time, y, customdata: columns[columns.length - 1] };
  },
};

// A colour of six hex digits with an opacity; another form stays as it is.
/** @type {(color: string | undefined, opacity: number) => string | undefined} */
function faded(color, opacity) {
  if (!color || !/^#[0-9a-f]{6}$/i.test(color)) return color;
  const parts = [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
  return `rgba(${parts.join()},${opacity})`;
}

/** @type {(traces: DrawnTrace[], tables: Tables, bases: Record<string, number>) => Trace[]} */
export function filledTraces(traces, tables, bases) {
  return traces.map(({ draws, fade, ...trace }) => ({
    ...trace,
    ...(fade === undefined ? {} : { fillcolor: faded(trace.fillcolor, fade) }),
    ...FILLS[draws.kind](draws, tables[draws.table], bases),
  }));
}
