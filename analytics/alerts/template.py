"""The reader's own words of an alert: names in braces and plain formats, and nothing else."""

import math
import re
from collections.abc import Mapping
from string import Formatter
from typing import Final

from analytics.errors import ParameterError

LONGEST_TEMPLATE: Final = 500
LONGEST_WORDS: Final = 1_000
TEXTS: Final = ("pair", "y", "x", "rule", "signal", "bar")
# How each figure is written where the template does not say.
FIGURES: Final[Mapping[str, str]] = {
    "zscore": "+.2f",
    "value": ".6g",
    "level": ".6g",
    "spread": ".6g",
    "beta": ".6g",
    "correlation": ".2f",
    "price_y": ".10g",
    "price_x": ".10g",
}
FIELDS: Final = (*TEXTS, *FIGURES)
_PLAIN_FORMAT: Final = re.compile(r"\+?,?(\.\d{1,2})?[efg%]?", re.ASCII)
_UNKNOWN: Final = "not known"


def check_template(template: str) -> None:
    """ParameterError unless it is short and names `FIELDS` alone, figures in plain formats."""
    if not template.strip() or len(template) > LONGEST_TEMPLATE:
        allowed = f"1 to {LONGEST_TEMPLATE} characters, not spaces alone"
        raise ParameterError("message", template[:40], allowed)
    if not template.replace("\n", " ").isprintable():
        raise ParameterError("message", template[:40], "printable text")
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        allowed = f"text with names in braces; {{{{ for a brace ({error})"
        raise ParameterError("message", template, allowed) from None
    for _, name, spec, conversion in parts:
        if name is not None:
            _check_field(name, spec or "", conversion)


def _check_field(name: str, spec: str, conversion: str | None) -> None:
    if name not in FIELDS:
        known = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise ParameterError("message", f"{{{name}}}", f"one of {known}")
    if conversion is not None:
        raise ParameterError("message", f"{{{name}!{conversion}}}", f"{{{name}}} without a !")
    if spec and (name in TEXTS or not _PLAIN_FORMAT.fullmatch(spec)):
        plain = f"{{{name}}}" if name in TEXTS else f"a plain format, as {{{name}:+.2f}}"
        raise ParameterError("message", f"{{{name}:{spec}}}", plain)


def filled(template: str, texts: Mapping[str, str], figures: Mapping[str, float]) -> str:
    """Fill a template that `check_template` lets pass; NaN is "not known"."""
    words = []
    for literal, name, spec, _ in Formatter().parse(template):
        words.append(literal)
        if name is not None:
            is_figure = name in figures
            words.append(
                _figure(figures[name], spec or FIGURES[name]) if is_figure else texts[name]
            )
    return "".join(words)[:LONGEST_WORDS]


def _figure(value: float, spec: str) -> str:
    """Write a figure; 0 has no sign of its own."""
    without_sign = spec.removeprefix("+")
    sign = spec[: len(spec) - len(without_sign)]
    return _UNKNOWN if math.isnan(value) else format(value, f"{sign}z{without_sign}")
