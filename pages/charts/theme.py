"""Colours by meaning, said once: what a figure carries and which CSS variable replaces it.

A figure is drawn in the light colours below, so that it is complete by itself. In the page
the chart component swaps each of them for the value of its Streamlit CSS variable, which is
how one figure serves the light and the dark theme. Blue (BUY) against orange (SELL) is a
pair that stays apart for the usual kinds of colour blindness.
"""

from typing import Final

LEG_Y: Final = "#00796b"
LEG_X: Final = "#8e4b9e"
BUY: Final = "#0b62b8"
SELL: Final = "#b84a00"
SERIES: Final = "#1c2430"
MUTED: Final = "#6b7480"
GRID: Final = "#d9dde3"
BAND: Final = "#e9ecf0"
PAPER: Final = "#ffffff"

CSS_VARIABLES: Final[dict[str, str]] = {
    LEG_Y: "--st-green-color",
    LEG_X: "--st-violet-color",
    BUY: "--st-blue-color",
    SELL: "--st-orange-color",
    SERIES: "--st-text-color",
    MUTED: "--st-gray-color",
    GRID: "--st-border-color",
    BAND: "--st-gray-background-color",
    PAPER: "--st-background-color",
}
"""Light colour of a role -> the CSS variable that holds it in the reader's theme."""

LINE_WIDTH: Final = 1.2
# The legs are told apart without colours too: one broad and whole, the other narrow and dashed.
LEG_WIDTHS: Final = (1.8, 1.2)
LEG_DASHES: Final = ("solid", "5px,2px")
FONT_SIZE: Final = 12
HELD_OPACITY: Final = 0.13
VOLUME_OPACITIES: Final = (0.7, 0.25)


def faded(color: str, opacity: float) -> str:
    """Give a colour of six hex digits an opacity."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
