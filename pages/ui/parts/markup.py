"""Small pieces of HTML in the page's own style. Text is escaped as it is put into one, once."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, Self
from urllib.parse import quote

import streamlit as st
from markupsafe import Markup, escape
from streamlit.delta_generator import DeltaGenerator

from pages.charts.plain_text import bounded
from pages.ui.parts import formats

Tone = Literal["good", "wait", "bad", "muted", "sell", "buy", "leg-y", "leg-x"]

SPARK_WIDTH: Final = 96
SPARK_HEIGHT: Final = 24


class Html(Markup):
    """HTML, which is no plain text: a function that wants the one is not given the other.

    Made from what stands in the code; text comes into it by `format`, `join` or `+`, which escape
    it and leave no name in it without end.
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        """Say to Streamlit that it is HTML: it looks for no file of such a name then."""
        return str(self)

    @classmethod
    def escape(cls, s: object, /) -> Self:
        """Make text HTML; what is HTML already stays as it is."""
        return s if isinstance(s, cls) else cls(_escaped(s))

    def format(self, *args: object, **kwargs: object) -> Self:
        """Put pieces in, each by its place or name alone.

        A table of 500 cells takes 1.7 ms so; the inherited way, which reads the format of every
        field, 5.6.
        """
        named = {name: _escaped(piece) for name, piece in kwargs.items()}
        return type(self)(str.format(self, *map(_escaped, args), **named))


def whole(text: str) -> Html:
    """Escape a text however long it is: an address that is cut leads nowhere."""
    return Html("{}").format(escape(text))


def _escaped(piece: object) -> Markup:
    if isinstance(piece, Markup):
        return piece
    return escape(bounded(str(piece)))


NOTHING: Final = Html()


@dataclass(frozen=True)
class Figure:
    """One number with what it is and on how much data it rests.

    `spark` is a sparkline by `spark`; `about` names the entry of the Methods page that says how the
    number is made.
    """

    label: str
    value: str
    notes: tuple[str, ...] = ()
    tone: Tone | None = None
    tip: str = ""
    spark: Html = NOTHING
    about: str = ""


@dataclass(frozen=True)
class Cell:
    """A table cell with a tone, or with running text instead of a number."""

    text: str
    tone: Tone | None = None
    words: bool = False


def show(piece: Html, place: DeltaGenerator | None = None) -> None:
    """Show a piece on the page, or in a place of its own."""
    (st if place is None else place).html(piece)


def block(*parts: Html, kind: str = "div", css: str = "") -> Html:
    """Wrap pieces into the page's text style."""
    classes = f"pd {css}".strip()
    return Html('<{0} class="{1}">{2}</{0}>').format(kind, classes, join(parts))


def join(parts: Iterable[Html], between: str = "") -> Html:
    """Set pieces one after the other."""
    return Html.escape(between).join(parts)


def text(words: str, tone: Tone | None = None, kind: str = "span") -> Html:
    """Set running text."""
    css = Html(' class="pd-{}"').format(tone) if tone else ""
    return Html("<{0}{1}>{2}</{0}>").format(kind, css, words)


def badge(words: str, tone: Tone) -> Html:
    """Frame a word that must not be overlooked."""
    return Html('<span class="pd-badge pd-{}">{}</span>').format(tone, words)


def heading(words: str | Html, *, is_seen: bool = True) -> Html:
    """Name the page; unseen where the page shows its subject by other means."""
    css = "" if is_seen else Html(' class="pd-unseen"')
    return Html("<h1{}>{}</h1>").format(css, words)


def pair(y: str, x: str) -> Html:
    """Set both symbols, each in its leg's colour."""
    return Html("{} / {}").format(text(y, "leg-y"), text(x, "leg-x"))


def paragraphs(lines: Iterable[str]) -> Html:
    """Set each line as a paragraph."""
    return join(text(line, kind="p") for line in lines)


