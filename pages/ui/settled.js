// Streamlit calls a component's script anew with each change of its data and, while the script is
// still on its way, gathers calls that it does not want any more: they may come in any order, and
// are ended as soon as they have returned. So a call begins a moment later, if it was not ended.

/** @type {<Data>(begin: (component: Component<Data>) => (() => void) | void) => (component: Component<Data>) => () => void} */
export const settled = (begin) => (component) => {
  let isOver = false;
  /** @type {(() => void) | void} */
  let stop;
  setTimeout(() => {
    if (!isOver) stop = begin(component);
  });
  return () => {
    isOver = true;
    stop?.();
  };
};
