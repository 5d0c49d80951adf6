// What moves of the rows, handed to their table: that stands outside of what a refresh draws anew.

import { settled } from "../settled.js";

/** @type {(component: Component<WatchMoves>) => void} */
function tell({ data }) {
  /** @type {HTMLElement & { pairdeskMoves?: WatchMoves }} */ (document.body).pairdeskMoves = data;
  dispatchEvent(new Event("pairdesk-moves"));
}

export default settled(tell);
