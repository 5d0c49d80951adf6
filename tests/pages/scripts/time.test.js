import assert from "node:assert/strict";
import { test } from "node:test";

import {
  movedBy,
  spanAtEnd,
  spanMovedInside,
  spanOfWords,
  spanWithin,
  spanWords,
  wallWords,
} from "../../../pages/ui/chart/chart_span.js";
import {
  tickWords,
  timeWords,
  wallAxis,
  wallTicks,
  written,
} from "../../../pages/ui/chart/chart_time.js";

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 9, 25, 12);
// Clocks in Berlin go back an hour at 01:00 UTC of that day: before, the wall reads an hour more.
const BACK = Date.UTC(2026, 9, 25, 1);
const BERLIN = [[BACK, HOUR]];

test("a time is written as plotly reads it, without a zone", () => {
  assert.equal(timeWords(NOON), "2026-10-25T12:00:00.000");
  assert.equal(timeWords(Number.NaN), null);
});

test("every time of a figure is written, and the figure that came stays as it is", () => {
  const times = new Float64Array([NOON, NOON + 1]);
  const layout = {
    xaxis: { type: "date", range: [NOON, NOON + HOUR] },
    xaxis2: { type: "linear", range: [0, 1] },
    shapes: [
      { x0: NOON, x1: NOON + 1 },
      { xref: "x2", x0: 3 },
      { xref: "paper", x0: 0.5 },
    ],
  };
  const data = [{ x: times, base: [NOON] }, { x: times }, { x: [1, 2], xaxis: "x2" }];
  const made = written(data, layout);
  assert.deepEqual(made.layout.xaxis.range, [timeWords(NOON), timeWords(NOON + HOUR)]);
  assert.deepEqual(made.layout.xaxis2, layout.xaxis2);
  assert.deepEqual(made.layout.shapes[0], { x0: timeWords(NOON), x1: timeWords(NOON + 1) });
  assert.deepEqual(made.layout.shapes.slice(1), layout.shapes.slice(1));
  assert.deepEqual(made.data[0].x, [timeWords(NOON), timeWords(NOON + 1)]);
  assert.deepEqual(made.data[0].base, [timeWords(NOON)]);
  assert.equal(made.data[0].x, made.data[1].x);
  assert.deepEqual(made.data[2].x, [1, 2]);
  assert.equal(data[0].x, times);
  assert.equal("annotations" in made.layout, false);
});

test("ticks are round times of the wall on both sides of a change of the clock", () => {
  const { ticks, step } = wallTicks([BACK - 3 * HOUR, BACK + 3 * HOUR], BERLIN, 6);
  assert.equal(step, HOUR);
  assert.ok(ticks.every(({ wall }) => wall % HOUR === 0));
  const before = ticks.filter(({ at }) => at < BACK);
  assert.ok(before.every(({ at, wall }) => wall - at === HOUR));
  assert.ok(ticks.filter(({ at }) => at >= BACK).every(({ at, wall }) => wall === at));
});

test("a span wider than every step has the widest", () => {
  assert.equal(wallTicks([0, 10_000 * 24 * HOUR], [], 6).step, 168 * HOUR);
});

test("the day stands at the first tick of each day alone, seconds where they matter", () => {
  const day = Date.UTC(2026, 0, 1);
  const walls = [23, 23.5, 24].map((hour) => ({ wall: day + hour * HOUR }));
  const words = tickWords({ ticks: walls, step: HOUR / 2 });
  assert.deepEqual(words, ["23:00<br>Jan 1, 2026", "23:30", "00:00<br>Jan 2, 2026"]);
  assert.equal(tickWords({ ticks: walls, step: 1000 })[1], "23:30:00");
});

test("where the clock stays the library chooses the ticks itself", () => {
  assert.deepEqual(wallAxis([0, HOUR], [], 900), {});
  assert.deepEqual(wallAxis(null, BERLIN, 900), {});
  const axis = wallAxis([BACK - HOUR, BACK + HOUR], BERLIN, 900);
  assert.equal(axis.tickmode, "array");
  assert.equal(axis.tickvals.length, axis.ticktext.length);
});

test("a time is said by the wall", () => {
  assert.equal(wallWords(BACK - 1000, BERLIN), "2026-10-25 01:59:59");
  assert.equal(wallWords(BACK, BERLIN), "2026-10-25 01:00:00");
  assert.equal(spanOfWords([NOON, NOON + 1000], []), "2026-10-25 12:00:00 to 12:00:01");
  const [date] = wallWords(NOON + 24 * HOUR, []).split(" ");
  assert.equal(spanOfWords([NOON, NOON + 24 * HOUR], []).split(" to ")[1], `${date} 12:00:00`);
});

test("a length of time is said in the largest unit it fills", () => {
  assert.deepEqual([500, 1000, 90_000, HOUR, 1.5 * HOUR].map(spanWords), [
    "0.5 s",
    "1 s",
    "1.5 min",
    "1 h",
    "1.5 h",
  ]);
});

test("of a span, what there is data for: null is nothing of it, or everything", () => {
  const whole = [0, 100];
  assert.equal(spanWithin(null, whole), null);
  assert.deepEqual(spanWithin([10, 20], whole), [10, 20]);
  assert.deepEqual(spanWithin([-10, 20], whole), [0, 20]);
  assert.equal(spanWithin([100, 120], whole), null);
  assert.equal(spanWithin([-5, 105], whole), null);
});

test("a span moved beyond an end stands at it, as wide as it was", () => {
  assert.deepEqual(spanMovedInside([-5, 10], [0, 100]), [0, 15]);
  assert.deepEqual(spanMovedInside([95, 110], [0, 100]), [85, 100]);
  assert.deepEqual(spanMovedInside([20, 30], [0, 100]), [20, 30]);
  assert.deepEqual(spanAtEnd([20, 30], [0, 100]), [90, 100]);
  assert.deepEqual(movedBy([20, 30], 5), [25, 35]);
  assert.equal(movedBy(null, 5), null);
});
