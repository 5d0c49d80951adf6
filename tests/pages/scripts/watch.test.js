// The order of the Watch page's rows, and how a row's figures are written.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pathSteps, zscoreWords } from "../../../pages/ui/watch/table_cells.js";
import { inGroups, inOrder, named } from "../../../pages/ui/watch/table_order.js";

const VIEW = { column: "", isDown: false, text: "", signal: "", by: "" };

const row = (y, zscore, { signal = "N", pvalue = "", group = "", pinned = false } = {}) => ({
  standing: { id: y, pair: [y, "BTCUSDT"], words: "1s, log", interval: "1s", group, pinned },
  figures: named(zscore === undefined ? ["waits"] : ["", zscore, "", signal, "", "", "", pvalue]),
});

const names = (rows) => rows.map(({ standing: { id } }) => id).join("");

test("rows are sorted by a column, either way; pinned ones stand first, unknown ones last", () => {
  const rows = [row("a", 2), row("b"), row("c", -3), row("d", 10), row("e", 0, { pinned: true })];
  assert.equal(names(inOrder(rows, VIEW)), "eabcd");
  assert.equal(names(inOrder(rows, { ...VIEW, column: "zscore" })), "ecadb");
  assert.equal(names(inOrder(rows, { ...VIEW, column: "zscore", isDown: true })), "edacb");
});

test("a p-value is sorted as a number", () => {
  const rows = ["0.231", "<0.001", "", "0.04"].map((pvalue, at) => row("abcd"[at], 1, { pvalue }));
  assert.equal(names(inOrder(rows, { ...VIEW, column: "pvalue" })), "bdac");
});

test("signals are sorted SELL, BUY, NEUTRAL", () => {
  const rows = ["N", "B", "S"].map((signal, at) => row("abc"[at], 1, { signal }));
  assert.equal(names(inOrder([...rows, row("d")], { ...VIEW, column: "signal" })), "cbad");
});

test("every word of the filter has to stand in a row", () => {
  const rows = [row("ETHUSDT", 1, { group: "majors" }), row("SOLUSDT", 1), row("b")];
  const shown = (text, signal = "") => names(inOrder(rows, { ...VIEW, text, signal }));
  assert.equal(shown("eth btc"), "ETHUSDT");
  assert.equal(shown("ETHUSDT/BTC"), "ETHUSDT");
  assert.equal(shown("majors log"), "ETHUSDT");
  assert.equal(shown("neutral"), "ETHUSDTSOLUSDT");
  assert.equal(shown("", "S"), "");
  assert.equal(shown("", "?"), "b");
  assert.equal(shown("waits"), "b");
});

test("groups stand in order, rows without one last", () => {
  const rows = [row("a", 1), row("b", 1, { group: "z" }), row("c", 1, { group: "k" }), row("d")];
  const groups = (by) => inGroups(rows, { ...VIEW, by }).map(([name, in_]) => name + names(in_));
  assert.deepEqual(groups(""), ["abcd"]);
  assert.deepEqual(groups("group"), ["kc", "zb", "No groupad"]);
  assert.deepEqual(groups("signal"), ["NEUTRALabc", "No figuresd"]);
  assert.deepEqual(inGroups([], VIEW), []);
});

test("a hole in a path stays a hole", () => {
  assert.equal(pathSteps("A_"), "M0.0 21.0L96.0 1.0");
  assert.equal(pathSteps("A.A"), "M0.0 21.0M96.0 21.0");
  assert.equal(pathSteps(""), "");
});

test("z is written as everywhere on the desk", () => {
  assert.deepEqual([1.2, -0.5, 0, -0, null].map(zscoreWords), [
    "+1.20",
    "−0.50",
    "+0.00",
    "−0.00",
    "–",
  ]);
});
