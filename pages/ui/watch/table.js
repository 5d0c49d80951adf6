// The table of a watch list: sorted, filtered and grouped here, so that no page runs for it. A
// refresh brings what moves; only cells that changed are drawn again.

import { settled } from "../settled.js";
import { drawFigures, drawRow, element } from "./table_cells.js";
import { inGroups, named, SORTS } from "./table_order.js";

/** @type {(component: Component<WatchData>) => void} */
function tell(component) {
  const { data, parentElement, setTriggerValue } = component;
  /** @type {OwnPart & { pairdeskWatch?: WatchState }} */
  const host = parentElement.querySelector(".pd-watch");
  const state = (host.pairdeskWatch ??= begin(host));
  state.tell = setTriggerValue;
  state.columns = data.columns;
  takeRows(state, data.rows);
  showHead(host, state);
  takeMoves(host, state);
}

// The first time: called again with each change of the data, the order and the listeners stay.
/** @type {(host: OwnPart) => WatchState} */
function begin(host) {
  const view = { column: "", isDown: false, text: "", signal: "", by: "" };
  /** @type {WatchState} */
  const state = { view, columns: [], rows: new Map(), picked: new Set(), tell() {} };
  /** @type {HTMLTableElement} */
  const table = host.querySelector("table");
  /** @type {(event: Event) => void} */
  const address = (event) => nameAddress(rowOf(event, state));
  table.addEventListener("pointerdown", address);
  table.addEventListener("focusin", address);
  table.addEventListener("click", (event) => clicked(event, state));
  table.addEventListener("keydown", (event) => moved(event, host, state));
  /** @type {(selector: string, name: "text" | "signal" | "by") => void} */
  const follow = (selector, name) => {
    /** @type {HTMLInputElement} */
    const control = host.querySelector(selector);
    control.addEventListener("input", () => {
      state.view[name] = control.value.trim();
      showOrder(host, state);
    });
  };
  follow("input", "text");
  follow(".pd-watch-signal", "signal");
  follow(".pd-watch-by", "by");
  const take = () => {
    if (host.isConnected) takeMoves(host, state);
    else removeEventListener("pairdesk-moves", take);
  };
  addEventListener("pairdesk-moves", take);
  return state;
}

/** @type {(state: WatchState, rows: WatchStanding[]) => void} */
function takeRows(state, rows) {
  const before = state.rows;
  state.rows = new Map();
  for (const standing of rows) {
    const known = before.get(standing.id);
    const isSame = known && JSON.stringify(known.standing) === JSON.stringify(standing);
    const row = isSame ? known : drawRow(standing, state.columns, known);
    row.box.checked = state.picked.has(standing.id);
    row.line.classList.toggle("picked", row.box.checked);
    state.rows.set(standing.id, row);
  }
  for (const id of state.picked) if (!state.rows.has(id)) state.picked.delete(id);
}

/** @type {(host: OwnPart, state: WatchState) => void} */
function takeMoves(host, state) {
  const { pairdeskMoves } = /** @type {HTMLElement & { pairdeskMoves?: WatchMoves }} */ (
    document.body
  );
  for (const [id, row] of state.rows) {
    const values = pairdeskMoves?.moves[id];
    if (values) row.figures = named(values);
    drawFigures(row);
  }
  // Rows are not taken away from under a hand.
  const isInHand = host.querySelector("table").matches(":has(tbody:is(:hover, :focus-within))");
  showOrder(host, state, isInHand);
}

/** @type {(host: OwnPart, state: WatchState) => void} */
function showHead(host, state) {
  const { view } = state;
  const cells = state.columns.map(({ key, label, tip }) => {
    const cell = element("th", key);
    cell.scope = "col";
    cell.title = tip;
    if (!SORTS[key]) {
      cell.append(element("span", "pd-unseen", label));
      return cell;
    }
    const isSorted = view.column === key;
    const button = element("button", "", label);
    button.type = "button";
    cell.setAttribute("aria-sort", !isSorted ? "none" : view.isDown ? "descending" : "ascending");
    button.onclick = () => {
      // Up, down, and back to the list's own order.
      if (!isSorted) Object.assign(view, { column: key, isDown: false });
      else if (!view.isDown) view.isDown = true;
      else view.column = "";
      showHead(host, state);
      showOrder(host, state);
      host.querySelector(`thead th.${key} button`).focus();
    };
    cell.append(button);
    return cell;
  });
  host.querySelector("thead tr").replaceChildren(...cells);
}

