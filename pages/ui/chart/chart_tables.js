// The tables a chart holds, and how the bytes of `pages/charts/frame.py` change them.

const UNKNOWN_STEP = -(2 ** 31);

// One column's new rows: plain numbers, or steps whose four bytes lie apart.
/** @type {(buffer: ArrayBuffer, at: number, count: number, column: PackedColumn) => [Float64Array, number]} */
function sentCodes(buffer, at, count, column) {
  if (column.plain) return [new Float64Array(buffer.slice(at, at + 8 * count)), at + 8 * count];
  const bytes = new Uint8Array(buffer, at, 4 * count);
  const codes = new Float64Array(count);
  let code = column.start;
  for (let i = 0; i < count; i += 1) {
    const step =
      bytes[i] |
      (bytes[count + i] << 8) |
      (bytes[2 * count + i] << 16) |
      (bytes[3 * count + i] << 24);
    if (step === UNKNOWN_STEP) codes[i] = NaN;
    else codes[i] = code += step;
  }
  return [codes, at + 4 * count];
}

/** @type {(column: PackedColumn, sent: Float64Array, had?: HeldColumn) => HeldColumn} */
function columnOf(column, sent, had) {
  const [first, last] = column.keep;
  const codes = new Float64Array(column.rows);
  codes.set(sent.subarray(0, first));
  if (had && last > first)
    codes.set(had.codes.subarray(first + column.shift, last + column.shift), first);
  codes.set(sent.subarray(first), last);
  const step = 10 ** Math.abs(column.decimals);
  // Divided, not multiplied: 8716201 / 100 is the nearest number to 87162.01.
  const values = codes.map(column.decimals >= 0 ? (code) => code / step : (code) => code * step);
  return { codes, values };
}

// Unpacks an answer into a frame, over the frame that was had; null where that is another.
/** @type {(buffer: ArrayBuffer, had?: Frame) => Frame | null} */
export function unpacked(buffer, had) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (head.had !== null && head.had !== had?.number) return null;
  let at = 4 + length;
  /** @type {Frame["columns"]} */
  const columns = {};
  /** @type {Tables} */
  const tables = {};
  for (const [table, described] of Object.entries(head.tables)) {
    columns[table] = {};
    tables[table] = {};
    for (const column of described) {
      const count = column.rows - (column.keep[1] - column.keep[0]);
      /** @type {Float64Array} */
      let sent;
      [sent, at] = sentCodes(buffer, at, count, column);
      const made = columnOf(column, sent, had?.columns[table]?.[column.name]);
      columns[table][column.name] = made;
      tables[table][column.name] = made.values;
    }
  }
  return { number: head.number, head, columns, tables };
}

/** @type {(pieces: Float64Array[]) => Float64Array} */
function joined(pieces) {
  const all = new Float64Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** @type {(times: Float64Array, moment: number) => number} */
export function firstAtOrAfter(times, moment) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The finer rows of a zoomed span in place of the coarse ones.
/** @type {(whole: Frame, detail: Frame) => Tables} */
export function withDetail(whole, detail) {
  const times = detail.tables.bars.time;
  if (!times.length) return whole.tables;
  const [from, to] = [times[0], times[times.length - 1] + 1];
  /** @type {Tables} */
  const tables = {};
  for (const [name, table] of Object.entries(whole.tables)) {
    // Sums of other buckets would stand higher or lower, candles broader: they do not mix.
    if (name === "volume" || name === "candles") {
      tables[name] = detail.tables[name];
      continue;
    }
    const [before, after] = [firstAtOrAfter(table.time, from), firstAtOrAfter(table.time, to)];
    tables[name] = Object.fromEntries(
      Object.entries(table).map(([column, values]) => [
        column,
        joined([values.subarray(0, before), detail.tables[name][column], values.subarray(after)]),
      ]),
    );
    if (name === "held" && before > 0) {
      const { end } = tables[name];
      end[before - 1] = Math.min(end[before - 1], from);
    }
  }
  return tables;
}
