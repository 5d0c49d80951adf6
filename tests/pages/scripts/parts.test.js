// The scripts of the page's other parts, as far as they need no page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nameOf } from "../../../pages/ui/parts/files.js";
import { inOrder } from "../../../pages/ui/scanner/table.js";

test("a file is named as the server says", () => {
  const named = (value) => nameOf(new Response("", { headers: { "Content-Disposition": value } }));
  assert.equal(named("attachment; filename*=UTF-8''a%20%CE%B2.csv"), "a β.csv");
  assert.equal(named("attachment"), "pairdesk");
  assert.equal(nameOf(new Response("")), "pairdesk");
});

test("rows are sorted by a column, either way, and what is not known comes last", () => {
  const rows = [3, null, 1, 2].map((value) => ({ cells: [[String(value), value]] }));
  const sorted = (column, isDown) =>
    inOrder({ data: { rows }, column, isDown }).map(({ cells: [[, value]] }) => value);
  assert.deepEqual(sorted(-1, false), [3, null, 1, 2]);
  assert.deepEqual(sorted(0, false), [1, 2, 3, null]);
  assert.deepEqual(sorted(0, true), [3, 2, 1, null]);
});

test("words are sorted as words", () => {
  const rows = ["b", "C", "a"].map((value) => ({ cells: [[value, value]] }));
  const order = inOrder({ data: { rows }, column: 0, isDown: false });
  assert.deepEqual(
    order.map(({ cells: [[word]] }) => word),
    ["a", "b", "C"],
  );
});
