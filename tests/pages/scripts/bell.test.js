// The bell's script, as far as it needs no page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { countWords, joined, linkOf, titled, toTell } from "../../../pages/ui/desk/bell.js";

const alert = (id, more = {}) => ({
  id,
  kind: "fired",
  head: "wide: ETHUSDT / BTCUSDT",
  words: "z +2.10",
  view: "s1=ETHUSDT",
  suppressed: false,
  ...more,
});
const ids = (alerts) => alerts.map(({ id }) => id);

test("what was seen, and what is suppressed, is not told", () => {
  const alerts = [alert(3), alert(4, { suppressed: true }), alert(5)];
  assert.deepEqual(ids(toTell(alerts, 0)), [3, 5]);
  assert.deepEqual(ids(toTell(alerts, 3)), [5]);
  assert.deepEqual(ids(toTell(alerts, 5)), []);
});

test("an answer that comes twice adds nothing twice", () => {
  const known = joined([], [alert(1), alert(2)]);
  assert.deepEqual(ids(joined(known, [alert(2), alert(3)])), [1, 2, 3]);
  assert.deepEqual(ids(joined(known, [])), [1, 2]);
});

test("nothing new has no number, and many have one that is not exact", () => {
  assert.deepEqual([0, 1, 99, 100].map(countWords), ["", "1", "99", "99+"]);
});

test("a title has the count once, and none when all was seen", () => {
  assert.equal(titled("Alerts", 3), "(3) Alerts");
  assert.equal(titled("(3) Alerts", 4), "(4) Alerts");
  assert.equal(titled("(99+) Alerts", 0), "Alerts");
  assert.equal(titled("(draft) Alerts", 0), "(draft) Alerts");
});

test("a link stays on the desk, whatever view the server names", () => {
  globalThis.document = { baseURI: "http://desk.test/base/alerts" };
  assert.equal(linkOf(alert(1)), "http://desk.test/base/?s1=ETHUSDT");
  assert.equal(linkOf(alert(1, { view: "" })), "http://desk.test/base/alerts");
  const basket = "basket_symbols=AUSDT&basket_symbols=BUSDT";
  assert.equal(linkOf(alert(1, { view: basket })), `http://desk.test/base/baskets?${basket}`);
  const wrong = linkOf(alert(1, { view: "//stranger.test/#x" }));
  assert.equal(new URL(wrong).origin, "http://desk.test");
});
