// The scan's table: a row is a link to its pair on Live. Sorted here, so that no page runs for it.

import { settled } from "../settled.js";

const SPARK_WIDTH = 96;
const SPARK_HEIGHT = 22;

/** @type {(component: Component<ScanData>) => void} */
function tell(component) {
  const { data, parentElement, setTriggerValue } = component;
  /** @type {OwnPart & { pairdeskScan?: ScanState }} */
  const host = parentElement.querySelector(".pd-scan");
  const state = (host.pairdeskScan ??= begin(host, data));
  state.data = data;
  state.open = (pair) => setTriggerValue("open", pair);
  host.querySelector("caption").textContent = data.caption;
  showHead(host, state);
  showRows(host, state);
}

// The first time: called again with each change of the data, the order and the listeners stay.
/** @type {(host: OwnPart, data: ScanData) => ScanState} */
function begin(host, data) {
  /** @type {ScanState} */
  const state = { data, open() {}, column: -1, isDown: false };
  /** @type {HTMLTableSectionElement} */
  const body = host.querySelector("tbody");
  /** @type {(event: Event) => void} */
  const named = (event) => address(rowOf(event), state);
  body.addEventListener("pointerdown", named);
  body.addEventListener("focusin", named);
  body.addEventListener("click", (event) => clicked(event, state));
  body.addEventListener("keydown", (event) => moved(event, body));
  return state;
}

/** @type {<Kind extends keyof HTMLElementTagNameMap>(kind: Kind, css?: string, text?: string) => HTMLElementTagNameMap[Kind]} */
function element(kind, css, text) {
  const made = document.createElement(kind);
  if (css) made.className = css;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** @type {(host: OwnPart, state: ScanState) => void} */
function showHead(host, state) {
  const cells = state.data.columns.map((column, place) => {
    const cell = element("th", column.kind);
    cell.scope = "col";
    cell.title = column.tip;
    if (column.kind === "spark") {
      cell.textContent = column.label;
      return cell;
    }
    const button = element("button", "", column.label);
    button.type = "button";
    const isSorted = state.column === place;
    cell.setAttribute("aria-sort", !isSorted ? "none" : state.isDown ? "descending" : "ascending");
    button.onclick = () => {
      // Up, down, and back to the scan's own order.
      if (!isSorted) Object.assign(state, { column: place, isDown: false });
      else if (!state.isDown) state.isDown = true;
      else state.column = -1;
      showHead(host, state);
      showRows(host, state);
      host.querySelector(`thead th:nth-child(${place + 1}) button`).focus();
    };
    cell.append(button);
    return cell;
  });
  host.querySelector("thead tr").replaceChildren(...cells);
}

/** @type {(left: ScanValue, right: ScanValue) => number} */
function compare(left, right) {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right));
}

/** @type {(state: Pick<ScanState, "data" | "column" | "isDown">) => ScanRow[]} */
export function inOrder(state) {
  const rows = state.data.rows.slice();
  if (state.column < 0) return rows;
  /** @type {(row: ScanRow) => ScanValue} */
  const of = (row) => row.cells[state.column][1];
  rows.sort((a, b) => {
    const isUnknown = of(a) === null || of(b) === null; // last, either way
    return compare(of(a), of(b)) * (state.isDown && !isUnknown ? -1 : 1);
  });
  return rows;
}

/** @type {(host: OwnPart, state: ScanState) => void} */
function showRows(host, state) {
  const body = host.querySelector("tbody");
  const { activeElement: active } = document;
  const focused = body.contains(active) ? active?.closest("tr")?.dataset.pair : null;
  const rows = inOrder(state).map((row) => drawRow(row, state.data.columns));
  body.replaceChildren(...rows);
  const kept = rows.find((row) => row.dataset.pair === focused);
  (kept ?? rows[0])?.querySelector("a")?.setAttribute("tabindex", "0");
  kept?.querySelector("a")?.focus({ preventScroll: true });
}

/** @type {(row: ScanRow, columns: ScanColumn[]) => DrawnRow} */
function drawRow(row, columns) {
  const drawn = Object.assign(element("tr"), { pairdeskPair: row.pair });
  drawn.dataset.pair = row.pair.join("/");
  row.cells.forEach(([text], place) => {
    const { kind } = columns[place];
    const cell = element(place === 0 ? "th" : "td", kind);
    if (place === 0) {
      cell.scope = "row";
      const link = element("a", "", text);
      link.href = "#";
      link.tabIndex = -1;
      link.setAttribute("aria-label", `${text}, open ${row.pair.join(" / ")} on Live`);
      cell.append(link);
    } else if (kind === "spark") cell.append(spark(row.path));
    else cell.textContent = text;
    drawn.append(cell);
  });
  return drawn;
}

/** @type {(path: number[]) => SVGElement} */
function spark(path) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`);
  picture.setAttribute("aria-hidden", "true");
  if (path.length < 2) return picture;
  const low = Math.min(...path);
  const height = Math.max(...path) - low || 1;
  const across = SPARK_WIDTH / (path.length - 1);
  const points = path.map((value, place) => {
    const y = SPARK_HEIGHT - 1 - ((value - low) / height) * (SPARK_HEIGHT - 2);
    return `${(place * across).toFixed(1)},${y.toFixed(1)}`;
  });
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("points", points.join(" "));
  picture.append(line);
  return picture;
}

/** @type {(event: Event) => DrawnRow | null} */
function rowOf(event) {
  return /** @type {DrawnRow | null} */ (/** @type {Element} */ (event.target).closest("tr"));
}

/** @type {(row: Element) => HTMLAnchorElement} */
function linkOf(row) {
  return /** @type {HTMLAnchorElement} */ (row.querySelector("a"));
}

// The same settings on Live, with this pair: for a tab of its own, and to be copied.
/** @type {(row: DrawnRow | null, state: ScanState) => void} */
function address(row, state) {
  if (!row) return;
  const asked = new URLSearchParams(location.search);
  for (const name of [...asked.keys()]) if (name.startsWith("scan_")) asked.delete(name);
  for (const [name, value] of Object.entries(state.data.link.choices)) asked.set(name, value);
  for (const [place, name] of state.data.link.legs.entries())
    asked.set(name, row.pairdeskPair[place]);
  linkOf(row).href = new URL(`./?${asked}`, document.baseURI).href;
}

/** @type {(event: MouseEvent, state: ScanState) => void} */
function clicked(event, state) {
  const row = rowOf(event);
  if (!row) return;
  const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
  if (isElsewhere && /** @type {Element} */ (event.target).closest("a")) return; // the browser's own: another tab
  event.preventDefault();
  const selection = getSelection();
  if (!isElsewhere && selection && !selection.isCollapsed && row.contains(selection.anchorNode))
    return;
  if (isElsewhere) {
    window.open(linkOf(row).href, "_blank", "noopener");
    return;
  }
  row.classList.add("opening");
  state.open(row.pairdeskPair);
}

/** @type {(event: KeyboardEvent, body: HTMLTableSectionElement) => void} */
function moved(event, body) {
  const rows = [...body.rows];
  const focused = rowOf(event);
  const at = focused ? rows.indexOf(focused) : -1;
  /** @type {Record<string, number>} */
  const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
  const next = rows[places[event.key]];
  if (!next) return;
  event.preventDefault();
  linkOf(rows[at]).tabIndex = -1;
  linkOf(next).tabIndex = 0;
  linkOf(next).focus();
}

export default settled(tell);
