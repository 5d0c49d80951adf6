// While a component's script is on its way, Streamlit gathers calls of it: they come in any order,
// and those that it does not want any more are ended as soon as they have returned.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import pill from "../../../pages/ui/desk/health_pill.js";
import { settled } from "../../../pages/ui/settled.js";

const aMoment = () => new Promise((resolve) => setTimeout(resolve));

test("a call that is ended as it returns never begins, also where it comes last", async () => {
  const did = [];
  const call = settled(({ data }) => {
    did.push(data);
    return () => did.push(`end of ${data}`);
  });
  const parentElement = { isConnected: true };
  const wanted = call({ data: "new", parentElement });
  const unwanted = call({ data: "old", parentElement });
  unwanted();
  await aMoment();
  assert.deepEqual(did, ["new"]);
  wanted();
  assert.deepEqual(did, ["new", "end of new"]);
});

test("a component that goes before its newest call begins ends the one before", async () => {
  const did = [];
  const parentElement = { isConnected: true };
  const call = settled(
    ({ data }) =>
      () =>
        did.push(`end of ${data}`),
  );
  call({ data: 1, parentElement });
  await aMoment();
  const superseded = call({ data: 2, parentElement });
  superseded();
  assert.deepEqual(did, []);
  const newest = call({ data: 3, parentElement });
  parentElement.isConnected = false;
  newest();
  await aMoment();
  assert.deepEqual(did, ["end of 1"]);
});

test("each change of the data begins", async () => {
  const did = [];
  const call = settled(({ data }) => did.push(data) && undefined);
  const parentElement = { isConnected: true };
  call({ data: 1, parentElement });
  await aMoment();
  call({ data: 2, parentElement });
  await aMoment();
  assert.deepEqual(did, [1, 2]);
});

test("the pill goes on asking when a call that is not wanted comes last", async () => {
  Object.assign(globalThis, {
    document: Object.assign(new EventTarget(), {
      hidden: false,
      baseURI: "http://desk/",
      documentElement: { dataset: {} },
      querySelector: () => null,
      querySelectorAll: () => [],
    }),
    location: { search: "" },
  });
  mock.timers.enable({ apis: ["setInterval"] });
  const words = { sign: "●", word: "LIVE", number: "0.1 s", tone: "good", start: "a" };
  const asked = mock.method(globalThis, "fetch", async () => Response.json(words));
  const shown = { querySelector: () => ({ textContent: "" }) };
  const host = { querySelector: (name) => (name === "a" ? {} : shown) };
  const component = {
    data: { pill: words, url: "pill", follows: true, start: "a" },
    parentElement: { isConnected: true, querySelector: () => host },
  };
  const wanted = pill(component);
  pill(component)();
  await aMoment();
  mock.timers.tick(1000);
  assert.equal(asked.mock.callCount(), 1);
  await aMoment(); // the answer is in
  wanted();
  mock.timers.tick(5000);
  assert.equal(asked.mock.callCount(), 1);
  mock.reset();
});
