// Streamlit calls a component's script anew with each change of its data and, while the script is
// still on its way, gathers calls that it does not want any more: they may come in any order, and
// are ended as soon as they have returned. So a call begins a moment later, if it was not ended: a
// few turns of promises, of which Streamlit takes four, and before anything else has its turn.

const TURNS = 20;

/** @type {WeakMap<HTMLElement, (() => void) | void>} */
const begun = new WeakMap();

/** @type {<Data>(begin: (component: Component<Data>) => (() => void) | void) => (component: Component<Data>) => () => void} */
export const settled = (begin) => (component) => {
  const host = component.parentElement;
  let isOver = false;
  /** @type {(() => void) | void} */
  let stop;
  const settle = async () => {
    for (let turn = 0; turn < TURNS; turn += 1) await undefined;
    if (isOver) return;
    stop = begin(component);
    begun.set(host, stop);
  };
  settle();
  return () => {
    isOver = true;
    // The component itself may end before its newest call begins: then the one before is ended.
    const last = stop ?? (host.isConnected ? undefined : begun.get(host));
    last?.();
  };
};
