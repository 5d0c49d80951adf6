"""Sentences of the data page."""

from typing import Final

NO_JOBS: Final = "This process takes in no history: the page shows what is held."
EMPTY: Final = (
    "No history is held yet. Fetch bars from the exchange below, or import Binance's dumps or "
    "tick files."
)
FETCH: Final = (
    "Days are of UTC, both included. What is held already is not asked for again, and a fetch "
    "that was cut off goes on where it was. Within the exchange's limits a year of 1-min bars of "
    "a symbol is 526 requests."
)
IMPORT: Final = (
    "Binance's daily and monthly dumps (aggTrades, trades, klines; zip or csv, checked against "
    "the .CHECKSUM file beside each), and any tick file that the desk reads. A folder is taken "
    "with all files in it. The same file again changes nothing."
)
DELETE: Final = "Deleted days can be fetched or imported again where their source still has them."
NOT_HERE: Final = (
    "This desk serves other machines: files are imported from its data folder only. Others: "
    "python app.py --import PATH on the desk's own machine."
)
