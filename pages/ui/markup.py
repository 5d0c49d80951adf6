"""Small pieces of HTML in the page's own style. Every text is escaped here, once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Tone = Literal["good", "wait", "bad", "muted", "sell", "buy", "leg-y", "leg-x"]


@dataclass(frozen=True)
class Figure:
    """One number with what it is and on how much data it rests."""

    label: str
    value: str
    notes: tuple[str, ...] = ()
    tone: Tone | None = None
    tip: str = ""


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


def labelled(name: str, value: str) -> str:
    """Set a name and its value in a strip."""
    return f"<span>{escape(name)} <b>{escape(value)}</b></span>"


def signal_block(word: str, icon: str, score: str, lines: Sequence[str], tone: Tone | None) -> str:
    """Show the current signal large, with its z-score and the lines that explain it."""
    css = f"pd-signal pd-{tone}" if tone else "pd-signal"
    told = "".join(f'<p class="pd-note">{escape(line)}</p>' for line in lines)
    return (
        f'<section class="{css}" aria-label="Current signal">'
        f'<p class="pd-word"><span aria-hidden="true">{escape(icon)}</span> {escape(word)}</p>'
        f'<p class="pd-signal-z">z {escape(score)}</p>{told}</section>'
    )


def figures(items: Iterable[Figure]) -> str:
    """Lay figures out in a grid: label, value, what it rests on."""
    return f'<dl class="pd-figures">{"".join(_figure(item) for item in items)}</dl>'


def _figure(item: Figure) -> str:
    tone = f' class="pd-{item.tone}"' if item.tone else ""
    tip = f' title="{escape(item.tip)}"' if item.tip else ""
    notes = "".join(f'<dd class="pd-note">{escape(note)}</dd>' for note in item.notes)
    return (
        f'<div class="pd-figure"{tip}><dt><span{tone}>{escape(item.label)}</span></dt>'
        f'<dd class="pd-value">{escape(item.value)}</dd>{notes}</div>'
    )


def explanations(items: Iterable[Figure]) -> str:
    """List what the figures mean, those that need saying."""
    told = (
        f"<dt>{escape(item.label)}</dt><dd>{escape(item.tip)}</dd>" for item in items if item.tip
    )
    return f'<dl class="pd-explained">{"".join(told)}</dl>'


def table(caption: str, head: Sequence[str | Cell], rows: Iterable[Sequence[str | Cell]]) -> str:
    """Set a table; the first column names the row."""
    top = "".join(_cell(name, 'th scope="col"') for name in head)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="pd-scroll"><table class="pd-table"><caption>{escape(caption)}</caption>'
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
