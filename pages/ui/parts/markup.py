"""Small pieces of HTML in the page's own style. Every text is escaped here, once."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape as escape_html
from typing import Final, Literal
from urllib.parse import quote

from pages.charts.plain_text import bounded
from pages.ui.parts import formats

Tone = Literal["good", "wait", "bad", "muted", "sell", "buy", "leg-y", "leg-x"]

SPARK_WIDTH: Final = 96
SPARK_HEIGHT: Final = 24


def escape(words: str) -> str:
    """Make words text in HTML, no name in them without end."""
    return escape_html(bounded(words))


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
    spark: str = ""
    about: str = ""


@dataclass(frozen=True)
class Cell:
    """A table cell with a tone, or with running text instead of a number."""

    text: str
    tone: Tone | None = None
    words: bool = False


def block(*parts: str, kind: str = "div", css: str = "") -> str:
    """Wrap pieces into the page's text style."""
    classes = f"pd {css}".strip()
    return f'<{kind} class="{classes}">{"".join(parts)}</{kind}>'


def text(words: str, tone: Tone | None = None, kind: str = "span") -> str:
    """Escape running text."""
    css = f' class="pd-{tone}"' if tone else ""
    return f"<{kind}{css}>{escape(words)}</{kind}>"


def badge(words: str, tone: Tone) -> str:
    """Frame a word that must not be overlooked."""
    return f'<span class="pd-badge pd-{tone}">{escape(words)}</span>'


def pill(sign: str, word: str, number: str, tone: Tone) -> str:
    """Show a state: its sign, its word and the number that goes with it."""
    told = f" <span>{escape(number)}</span>" if number else ""
    return (
        f'<span class="pd-state pd-{tone}"><span aria-hidden="true">{escape(sign)}</span> '
        f"{escape(word)}{told}</span>"
    )


def heading(words: str, *, is_seen: bool = True) -> str:
    """Name the page; unseen where the page shows its subject by other means."""
    css = "" if is_seen else ' class="pd-unseen"'
    return f"<h1{css}>{escape(words)}</h1>"


def leg(symbol: str, price: str, note: str, tone: Tone, age_s: float | None = None) -> str:
    """Set a leg's symbol, its price, what goes with it, and how long ago that was."""
    ago = "" if age_s is None else f", {age(age_s)} ago"
    return (
        f'<span class="pd-leg"><span class="pd-{tone}">{escape(symbol)}</span> '
        f'<b>{escape(price)}</b> <span class="pd-muted">{escape(note)}{ago}</span></span>'
    )


def age(seconds: float) -> str:
    """Set how old something is; the browser counts on where no refresh comes."""
    return f'<span class="pd-age" data-age="{max(seconds, 0.0):.3f}">{formats.age(seconds)}</span>'


def slim(*pieces: str) -> str:
    """Set the line that repeats the head while that is scrolled away."""
    return f'<div class="pd-slim" aria-hidden="true">{"".join(pieces)}</div>'


def signal_block(
    word: str, icon: str, score: str, lines: Sequence[str], tone: Tone | None, rule: str,
    trade: str = "", caution: str = "",
) -> str:  # fmt: skip
    """Show the current signal large, with its z-score and the lines that explain it.

    `rule` is set as it is: its thresholds, with a link to how the signal is made. `trade` says what
    to buy and sell, `caution` what speaks against it.
    """
    css = f"pd-signal pd-{tone}" if tone else "pd-signal"
    told = f'<p class="pd-trade">{escape(trade)}</p>' if trade else ""
    if caution:
        told += f'<p class="pd-caution"><span aria-hidden="true">!</span> {escape(caution)}</p>'
    notes = (escape(lines[0]), rule, *map(escape, lines[1:]))
    told += f'<p class="pd-note">{" ".join(f"<span>{note}</span>" for note in notes)}</p>'
    return (
        f'<section class="{css}" aria-label="Current signal">'
        f'<p class="pd-word"><span aria-hidden="true">{escape(icon)}</span> {escape(word)} '
        f'<span class="pd-signal-z">z {escape(score)}</span></p>{told}</section>'
    )