def leg(symbol: str, price: str, note: str, tone: Tone, age_s: float | None = None) -> Html:
    """Set a leg's symbol, its price, what goes with it, and how long ago that was."""
    ago = "" if age_s is None else Html(", {} ago").format(age(age_s))
    return Html(
        '<span class="pd-leg"><span class="pd-{}">{}</span> '
        '<b>{}</b> <span class="pd-muted">{}{}</span></span>'
    ).format(tone, symbol, price, note, ago)


def age(seconds: float) -> Html:
    """Set how old something is; the browser counts on where no refresh comes."""
    return Html('<span class="pd-age" data-age="{}">{}</span>').format(
        f"{max(seconds, 0.0):.3f}", formats.age(seconds)
    )


def slim(*pieces: Html) -> Html:
    """Set the line that repeats the head while that is scrolled away."""
    return Html('<div class="pd-slim" aria-hidden="true">{}</div>').format(join(pieces))


def signal_block(
    word: str, icon: str, score: str, lines: Sequence[str], tone: Tone | None, rule: Html,
    trade: str = "", caution: str = "",
) -> Html:  # fmt: skip
    """Show the current signal large, with its z-score and the lines that explain it.

    `rule` holds its thresholds, with a link to how the signal is made. `trade` says what to buy and
    sell, `caution` what speaks against it.
    """
    below = Html('<p class="pd-trade">{}</p>').format(trade) if trade else NOTHING
    if caution:
        sign = Html('<p class="pd-caution"><span aria-hidden="true">!</span> {}</p>')
        below += sign.format(caution)
    notes = (lines[0], rule, *lines[1:])
    below += Html('<p class="pd-note">{}</p>').format(_spans(notes))
    return Html(
        '<section class="{}" aria-label="Current signal">'
        '<p class="pd-word"><span aria-hidden="true">{}</span> {} '
        '<span class="pd-signal-z">z {}</span></p>{}</section>'
    ).format(f"pd-signal pd-{tone}" if tone else "pd-signal", icon, word, score, below)


def _spans(pieces: Iterable[str | Html]) -> Html:
    return join((Html("<span>{}</span>").format(piece) for piece in pieces), " ")


def figures(items: Iterable[Figure]) -> Html:
    """Lay figures out in a grid: label, value, what it rests on."""
    drawn = [_figure(item) for item in items]
    css = "pd-figures" if len(drawn) % 3 else "pd-figures pd-by-3"
    return Html('<dl class="{}">{}</dl>').format(css, join(drawn))


def _figure(item: Figure) -> Html:
    tip = Html(' title="{}"').format(item.tip) if item.tip else ""
    label = text(item.label, item.tone)
    if item.about:
        label = about(item.about, label)
    line = Html('<dd class="pd-line">{}</dd>').format(item.spark) if item.spark else ""
    notes = _spans(note for note in item.notes if note)
    notes = Html('<dd class="pd-note">{}</dd>').format(notes) if notes else notes
    return Html(
        '<div class="pd-figure"{}><dt>{}</dt><dd class="pd-value">{}</dd>{}{}</div>'
    ).format(tip, label, item.value, line, notes)


def about(entry: str, inner: Html) -> Html:
    """Link to the Methods page, in a tab of its own: the desk stays as it is."""
    link = Html('<a class="pd-about" href="methods#{}" target="_blank">{}</a>')
    return link.format(entry, inner)


# Of letters, digits, points and spaces the steps of a path are made: quoted by itself the rest is
# the same each time.
_BEFORE_STEPS: Final = quote(
    f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {SPARK_WIDTH} {SPARK_HEIGHT}' "
    "preserveAspectRatio='none'><path d='"
)
_BEHIND_STEPS: Final = quote(
    "' fill='none' stroke='#000' "
    "stroke-width='1.4' stroke-linejoin='round' vector-effect='non-scaling-stroke'/></svg>"
)


