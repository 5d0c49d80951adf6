"""What the pages' own controls may be, and are at first: they stand in the address, too."""

from typing import Final

from analytics.frames import INTERVALS
from pages.ui.state.choices import AUTO, LEVELS, LOOKBACKS_S, WHOLE, Number, OneOf

PAGE_NUMBERS: Final = {
    "scan_train": Number(70, 30, 100, 5),
    "scan_window": Number(60, 5, 10_000, 5),
    "factors_window": Number(120, 30, 2_000, 10),
    "basket_window": Number(60, 5, 10_000, 5),
    "basket_sell": Number(2.0, -10.0, 10.0, 0.25),
    "basket_buy": Number(-2.0, -10.0, 10.0, 0.25),
    "basket_capital": Number(10_000.0, 0.001, 1e9, 1_000.0),
    "basket_fee": Number(7.5, -5.0, 100.0, 0.5),
    "basket_train": Number(10, 1, 200, 1),
}
# A test holds them to what the pages draw.
PAGE_CHOICES: Final = {
    "alerts_view": OneOf("Log", ("Log", "Rules", "Silences", "Channels", "Watch file")),
    "section": OneOf(
        "Tests",
        (
            "Tests",
            "Hedge ratios",
            "Stability",
            "Error correction",
            "Trading together",
            "What z says",
            "Gates",
            "Prove it",
            "Validation",
        ),
    ),
    "bt_section": OneOf("Trades", ("Trades", "Settings tried", "Walk-forward", "Unrelated legs")),
    "bt_value": OneOf("net", ("net", "before costs", "Sharpe")),
    "scan_source": OneOf(
        "Recorded symbols", ("Recorded symbols", "File of closes", "Tick files", "Saved scan")
    ),
    "scan_interval": OneOf("1min", tuple(each.name for each in INTERVALS)),
    "scan_lags": OneOf("automatic (AIC)", ("automatic (AIC)", "0", "1", "5")),
    "scan_on": OneOf("log", ("log", "price")),
    "scan_level": OneOf("5", tuple(LEVELS)),
    "scan_view": OneOf("Table", ("Table", "p-values", "Correlations")),
    "research_source": OneOf("Recorded and history", ("Recorded and history", "File of closes")),
    "factors_source": OneOf("Recorded symbols", ("Recorded symbols", "NDJSON file")),
    "factors_interval": OneOf("1min", tuple(each.name for each in INTERVALS)),
    "factors_count": OneOf(
        "1",
        (
            "1",
            "2",
            "3",
            "5",
            "as many as stand out",
            "55 % of the variance",
            "75 % of the variance",
        ),
    ),
    "factors_view": OneOf("Symbols", ("Symbols", "Factors")),
    "basket_source": OneOf("Recorded symbols", ("Recorded symbols", "Tick file")),
    "basket_method": OneOf("Johansen", ("Johansen", "Box-Tiao", "Shortest half-life")),
    "basket_interval": OneOf("1min", tuple(each.name for each in INTERVALS)),
    "basket_range": OneOf(AUTO, (AUTO, *LOOKBACKS_S, WHOLE)),
    "basket_level": OneOf("5", tuple(LEVELS)),
    "basket_gates": OneOf("data", ("none", "data", "data and p", "data, p and half-life")),
    "basket_view": OneOf("Now", ("Now", "Backtest")),
}
