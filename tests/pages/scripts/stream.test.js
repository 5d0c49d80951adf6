// Which span of time the live chart shows in other data.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Stream } from "../../../pages/ui/chart/chart_stream.js";

const HOUR = 3_600_000;
const DAY = [0, 24 * HOUR];
const VIEW = "Live|BTCUSDT|ETHUSDT";

// A chart that had a day of a pair, as far as carrying a span over looks at it.
function carried(had, head, view = VIEW) {
  const stream = Object.create(Stream.prototype);
  Object.assign(stream, {
    hidden: new Set(["leg-BTCUSDT"]),
    view: VIEW,
    offset: 0,
    told: { key: "a" },
    legend: { at: 1 },
    keep() {},
    ...had,
    whole: { head: { offset_ms: 0, ...head } },
    figure: { figure: { layout: { uirevision: view } } },
  });
  stream.carry();
  return { range: stream.range, follow: stream.follow, hidden: [...stream.hidden] };
}

for (const [why, zoom, span, shown] of [
  ["another interval of the same day", [2, 3], [0, 24], [2, 3]],
  ["the range grew", [2, 3], [0, 720], [2, 3]],
  ["the range shrank", [2, 4], [3, 24], [3, 4]],
  ["nothing of it is there", [2, 4], [20, 24], null],
  ["no more than it is there", [2, 4], [2.5, 3], null],
]) {
  test(`a zoom is kept wherever the new data has it: ${why}`, () => {
    const hours = (edges) => edges?.map((edge) => edge * HOUR) ?? null;
    const found = carried({ range: hours(zoom), follow: false }, { span: hours(span) });
    const follow = shown === null;
    assert.deepEqual(found, { range: hours(shown), follow, hidden: ["leg-BTCUSDT"] });
  });
}

test("without a zoom the whole of a new range is shown", () => {
  const found = carried({ range: null, follow: true }, { span: [0, 30 * 24 * HOUR] });
  assert.equal(found.range, null);
  assert.ok(found.follow);
});

test("a span that follows keeps its width at the new end", () => {
  const found = carried({ range: [23 * HOUR, 24 * HOUR], follow: true }, { span: [0, 25 * HOUR] });
  assert.deepEqual(found.range, [24 * HOUR, 25 * HOUR]);
  assert.ok(found.follow);
});

test("in another zone the same instants are shown", () => {
  const berlin = { span: [HOUR, 25 * HOUR], offset_ms: HOUR };
  const found = carried({ range: [2 * HOUR, 3 * HOUR], follow: false }, berlin);
  assert.deepEqual(found.range, [3 * HOUR, 4 * HOUR]);
});

for (const view of ["Live|BNBUSDT|BTCUSDT", "ticks.ndjson|BTCUSDT|ETHUSDT"]) {
  test(`another pair or source begins with all of it and nothing hidden: ${view}`, () => {
    const found = carried({ range: [2 * HOUR, 3 * HOUR], follow: false }, { span: DAY }, view);
    assert.deepEqual(found, { range: null, follow: true, hidden: [] });
  });
}

test("before there are two bars a zoom waits", () => {
  for (const span of [[], [HOUR, HOUR]]) {
    const found = carried({ range: [2 * HOUR, 3 * HOUR], follow: false }, { span });
    assert.deepEqual(found.range, [2 * HOUR, 3 * HOUR]);
  }
});
