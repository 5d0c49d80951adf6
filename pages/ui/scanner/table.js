// The scan's table: a row is a link to its pair on Live. Sorted here, so that no page runs for it.

const SPARK_WIDTH = 96;
const SPARK_HEIGHT = 22;

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const host = parentElement.querySelector(".pd-scan");
  const state = (host.pairdeskScan ??= begin(host));
  Object.assign(state, { data, open: (pair) => setTriggerValue("open", pair) });
  host.querySelector("caption").textContent = data.caption;
  showHead(host, state);
  showRows(host, state);
}

// The first time: called again with each change of the data, the order and the listeners stay.
function begin(host) {
  const state = { column: -1, isDown: false };
  const body = host.querySelector("tbody");
  const named = (event) => address(event.target.closest("tr"), state);
  body.addEventListener("pointerdown", named);
  body.addEventListener("focusin", named);
  body.addEventListener("click", (event) => clicked(event, state));
  body.addEventListener("keydown", (event) => moved(event, body));
  return state;
}

function element(kind, css, text) {
  const made = document.createElement(kind);
  if (css) made.className = css;
  if (text !== undefined) made.textContent = text;
  return made;
}

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
      host.querySelectorAll("thead th")[place].querySelector("button").focus();
    };
    cell.append(button);
    return cell;
  });
  host.querySelector("thead tr").replaceChildren(...cells);
}

function compare(left, right) {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  return typeof left === "string" ? left.localeCompare(right) : left - right;
}

export function inOrder(state) {
  const rows = state.data.rows.slice();
  if (state.column < 0) return rows;
  const of = (row) => row.cells[state.column][1];
  rows.sort((a, b) => {
    const isUnknown = of(a) === null || of(b) === null; // last, either way
    return compare(of(a), of(b)) * (state.isDown && !isUnknown ? -1 : 1);
  });
  return rows;
}

function showRows(host, state) {
  const body = host.querySelector("tbody");
  const { activeElement: active } = document;
  const focused = body.contains(active) ? active?.closest("tr")?.dataset.pair : null;
  const rows = inOrder(state).map((row) => drawRow(row, state.data.columns));
  body.replaceChildren(...rows);
  const kept = rows.find((row) => row.dataset.pair === focused);
  (kept ?? rows[0])?.querySelector("a").setAttribute("tabindex", "0");
  kept?.querySelector("a").focus({ preventScroll: true });
}

function drawRow(row, columns) {
  const drawn = element("tr");
  drawn.dataset.pair = row.pair.join("/");
  drawn.pairdeskPair = row.pair;
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

// The same settings on Live, with this pair: for a tab of its own, and to be copied.
function address(row, state) {
  if (!row) return;
  const asked = new URLSearchParams(location.search);
  for (const name of [...asked.keys()]) if (name.startsWith("scan_")) asked.delete(name);
  for (const [name, value] of Object.entries(state.data.link.choices)) asked.set(name, value);
  for (const [place, name] of state.data.link.legs.entries())
    asked.set(name, row.pairdeskPair[place]);
  row.querySelector("a").href = new URL(`./?${asked}`, document.baseURI).href;
}

function clicked(event, state) {
  const row = event.target.closest("tr");
  const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
  if (isElsewhere && event.target.closest("a")) return; // the browser's own: another tab
  event.preventDefault();
  const selection = getSelection();
  if (!isElsewhere && selection && !selection.isCollapsed && row.contains(selection.anchorNode))
    return;
  if (isElsewhere) {
    window.open(row.querySelector("a").href, "_blank", "noopener");
    return;
  }
  row.classList.add("opening");
  state.open(row.pairdeskPair);
}

function moved(event, body) {
  const rows = [...body.rows];
  const at = rows.indexOf(event.target.closest("tr"));
  const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
  const next = rows[places[event.key]];
  if (!next) return;
  event.preventDefault();
  rows[at].querySelector("a").tabIndex = -1;
  next.querySelector("a").tabIndex = 0;
  next.querySelector("a").focus();
}
