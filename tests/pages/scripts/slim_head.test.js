// The slim head, on a page that was scrolled before its script came.

import assert from "node:assert/strict";
import { test } from "node:test";

const marks = new Set();
const root = {
  removeAttribute: (name) => marks.delete(name),
  toggleAttribute: (name, isOn) => (isOn ? marks.add(name) : marks.delete(name)),
  style: { setProperty: () => undefined },
};
const box = (bottom) => ({
  getBoundingClientRect: () => ({ bottom, left: 0 }),
  clientWidth: 390,
});
const places = { "[data-testid=stMain]": box(844), "[data-testid=stHeader]": box(48) };
globalThis.document = { documentElement: root, querySelector: (name) => places[name] ?? null };
globalThis.addEventListener = () => undefined;
globalThis.removeEventListener = () => undefined;
const { default: component } = await import("../../../pages/ui/desk/slim_head.js");

const begun = async () => {
  const end = component({ parentElement: { isConnected: true }, data: null });
  await new Promise((done) => setTimeout(done));
  return end;
};

for (const [bottom, isThere] of [
  [-300, true],
  [400, false],
])
  test(`with the signal's end at ${bottom} px it is ${isThere ? "" : "not "}there at once`, async () => {
    places[".pd-signal"] = box(bottom);
    const end = await begun();
    assert.equal(marks.size === 1, isThere);
    end();
    assert.equal(marks.size, 0);
  });