/** @type {(host: OwnPart, state: WatchState, isInHand?: boolean) => void} */
function showOrder(host, state, isInHand = false) {
  const table = host.querySelector("table");
  const groups = inGroups([...state.rows.values()], state.view);
  const ids = groups.map(([name, rows]) => [name, ...rows.map((row) => row.standing.id)]);
  const order = JSON.stringify(ids);
  const lines = [...state.rows.values()].map((row) => row.line);
  const isWhole =
    state.lines?.length === lines.length && lines.every((line, at) => line === state.lines?.[at]);
  if (state.order === order && isWhole) return;
  if (isInHand && isWhole) return;
  Object.assign(state, { order, lines });
  const focused = focusedRow(host, state);
  for (const body of table.querySelectorAll("tbody")) body.remove();
  table.append(...groups.map((group) => drawGroup(group, state.columns.length)));
  setActive(state, focused ?? groups[0]?.[1][0]);
  focused?.link.focus({ preventScroll: true });
  const shown = groups.reduce((sum, [, rows]) => sum + rows.length, 0);
  const all = state.rows.size;
  const pairs = all === 1 ? "pair" : "pairs";
  const words = `${shown === all ? all : `${shown} of ${all}`} ${pairs}`;
  host.querySelector(".pd-watch-count").textContent = words;
  host.querySelector("caption").textContent = `${words}; a row opens its pair on Live`;
}

/** @type {(group: [name: string, rows: WatchRow[]], columns: number) => HTMLElement} */
function drawGroup([name, rows], columns) {
  const body = element("tbody");
  if (name) {
    const line = element("tr", "heading");
    const cell = element("th", "", `${name} (${rows.length})`);
    cell.scope = "rowgroup";
    cell.colSpan = columns;
    line.append(cell);
    body.append(line);
  }
  body.append(...rows.map((row) => row.line));
  return body;
}

/** @type {(event: Event, state: WatchState) => WatchRow | undefined} */
function rowOf(event, state) {
  /** @type {HTMLElement | null} */
  const line = /** @type {Element} */ (event.target).closest("tr[data-row]");
  return state.rows.get(line?.dataset.row ?? "");
}

/** @type {(host: OwnPart, state: WatchState) => WatchRow | undefined} */
function focusedRow(host, state) {
  const { activeElement: active } = document;
  if (!active || !host.querySelector("table").contains(active)) return undefined;
  return rowOf(/** @type {any} */ ({ target: active }), state);
}

// One row at a time is reached by Tab: its link, its box and its star.
/** @type {(state: WatchState, active: WatchRow | undefined) => void} */
function setActive(state, active) {
  for (const row of [state.active, active])
    for (const part of row ? [row.link, row.box, row.pin] : [])
      part.tabIndex = row === active ? 0 : -1;
  state.active = active;
}

// The same settings on Live, with this pair: for a tab of its own, and to be copied.
/** @type {(row: WatchRow | undefined) => void} */
function nameAddress(row) {
  if (!row) return;
  const asked = new URLSearchParams(location.search);
  for (const name of [...asked.keys()]) if (name.startsWith("watch_")) asked.delete(name);
  for (const [name] of row.standing.link) asked.delete(name);
  for (const [name, value] of row.standing.link) asked.append(name, value);
  row.link.href = new URL(`./${row.standing.page}?${asked}`, document.baseURI).href;
}

/** @type {(event: MouseEvent, state: WatchState) => void} */
function clicked(event, state) {
  const row = rowOf(event, state);
  if (!row) return;
  const target = /** @type {Element} */ (event.target);
  if (target === row.box) return picked(state, row);
  if (target === row.pin) return state.tell("pin", row.standing.id);
  if (target.closest("td.pick")) return undefined; // beside the box
  return opened(event, target, row, state);
}

/** @type {(state: WatchState, row: WatchRow) => void} */
function picked(state, { box, line, standing }) {
  if (box.checked) state.picked.add(standing.id);
  else state.picked.delete(standing.id);
  line.classList.toggle("picked", box.checked);
  state.tell("picked", [...state.picked]);
}

/** @type {(event: MouseEvent, target: Element, row: WatchRow, state: WatchState) => void} */
function opened(event, target, { line, link, standing }, state) {
  const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
  if (isElsewhere && target.closest("a")) return; // the browser's own: another tab
  event.preventDefault();
  const selection = getSelection();
  if (!isElsewhere && selection && !selection.isCollapsed && line.contains(selection.anchorNode))
    return;
  if (isElsewhere) {
    window.open(link.href, "_blank", "noopener");
    return;
  }
  line.classList.add("opening");
  state.tell("open", standing.id);
}

/** @type {(event: KeyboardEvent, host: OwnPart, state: WatchState) => void} */
function moved(event, host, state) {
  const row = rowOf(event, state);
  if (!row) return;
  /** @type {HTMLTableElement} */
  const table = host.querySelector("table");
  const lines = [...table.rows].filter((line) => line.dataset.row);
  const at = lines.indexOf(row.line);
  /** @type {Record<string, number>} */
  const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 };
  const next = state.rows.get(lines[places[event.key]]?.dataset.row ?? "");
  if (event.key === " " && event.target === row.link) {
    event.preventDefault();
    row.box.click();
  }
  if (!next) return;
  event.preventDefault();
  setActive(state, next);
  next.link.focus();
}

export default settled(tell);
