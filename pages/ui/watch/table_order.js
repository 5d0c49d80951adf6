// Which rows are shown, and in what order: text, signal, pins, a column, groups.

// As `rows.py` lays them out.
/** @type {(keyof WatchFigures)[]} */
const NAMES = [
  "problem",
  "zscore",
  "path",
  "signal",
  "since",
  "trade",
  "half",
  "pvalue",
  "testsAge",
  "correlation",
  "coverage",
  "yAge",
  "xAge",
  "alert",
  "alertId",
  "doubt",
];
/** @type {Record<string, [sign: string, word: string, css: string]>} */
export const SIGNALS = {
  S: ["▼", "SELL", "sell"],
  B: ["▲", "BUY", "buy"],
  N: ["■", "NEUTRAL", "neutral"],
};
export const NO_FIGURES = "No figures";

/** @type {(values: WatchValues | undefined) => WatchFigures} */
export function named(values) {
  const pairs = NAMES.map((name, place) => [name, values?.[place] ?? null]);
  return Object.fromEntries(pairs);
}

/** @type {(text: string | null) => number | null} */
function numberIn(text) {
  const number = Number.parseFloat((text ?? "").replaceAll(",", "").replace("<", ""));
  return Number.isNaN(number) ? null : number;
}

// What a column is sorted by; null is last, either way.
/** @type {Record<string, (row: WatchRow) => string | number | null>} */
export const SORTS = {
  pair: ({ standing }) => standing.pair.join("/"),
  zscore: ({ figures }) => figures.zscore,
  signal: ({ figures }) => (figures.signal ? "SBN".indexOf(figures.signal) : null),
  trade: ({ figures }) => figures.trade || null,
  half: ({ figures }) => numberIn(figures.half),
  pvalue: ({ figures }) => numberIn(figures.pvalue),
  correlation: ({ figures }) => figures.correlation,
  coverage: ({ figures }) => figures.coverage,
  age: ({ figures: { yAge, xAge } }) =>
    yAge === null || xAge === null ? null : Math.max(yAge, xAge),
  alert: ({ figures }) => figures.alertId || null,
};

// By what rows are grouped, and the word of those that have none.
/** @type {Record<string, (row: WatchRow) => string>} */
const GROUPS = {
  group: ({ standing }) => standing.group || "No group",
  signal: ({ figures }) => (figures.signal ? SIGNALS[figures.signal][1] : NO_FIGURES),
  interval: ({ standing }) => standing.interval,
};
const LAST_GROUPS = ["SELL", "BUY", "NEUTRAL", NO_FIGURES, "No group"];

/** @type {(left: string | number | null, right: string | number | null) => number} */
function compare(left, right) {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right));
}

/** @type {(row: WatchRow, view: WatchView) => boolean} */
function admits({ standing, figures }, { text, signal }) {
  if (signal && (figures.signal ?? "?") !== signal) return false;
  const word = figures.signal ? SIGNALS[figures.signal][1] : NO_FIGURES;
  const said = [...standing.pair, standing.words, standing.group, word, figures.problem ?? ""];
  const all = `${standing.pair.join("/")} ${said.join(" ")}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((part) => all.includes(part));
}

// The rows that the filter admits, pinned ones first, in the order of a column or as they are kept.
/** @type {(rows: WatchRow[], view: WatchView) => WatchRow[]} */
export function inOrder(rows, view) {
  const shown = rows.filter((row) => admits(row, view));
  const by = SORTS[view.column];
  return shown.sort((a, b) => {
    const pins = Number(b.standing.pinned) - Number(a.standing.pinned);
    if (pins || !by) return pins;
    const isUnknown = by(a) === null || by(b) === null;
    return compare(by(a), by(b)) * (view.isDown && !isUnknown ? -1 : 1);
  });
}

// The same in groups; one without a name where they are not grouped.
/** @type {(rows: WatchRow[], view: WatchView) => [name: string, rows: WatchRow[]][]} */
export function inGroups(rows, view) {
  const groupOf = GROUPS[view.by];
  const ordered = inOrder(rows, view);
  if (!groupOf) return ordered.length ? [["", ordered]] : [];
  /** @type {Map<string, WatchRow[]>} */
  const groups = new Map();
  for (const row of ordered) groups.set(groupOf(row), [...(groups.get(groupOf(row)) ?? []), row]);
  /** @type {(name: string) => number} */
  const last = (name) => LAST_GROUPS.indexOf(name);
  return [...groups].sort(([a], [b]) => last(a) - last(b) || a.localeCompare(b));
}
