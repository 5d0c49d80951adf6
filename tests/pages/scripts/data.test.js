// Which span is in sight, and whether it follows the newest bar, as the reader moves it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ChartData } from "../../../pages/ui/chart/chart_data.js";

const DAY = [0, 1000];

function looked(range, { follow = true, span = DAY } = {}) {
  const data = new ChartData();
  Object.assign(data, { follow, whole: { head: { span } } });
  data.lookAt(range);
  return { range: data.range, follow: data.follow };
}

for (const [what, range, shown, follow] of [
  ["all of it", null, null, true],
  ["more than there is", [-500, 2000], null, true],
  ["a span at the end goes on following", [600, 1000], [600, 1000], true],
  ["almost at the end, too", [600, 993], [600, 993], true],
  ["one before the end does not", [600, 990], [600, 990], false],
  ["one beyond the end stands at it, as wide", [800, 1200], [600, 1000], true],
  ["one before the beginning likewise", [-100, 300], [0, 400], false],
]) {
  test(`a look at another span: ${what}`, () => {
    assert.deepEqual(looked(range), { range: shown, follow });
  });
}

test("a reader who stopped following stays where he looks, also at the end", () => {
  assert.deepEqual(looked([600, 1000], { follow: false }), { range: [600, 1000], follow: false });
});

test("following brings a span to the end; to stop keeps all that is there now", () => {
  const data = new ChartData();
  Object.assign(data, { whole: { head: { span: DAY } }, range: [100, 300], follow: false });
  data.followNewest(true);
  assert.deepEqual([data.range, data.follow], [[800, 1000], true]);
  data.range = null;
  data.followNewest(false);
  assert.deepEqual([data.range, data.follow], [DAY, false]);
});

test("another address has other data, the same one keeps it", () => {
  const data = new ChartData();
  data.take({ url: "a" });
  data.whole = { head: {} };
  data.take({ url: "a", version: 2 });
  assert.ok(data.whole);
  data.take({ url: "b" });
  assert.equal(data.whole, undefined);
});

test("there is no span to see where there is at most one bar", () => {
  for (const span of [[], [5, 5]]) {
    const data = new ChartData();
    data.whole = { head: { span } };
    assert.equal(data.seen(), null);
  }
});
