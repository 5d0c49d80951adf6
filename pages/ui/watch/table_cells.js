// How a row looks: its cells, each drawn again only where its figures changed.

import { ageWords } from "../age.js";
import { named, SIGNALS } from "./table_order.js";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const WIDTH = 96;
const PATH_HEIGHT = 22;
const BAR_HEIGHT = 10;
const HIGHEST_Z = 3;
const NOT_KNOWN = "–";
const COVERAGE = ["traded", "quiet", "missing"];
const DOUBTS = ["", "Not shown to revert", "Half-life longer than the window"];

/** @type {<Kind extends keyof HTMLElementTagNameMap>(kind: Kind, css?: string, text?: string) => HTMLElementTagNameMap[Kind]} */
export function element(kind, css, text) {
  const made = document.createElement(kind);
  if (css) made.className = css;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** @type {(kind: string, attributes: Record<string, string | number>) => SVGElement} */
function shape(kind, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** @type {(css: string, height: number, shapes: SVGElement[]) => SVGElement} */
function picture(css, height, shapes) {
  const viewBox = `0 0 ${WIDTH} ${height}`;
  const stretched = { preserveAspectRatio: "none", "aria-hidden": "true" };
  const made = shape("svg", { class: css, viewBox, ...stretched });
  made.append(...shapes);
  return made;
}

/** @type {(zscore: number) => number} */
const bounded = (zscore) => Math.max(-HIGHEST_Z, Math.min(HIGHEST_Z, zscore));

/** @type {(value: number, decimals: number) => string} */
const fixed = (value, decimals) => value.toFixed(decimals).replace("-", "−");

/** @type {(zscore: number | null) => string} */
export const zscoreWords = (zscore) => {
  if (zscore === null) return NOT_KNOWN;
  const sign = Object.is(zscore, -0) ? "−" : zscore < 0 ? "" : "+"; // as Live has what rounds to 0
  return sign + fixed(zscore, 2);
};

// Steps of a line: a hole stays a hole.
/** @type {(letters: string) => string} */
export function pathSteps(letters) {
  const across = WIDTH / Math.max(letters.length - 1, 1);
  let isJoined = false;
  return [...letters]
    .map((letter, place) => {
      const step = LETTERS.indexOf(letter);
      if (step < 0) {
        isJoined = false;
        return "";
      }
      const y = PATH_HEIGHT - 1 - (step / (LETTERS.length - 1)) * (PATH_HEIGHT - 2);
      const sign = isJoined ? "L" : "M";
      isJoined = true;
      return `${sign}${(place * across).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

/** @type {(levels: number[]) => SVGElement[]} */
function pathLevels(levels) {
  return levels.map((level, place) => {
    const share = (bounded(level) + HIGHEST_Z) / (2 * HIGHEST_Z);
    const y = PATH_HEIGHT - 1 - share * (PATH_HEIGHT - 2);
    return shape("line", { class: place ? "buy" : "sell", x1: 0, x2: WIDTH, y1: y, y2: y });
  });
}

/** @type {(zscore: number) => number} */
const across = (zscore) => ((bounded(zscore) + HIGHEST_Z) / (2 * HIGHEST_Z)) * WIDTH;

// z from its mean, between the marks of both thresholds.
/** @type {(zscore: number, levels: number[], css: string) => SVGElement} */
function zscoreBar(zscore, levels, css) {
  const middle = BAR_HEIGHT / 2;
  const [from, to] = [across(0), across(zscore)].sort((a, b) => a - b);
  const marks = levels.map((level, place) => {
    const x = across(level);
    const turn = place ? BAR_HEIGHT : 0; // SELL's mark points down, BUY's up
    const points = `${x - 3},${turn} ${x + 3},${turn} ${x},${middle}`;
    return shape("polygon", { class: place ? "buy" : "sell", points });
  });
  return picture("bar", BAR_HEIGHT, [
    shape("line", { x1: 0, x2: WIDTH, y1: middle, y2: middle }),
    shape("rect", { class: css, x: from, y: middle - 2, width: Math.max(to - from, 1), height: 4 }),
    ...marks,
  ]);
}

/** @type {(figures: WatchFigures) => string} */
const tone = (figures) => (figures.signal ? SIGNALS[figures.signal][2] : "neutral");

/** @type {(text: string) => HTMLElement} */
const note = (text) => element("small", "", text);

// What is drawn into a cell, and the figures that it is drawn from.
/** @type {Record<string, { of: (keyof WatchFigures)[], draw(row: WatchRow): (Node | string)[] }>} */
const CELLS = {
  zscore: {
    of: ["zscore", "path", "signal"],
    draw({ figures, standing }) {
      const words = element("b", "", zscoreWords(figures.zscore));
      const steps = pathSteps(figures.path ?? "");
      const lines = [...pathLevels(standing.levels), shape("path", { d: steps })];
      const path = picture("path", PATH_HEIGHT, lines);
      const bar =
        figures.zscore === null ? [] : [zscoreBar(figures.zscore, standing.levels, tone(figures))];
      const drawn = element("span", "drawn");
      drawn.append(path, ...bar);
      return [words, drawn];
    },
  },
  signal: {
    of: ["signal", "since", "doubt"],
    draw({ figures }) {
      const [sign, word] = SIGNALS[figures.signal ?? "N"];
      const said = element("b", tone(figures), ` ${word}`);
      const icon = element("span", "", sign);
      icon.ariaHidden = "true";
      said.prepend(icon);
      const doubt = DOUBTS[figures.doubt ?? 0];
      const mark = element("span", "doubt", "!");
      mark.title = doubt;
      mark.role = "img";
      mark.ariaLabel = doubt;
      return [
        said,
        ...(doubt ? [" ", mark] : []),
        note(figures.since ? `since ${figures.since}` : ""),
      ];
    },
  },
  trade: { of: ["trade"], draw: ({ figures }) => [figures.trade ?? ""] },
  half: { of: ["half"], draw: ({ figures }) => [figures.half || NOT_KNOWN] },
  pvalue: {
    of: ["pvalue", "testsAge"],
    draw({ figures: { pvalue, testsAge } }) {
      const age = testsAge ? `${ageWords(testsAge)} old` : "";
      return [pvalue || NOT_KNOWN, note(age)];
    },
  },
  correlation: {
    of: ["correlation"],
    draw: ({ figures: { correlation } }) => [
      correlation === null ? NOT_KNOWN : fixed(correlation, 3),
    ],
  },
  coverage: {
    of: ["coverage"],
    draw({ figures: { coverage }, standing: { pair } }) {
      const legs = [Math.trunc((coverage ?? 0) / 3), (coverage ?? 0) % 3];
      const names = pair.length > 1 ? pair : ["S1", "another leg"];
      const odd = legs.flatMap((code, leg) =>
        code ? [note(`${names[leg]} ${COVERAGE[code]}`)] : [],
      );
      return odd.length ? odd : [pair.length > 1 ? "both traded" : "all traded"];
    },
  },
  age: {
    of: ["yAge", "xAge"],
    draw: ({ figures: { yAge, xAge } }) =>
      [yAge, xAge].map((age) => note(age === null ? NOT_KNOWN : ageWords(age))),
  },
  alert: { of: ["alert"], draw: ({ figures }) => [figures.alert ?? ""] },
};

/** @type {(standing: WatchStanding, columns: WatchColumn[], known?: WatchRow) => WatchRow} */
export function drawRow(standing, columns, known) {
  const line = element("tr");
  line.dataset.row = standing.id;
  line.dataset.pair = standing.pair.join("/");
  /** @type {WatchRow} */
  const row = {
    standing,
    figures: known?.figures ?? named(undefined),
    line,
    link: element("a", "", standing.pair.join(" / ")),
    box: element("input"),
    pin: element("button", "pin", standing.pinned ? "★" : "☆"),
    problem: element("td", "problem"),
    cells: {},
    drawn: {},
  };
  for (const { key } of columns) {
    const cell = element(key === "pair" ? "th" : "td", key);
    if (key === "pick") cell.append(...pickers(row));
    else if (key === "pair") cell.append(...nameOf(row));
    else row.cells[key] = cell;
    line.append(cell);
  }
  row.problem.colSpan = Object.keys(row.cells).length;
  line.append(row.problem);
  return row;
}

/** @type {(row: WatchRow) => Node[]} */
function pickers({ standing, box, pin }) {
  const name = standing.pair.join(" / ");
  box.type = "checkbox";
  box.ariaLabel = `Pick ${name}, ${standing.words}`;
  box.tabIndex = -1;
  pin.type = "button";
  pin.tabIndex = -1;
  pin.ariaLabel = `Pin ${name}`;
  pin.ariaPressed = String(standing.pinned);
  pin.title = standing.pinned ? "Pinned: stands first" : "Pin: stands first then";
  return [box, pin];
}

/** @type {(row: WatchRow) => Node[]} */
function nameOf({ standing, link }) {
  link.href = "#";
  link.tabIndex = -1;
  link.setAttribute("aria-label", `${link.textContent}, ${standing.words}, open on Live`);
  const group = standing.group ? [element("small", "group", standing.group)] : [];
  return [link, note(standing.words), ...group];
}

/** @type {(row: WatchRow) => void} */
export function drawFigures(row) {
  const lacks = row.figures.signal === null;
  const problem = row.figures.problem ?? "";
  if (row.drawn.problem !== `${lacks}${problem}`) {
    row.drawn.problem = `${lacks}${problem}`;
    row.problem.textContent = problem;
    row.problem.hidden = !lacks;
    row.line.title = lacks ? "" : problem;
    row.line.classList.toggle("lacks", lacks);
    for (const cell of Object.values(row.cells)) cell.hidden = lacks;
  }
  if (lacks) return;
  for (const [key, cell] of Object.entries(row.cells)) {
    const made = CELLS[key].of.map((name) => row.figures[name]).join("|");
    if (row.drawn[key] === made) continue;
    row.drawn[key] = made;
    cell.replaceChildren(...CELLS[key].draw(row));
  }
}
