// Pair, signal and z stay in sight once the signal is scrolled away; the pill moves beside them.

import { settled } from "../settled.js";

const ROOT = document.documentElement;
const MARK = "data-pd-slim";

function look() {
  const signal = document.querySelector(".pd-signal");
  const main = document.querySelector("[data-testid=stMain]");
  const bar = document.querySelector("[data-testid=stHeader]");
  if (!signal || !main) return ROOT.removeAttribute(MARK);
  const top = bar ? bar.getBoundingClientRect().bottom : 0;
  const isAway = signal.getBoundingClientRect().bottom < top;
  ROOT.toggleAttribute(MARK, isAway);
  if (!isAway) return undefined;
  const box = main.getBoundingClientRect();
  ROOT.style.setProperty("--pd-slim-top", top + "px");
  ROOT.style.setProperty("--pd-slim-left", box.left + "px");
  ROOT.style.setProperty("--pd-slim-width", main.clientWidth + "px");
  return undefined;
}

function begin() {
  addEventListener("scroll", look, { capture: true, passive: true });
  addEventListener("resize", look);
  look(); // the page may have been scrolled before
  return () => {
    removeEventListener("scroll", look, { capture: true });
    removeEventListener("resize", look);
    ROOT.removeAttribute(MARK);
  };
}

export default settled(begin);
