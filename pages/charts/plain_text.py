"""Text in figures is text: plotly.js would render tags in names, titles and labels, links too.

Symbols and names come from files and links. The only marks our own figures use are the end of a
line and what a hover label shows beside it. What is too long to be a name is cut: a database that
somebody else made may hold any.
"""

import re
from typing import Any, Final

import orjson

# As JSON has them, also where `<`, `>` and `/` are written by their numbers.
_TAG: Final = re.compile(r"(?:<|\\u003c)(?!(?:br|(?:/|\\u002f)?extra)(?:>|\\u003e))", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"&(?=#?\w+;)")
LONGEST_NAME: Final = 80  # characters
# Letters in a row, or what else has no space in it, as a path or a message of the exchange's.
_OVERLONG: Final = re.compile(rf"\w{{{LONGEST_NAME + 1},}}|[^\s<>]{{241,}}")
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_PACKED: Final = '"bdata":'  # numbers, not words


def bounded(words: str) -> str:
    """Cut whatever in a text is longer than any name."""
    if len(words) <= LONGEST_NAME:
        return words
    return _OVERLONG.sub(lambda match: f"{match[0][: LONGEST_NAME - 1]}…", words)


def _bounded_string(match: re.Match[str]) -> str:
    string = match[0]
    start = match.start()
    if len(string) <= LONGEST_NAME or match.string[start - len(_PACKED) : start] == _PACKED:
        return string
    words = orjson.loads(string)
    cut = bounded(words)
    return string if cut == words else orjson.dumps(cut).decode()


def plain_json(figure: str) -> str:
    """Keep any text of a figure, given as JSON, from being rendered as more than text."""
    return _TAG.sub("&lt;", _REFERENCE.sub("&amp;", _STRING.sub(_bounded_string, figure)))


def plain_figure(figure: dict[str, Any]) -> dict[str, Any]:
    """Do the same with traces and layout as a mapping that JSON can hold.

    Its `meta` stays as it is: our own scripts set it, as text.
    """
    plain: dict[str, Any] = orjson.loads(plain_json(orjson.dumps(figure).decode()))
    meta = figure.get("layout", {}).get("meta")
    return plain if meta is None else {**plain, "layout": {**plain["layout"], "meta": meta}}