def spark(values: Sequence[float], label: str) -> Html:
    """Draw a path as a small line; a hole stays a hole, and fewer than two values are no line.

    The line is a mask in the colour of the text around it, so that it suits both themes.
    """
    steps = _steps(values)
    if steps.count("L") < 1:
        return NOTHING
    return Html(
        '<span class="pd-spark" role="img" aria-label="{}" '
        'style="--line:url(&quot;data:image/svg+xml,{}&quot;)"></span>'
    ).format(label, Markup.escape(_BEFORE_STEPS + steps.replace(" ", "%20") + _BEHIND_STEPS))


def _steps(values: Sequence[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    scale = (SPARK_HEIGHT - 2) / (high - low) if high > low else 0.0
    across = SPARK_WIDTH / max(len(values) - 1, 1)
    steps, joined = [], False
    for place, value in enumerate(values):
        if math.isfinite(value):
            y = SPARK_HEIGHT - 1 - (value - low) * scale if scale else SPARK_HEIGHT / 2
            steps.append(f"{'L' if joined else 'M'}{place * across:.1f} {y:.1f}")
        joined = math.isfinite(value)
    return "".join(steps)


def explanations(items: Iterable[Figure]) -> Html:
    """List what the figures mean, those that need saying."""
    pairs = ((item.label, item.tip) for item in items if item.tip)
    entries = (Html("<dt>{}</dt><dd>{}</dd>").format(*pair) for pair in pairs)
    return Html('<dl class="pd-explained">{}</dl>').format(join(entries))


def definitions(items: Iterable[tuple[str, str]]) -> Html:
    """List names with what they stand for."""
    entries = (Html("<div><dt>{}</dt><dd>{}</dd></div>").format(*item) for item in items)
    return Html('<dl class="pd-defined">{}</dl>').format(join(entries))


def contents(links: Iterable[tuple[str, str]]) -> Html:
    """List what stands on a page, each with a link to its place."""
    entries = (Html('<li><a href="#{}">{}</a></li>').format(*link) for link in links)
    return Html('<nav aria-label="On this page"><ul class="pd-contents">{}</ul></nav>').format(
        join(entries)
    )


def table(caption: str, head: Sequence[str | Cell], rows: Iterable[Sequence[str | Cell]]) -> Html:
    """Set a table; the first column names the row."""
    top = join(_cell(name, "th", Html(' scope="col"')) for name in head)
    body = join(map(_row, rows))
    return Html(
        # Reached by keyboard too, for where it has to be scrolled sideways.
        '<div class="pd-scroll" tabindex="0" role="region" aria-label="{0}">'
        '<table class="pd-table"><caption>{0}</caption>'
        "<thead><tr>{1}</tr></thead><tbody>{2}</tbody></table></div>"
    ).format(caption, top, body)


_PLAIN_CELL: Final = Html("<{0}{1}>{2}</{0}>")
_CELL: Final = Html('<{0}{1} class="{2}">{3}</{0}>')


def _row(cells: Sequence[str | Cell]) -> Html:
    """Set a row: at once where it is of plain cells, as most are."""
    if any(isinstance(cell, Cell) for cell in cells):
        return Html("<tr>{}</tr>").format(join(map(_cell, cells)))
    return _plain_row(len(cells)).format(*cells)


@lru_cache(maxsize=64)
def _plain_row(cells: int) -> Html:
    return Html("<tr>{}</tr>").format(Html("<td>{}</td>") * cells)


def _cell(cell: str | Cell, kind: str = "td", says: Html = NOTHING) -> Html:
    if isinstance(cell, str):
        return _PLAIN_CELL.format(kind, says, cell)
    tone = f"pd-{cell.tone}" if cell.tone else ""
    css = f"{tone} {'pd-words' if cell.words else ''}".strip()
    return _CELL.format(kind, says, css, cell.text)


def notes(lines: Iterable[str]) -> Html:
    """List what a careful reader should know."""
    items = join(Html("<li>{}</li>").format(line) for line in lines)
    return Html('<ul class="pd-notes">{}</ul>').format(items)


ICONS: Final = {"SELL": "▼", "BUY": "▲", "NEUTRAL": "■"}
TONES: Final[dict[str, Tone]] = {"SELL": "sell", "BUY": "buy"}
