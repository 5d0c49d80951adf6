// A component's script is called again with each change of its data, and Streamlit ends an earlier
// call whenever its promise comes to be settled: also after a later one has begun.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import streamChart from "../../../pages/ui/chart/chart_stream.js";
import figureChart from "../../../pages/ui/chart/live_chart.js";
import pill from "../../../pages/ui/desk/health_pill.js";

const nothing = () => undefined;

function page() {
  const heard = new EventTarget();
  Object.assign(globalThis, {
    document: Object.assign(heard, {
      hidden: false,
      baseURI: "http://desk/",
      documentElement: { dataset: {} },
      querySelector: nothing,
      querySelectorAll: () => [],
    }),
    location: { search: "", reload: nothing },
  });
  return heard;
}

test("the pill goes on asking when an earlier call ends after a later one has begun", async () => {
  page();
  mock.timers.enable({ apis: ["setInterval"] });
  const words = { sign: "●", word: "LIVE", number: "0.1 s", tone: "good", start: "a" };
  const asked = mock.method(globalThis, "fetch", async () => Response.json(words));
  const place = { textContent: "" };
  const shown = { querySelector: () => place };
  const host = { querySelector: (name) => (name === "a" ? {} : shown) };
  const component = {
    data: { pill: words, url: "pill", follows: true, start: "a" },
    parentElement: { querySelector: () => host },
  };
  const earlier = pill(component);
  const later = pill(component);
  earlier();
  mock.timers.tick(1000);
  assert.equal(asked.mock.callCount(), 1);
  await new Promise(setImmediate); // the answer is in
  later();
  mock.timers.tick(5000);
  assert.equal(asked.mock.callCount(), 1);
  mock.reset();
  mock.timers.reset();
});

test("the line in the head follows the scrolling until its newest call ends", async () => {
  const listening = new Set();
  globalThis.addEventListener = (name) => listening.add(name);
  globalThis.removeEventListener = (name) => listening.delete(name);
  page().documentElement.removeAttribute = nothing;
  const { default: slimHead } = await import("../../../pages/ui/desk/slim_head.js");
  const earlier = slimHead();
  const later = slimHead();
  earlier();
  assert.deepEqual([...listening], ["scroll", "resize"]);
  later();
  assert.deepEqual([...listening], []);
});

test("a live chart is closed by its newest call only", () => {
  const did = [];
  const host = {
    pairdeskStream: { tell: (data) => did.push(data), close: () => did.push("closed") },
  };
  const call = (data) => streamChart({ data, parentElement: { querySelector: () => host } });
  const earlier = call("first");
  const later = call("second");
  earlier();
  assert.deepEqual(did, ["first", "second"]);
  later();
  assert.deepEqual(did, ["first", "second", "closed"]);
});

test("a figure is taken away by its newest call only", () => {
  page();
  const purged = mock.fn();
  globalThis.window = { Plotly: { purge: purged } };
  const plot = {};
  const host = {
    style: {},
    setAttribute: nothing,
    querySelector: (name) => (name === ".pairdesk-plot" ? plot : {}),
  };
  const data = new TextEncoder().encode(
    JSON.stringify({ height: 1, label: "", plotly_url: "data:," }),
  );
  const call = () => figureChart({ data, parentElement: { querySelector: () => host } });
  const earlier = call();
  const later = call();
  earlier();
  assert.equal(purged.mock.callCount(), 0);
  later();
  assert.equal(purged.mock.callCount(), 1);
});