def figures(items: Iterable[Figure]) -> str:
    """Lay figures out in a grid: label, value, what it rests on."""
    drawn = [_figure(item) for item in items]
    css = "pd-figures" if len(drawn) % 3 else "pd-figures pd-by-3"
    return f'<dl class="{css}">{"".join(drawn)}</dl>'


def _figure(item: Figure) -> str:
    tone = f' class="pd-{item.tone}"' if item.tone else ""
    tip = f' title="{escape(item.tip)}"' if item.tip else ""
    label = f"<span{tone}>{escape(item.label)}</span>"
    if item.about:
        label = about(item.about, label)
    line = f'<dd class="pd-line">{item.spark}</dd>' if item.spark else ""
    notes = " ".join(f"<span>{escape(note)}</span>" for note in item.notes if note)
    notes = f'<dd class="pd-note">{notes}</dd>' if notes else ""
    return (
        f'<div class="pd-figure"{tip}><dt>{label}</dt>'
        f'<dd class="pd-value">{escape(item.value)}</dd>{line}{notes}</div>'
    )


def about(entry: str, inner: str) -> str:
    """Link to the Methods page, in a tab of its own: the desk stays as it is."""
    return f'<a class="pd-about" href="methods#{escape(entry)}" target="_blank">{inner}</a>'


def spark(values: Sequence[float], label: str) -> str:
    """Draw a path as a small line; a hole stays a hole, and fewer than two values are no line.

    The line is a mask in the colour of the text around it, so that it suits both themes.
    """
    steps = _steps(values)
    if steps.count("L") < 1:
        return ""
    picture = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {SPARK_WIDTH} {SPARK_HEIGHT}' "
        f"preserveAspectRatio='none'><path d='{steps}' fill='none' stroke='#000' "
        "stroke-width='1.4' stroke-linejoin='round' vector-effect='non-scaling-stroke'/></svg>"
    )
    url = f"url(&quot;data:image/svg+xml,{quote(picture)}&quot;)"
    named = f'role="img" aria-label="{escape(label)}"'
    return f'<span class="pd-spark" {named} style="--line:{url}"></span>'


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


def explanations(items: Iterable[Figure]) -> str:
    """List what the figures mean, those that need saying."""
    told = (
        f"<dt>{escape(item.label)}</dt><dd>{escape(item.tip)}</dd>" for item in items if item.tip
    )
    return f'<dl class="pd-explained">{"".join(told)}</dl>'


def definitions(items: Iterable[tuple[str, str]]) -> str:
    """List names with what they stand for."""
    told = (f"<div><dt>{escape(name)}</dt><dd>{escape(words)}</dd></div>" for name, words in items)
    return f'<dl class="pd-defined">{"".join(told)}</dl>'


def contents(links: Iterable[tuple[str, str]]) -> str:
    """List what stands on a page, each with a link to its place."""
    told = "".join(f'<li><a href="#{escape(key)}">{escape(name)}</a></li>' for key, name in links)
    return f'<nav aria-label="On this page"><ul class="pd-contents">{told}</ul></nav>'


def table(caption: str, head: Sequence[str | Cell], rows: Iterable[Sequence[str | Cell]]) -> str:
    """Set a table; the first column names the row."""
    top = "".join(_cell(name, 'th scope="col"') for name in head)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return (
        # Reached by keyboard too, for where it has to be scrolled sideways.
        f'<div class="pd-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="pd-table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(cell: str | Cell, kind: str = "td") -> str:
    end = kind.partition(" ")[0]
    if isinstance(cell, str):
        return f"<{kind}>{escape(cell)}</{end}>"
    tone = f"pd-{cell.tone}" if cell.tone else ""
    css = f"{tone} {'pd-words' if cell.words else ''}".strip()
    return f'<{kind} class="{css}">{escape(cell.text)}</{end}>'


def notes(lines: Iterable[str]) -> str:
    """List what a careful reader should know."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="pd-notes">{items}</ul>'


ICONS: Final = {"SELL": "▼", "BUY": "▲", "NEUTRAL": "■"}


TONES: Final[dict[str, Tone]] = {"SELL": "sell", "BUY": "buy"}
