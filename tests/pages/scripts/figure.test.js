// Tables, value axes and words of the figure.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fitAxes, fitNarrow, fittedRanges, themed } from "../../../pages/ui/chart/chart_base.js";
import { largeWords, nearestRow, numberWords } from "../../../pages/ui/chart/chart_legend.js";
import { firstAtOrAfter, unpacked, withDetail } from "../../../pages/ui/chart/chart_tables.js";
import { fileWords } from "../../../pages/ui/chart/chart_toolbar.js";

const times = (...values) => Float64Array.from(values);

test("an axis fits the known values in sight, and no hidden trace", () => {
  const traces = [
    { uid: "a", x: [0, 1, 2, 3], y: [5, Number.NaN, 7, 900] },
    { uid: "b", x: [0, 1, 2, 3], y: [-900, 0, 0, 0] },
    { uid: "c", x: [0, 1, 2, 3], y: [1, 2, 3, 4], yaxis: "y2" },
    { uid: "d", x: [0, 1], y: [Number.NaN, Number.NaN], yaxis: "y3" },
  ];
  const ranges = fittedRanges(traces, new Set(["b"]), [0, 2]);
  assert.deepEqual(Object.keys(ranges), ["yaxis", "yaxis2"]);
  const [low, high] = ranges.yaxis;
  assert.ok(low < 5 && low > 4.8 && high > 7 && high < 7.2);
});

test("a level counts wherever its ends lie, and a flat line has room", () => {
  const level = { uid: "a", x: [-100, 100], y: [3, 3], mode: "lines" };
  const [low, high] = fittedRanges([level], new Set(), [0, 1]).yaxis;
  assert.ok(low < 3 && high > 3);
});

test("an axis that came with a range keeps it; one that begins at nothing begins there", () => {
  const traces = ["y", "y2"].map((yaxis) => ({ uid: yaxis, x: [0, 1, 2], y: [4, 5, 6], yaxis }));
  const layout = { yaxis: { range: [0, 1] }, yaxis2: { rangemode: "tozero" } };
  fitAxes(layout, traces, new Set(), null);
  assert.deepEqual(layout.yaxis.range, [0, 1]);
  assert.equal(layout.yaxis2.range[0], 0);
});

test("colours are the reader's, numbers are left", () => {
  const colors = new Map([["#111111", "red"]]);
  const packed = { bdata: "#111111" };
  const bytes = times(1, 2);
  const figure = { line: { color: "#111111" }, list: ["#111111", "other"], packed, bytes };
  const made = themed(figure, colors);
  assert.deepEqual(made, { line: { color: "red" }, list: ["red", "other"], packed, bytes });
  assert.equal(made.bytes, bytes);
});

test("a narrow figure has smaller words and titles on one line; a wide one stays", () => {
  const layout = () => ({
    height: 400,
    legend: {},
    margin: { l: 90, r: 90, t: 20 },
    font: { size: 13 },
    xaxis: { type: "date" },
    yaxis: { title: { text: "Spread<br>log" } },
  });
  const [wide, narrow] = [layout(), layout()];
  fitNarrow(wide, [], 600);
  assert.deepEqual(wide, layout());
  fitNarrow(narrow, [], 599);
  assert.equal(narrow.yaxis.title.text, "Spread log");
  assert.equal(narrow.height - 400, narrow.margin.t - 20);
  assert.equal(narrow.font.size, 11);
});

test("the first row at or after a moment, and the nearest one", () => {
  const at = times(10, 20, 30);
  assert.deepEqual(
    [5, 10, 11, 30, 31].map((ms) => firstAtOrAfter(at, ms)),
    [0, 0, 1, 2, 3],
  );
  assert.deepEqual(
    [0, 14, 15, 16, 99].map((ms) => nearestRow(at, ms)),
    [0, 0, 0, 1, 2],
  );
  assert.equal(nearestRow(times(), 5), -1);
});

test("finer rows stand in place of the coarse ones, sums and candles only of one kind", () => {
  const whole = {
    tables: {
      bars: { time: times(0, 10, 20, 30), y: times(1, 2, 3, 4) },
      volume: { time: times(0, 20), sum: times(7, 8) },
      held: { time: times(0, 20), end: times(20, 40), held: times(1, -1) },
    },
  };
  const fine = {
    tables: {
      bars: { time: times(10, 15, 20), y: times(2, 2.5, 3) },
      volume: { time: times(10), sum: times(1) },
      held: { time: times(12), end: times(16), held: times(1) },
    },
  };
  const tables = withDetail(whole, fine);
  assert.deepEqual(tables.bars.time, times(0, 10, 15, 20, 30));
  assert.deepEqual(tables.bars.y, times(1, 2, 2.5, 3, 4));
  assert.equal(tables.volume, fine.tables.volume);
  assert.deepEqual(tables.held.end, times(10, 16));
  const empty = { tables: { bars: { time: times() } } };
  assert.equal(withDetail(whole, empty), whole.tables);
});

test("an answer over another frame than ours is none", () => {
  const head = new TextEncoder().encode(JSON.stringify({ number: 5, had: 3, tables: {} }));
  const bytes = new Uint8Array(4 + head.length);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  assert.equal(unpacked(bytes.buffer, undefined), null);
  assert.equal(unpacked(bytes.buffer, { number: 4 }), null);
  assert.equal(unpacked(bytes.buffer, { number: 3, columns: {} })?.number, 5);
});

test("numbers are written as the page writes them", () => {
  assert.equal(numberWords(-1234.5, 2), "−1,234.50");
  assert.equal(numberWords(2, 1, true), "+2.0");
  assert.equal(numberWords(Number.NaN, 1), "–");
  assert.deepEqual([0, 0.5, 999, 12_345, 2e6, 3.5e9].map(largeWords), [
    "0",
    "0.5",
    "999",
    "12.35k",
    "2M",
    "3.5G",
  ]);
  assert.equal(largeWords(Number.NaN), "–");
});

test("the name of a picture holds no sign that a file may not", () => {
  assert.equal(fileWords("../a b/c:d?"), "..-a-b-c-d");
});
