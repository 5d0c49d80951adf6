"""Text in figures is text: plotly.js would render tags in names, titles and labels, links too.

Symbols and names come from files and links. The only marks our own figures use are the end of a
line and what a hover label shows beside it.
"""

import re
from typing import Any, Final

import orjson

# As JSON has them, also where `<`, `>` and `/` are written by their numbers.
_TAG: Final = re.compile(r"(?:<|\\u003c)(?!(?:br|(?:/|\\u002f)?extra)(?:>|\\u003e))", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"&(?=#?\w+;)")


def plain_json(figure: str) -> str:
    """Keep any text of a figure, given as JSON, from being rendered as more than text."""
    return _TAG.sub("&lt;", _REFERENCE.sub("&amp;", figure))


def plain_figure(figure: dict[str, Any]) -> dict[str, Any]:
    """Do the same with traces and layout as a mapping that JSON can hold.

    Its `meta` stays as it is: our own scripts set it, as text.
    """
    plain: dict[str, Any] = orjson.loads(plain_json(orjson.dumps(figure).decode()))
    meta = figure.get("layout", {}).get("meta")
    return plain if meta is None else {**plain, "layout": {**plain["layout"], "meta": meta}}
