// Spans of time: [from, to] in ms, or null for all there is. `whole` is what there is data for.

import { isoWords, wallShift } from "./chart_time.js";

// What of a span there is data for; null where that is nothing of it, or everything.
/** @type {(span: Span | null, whole: Span) => Span | null} */
export function spanWithin(span, whole) {
  if (!span) return null;
  const from = Math.max(span[0], whole[0]);
  const to = Math.min(span[1], whole[1]);
  if (to <= from || (from <= whole[0] && to >= whole[1])) return null;
  return [from, to];
}

// A span that was moved beyond an end stays as wide as it is, and stands at that end.
/** @type {(span: Span, whole: Span) => Span} */
export function spanMovedInside([from, to], whole) {
  const back = Math.max(whole[0] - from, 0) || Math.min(whole[1] - to, 0);
  return [from + back, to + back];
}

/** @type {(span: Span, whole: Span) => Span} */
export function spanAtEnd([from, to], whole) {
  return [from + whole[1] - to, whole[1]];
}

/** @type {(span: Span | null, ms: number) => Span | null} */
export function movedBy(span, ms) {
  return span && [span[0] + ms, span[1] + ms];
}

/** @type {[string, number][]} */
const UNITS = [
  ["h", 3600],
  ["min", 60],
];

/** @type {(spanMs: number) => string} */
export function spanWords(spanMs) {
  const seconds = spanMs / 1000;
  const [unit, length] = UNITS.find(([, least]) => seconds >= least) ?? ["s", 1];
  return `${Number((seconds / length).toPrecision(3))} ${unit}`;
}

// As the wall's clock writes it: "2026-11-27 21:40:12".
/** @type {(ms: number, clock: Clock) => string} */
export function wallWords(ms, clock) {
  return isoWords(ms + wallShift(ms, clock))
    .slice(0, 19)
    .replace("T", " ");
}

// Two moments, the date once where both are of one day.
/** @type {(span: Span, clock: Clock) => string} */
export function spanOfWords([from, to], clock) {
  const [first, last] = [wallWords(from, clock), wallWords(to, clock)];
  return `${first} to ${first.slice(0, 10) === last.slice(0, 10) ? last.slice(11) : last}`;
}
