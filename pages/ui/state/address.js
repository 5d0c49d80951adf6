// The address of the page: it says every choice, and its steps are those of the reader.
//
// Streamlit leaves out of the address whatever is as it was at first, and replaces the address
// where the reader changes a choice. Both are mended where it writes the address: what it leaves
// out is put back, and a change of pair, interval or range is a step of the browser's history. On
// Back and Forward it reads the address itself.

import { settled } from "../settled.js";

/** What the server says of the choices.
 * @type {{ link: Record<string, string>, first: Record<string, string>, known: Set<string>, steps: string[], own: string[], optional: string[] }} */
const told = { link: {}, first: {}, known: new Set(), steps: [], own: [], optional: [] };
let gesture = 0;
let stepped = -1; // the gesture that made the latest step: what follows from it is the same step
let isInstalled = false;
const write = history.replaceState.bind(history);

function install() {
  isInstalled = true;
  const push = history.pushState.bind(history);
  const noted = () => {
    gesture += 1;
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, noted, true);
  addEventListener(
    "popstate",
    () => {
      stepped = gesture;
    },
    true,
  );
  /** @type {(state: unknown, url: string | URL | null | undefined, isReader: boolean) => void} */
  const step = (state, url, isReader) => {
    const target = new URL(url ?? location.href, location.href);
    const here = new URL(location.href);
    if (target.origin !== here.origin) return push(state, "", url);
    if (target.pathname !== here.pathname) {
      stepped = gesture;
      return push(state, "", target);
    }
    fill(target.searchParams, here.searchParams, isReader);
    if (target.href === here.href) return undefined;
    if (!differs(target.searchParams, here.searchParams)) return write(state, "", target);
    const again = stepped === gesture;
    stepped = gesture;
    return again ? write(state, "", target) : push(state, "", target);
  };
  history.replaceState = (state, _, url) => step(state, url, true);
  history.pushState = (state, _, url) => step(state, url, false);
}

// Put back what the target leaves out: the reader's choice of what it was at first, and on the way
// to another page what plays no part there: this address is still that of the page being left.
/** @type {(target: URLSearchParams, here: URLSearchParams, isReader: boolean) => void} */
function fill(target, here, isReader) {
  for (const [key, value] of here) {
    if (!told.known.has(key) || target.has(key)) continue;
    if (told.optional.includes(key)) continue; // left out is what it says
    target.set(key, (isReader && told.first[key]) || value);
  }
}

/** @type {(target: URLSearchParams, here: URLSearchParams) => boolean} */
function differs(target, here) {
  return told.steps.some(
    (key) =>
      (told.optional.includes(key) || (target.has(key) && here.has(key))) &&
      target.get(key) !== here.get(key),
  );
}

// Say what the page shows: no more of ours, and no less. What differs is the reader's, and newer,
// but for what has no control that writes it.
function settle() {
  const address = new URL(location.href);
  const has = address.searchParams;
  for (const key of told.known) {
    if (!(key in told.link)) has.delete(key);
    else if (!has.has(key) || told.own.includes(key)) has.set(key, told.link[key]);
  }
  if (address.href !== location.href) write(history.state, "", address);
}

/** @type {(component: Component<AddressData>) => void} */
function tell(component) {
  const { link, first, known, steps, own, optional } = component.data;
  Object.assign(told, { link, first, steps, own, optional, known: new Set(known) });
  if (!isInstalled) install();
  settle();
}

export default settled(tell);
