"""What the figures of a backtest mean, a paragraph each."""

from typing import Final

EXPLAINED: Final[dict[str, str]] = {
    "Fill": (
        "A close decides; the next bar fills, at its open or its volume-weighted price. A bar in "
        "which a leg is missing or did not trade fills nothing: an entry is cancelled, an exit "
        "waits. What is still held at the end is closed at the last close and marked as such. The "
        "sidebar's signal rule and gates play no part here."
    ),
    "Break-even cost": (
        "(gross profit − funding) / money traded: the cost of a fill, everything together, at "
        "which nothing is left."
    ),
    "Sharpe ratio": (
        "Mean over standard deviation of the net return of a bar, flat bars included, by 365 days "
        "of 24 hours. Interval: studentised block bootstrap, Ledoit & Wolf (2008), 95 %."
    ),
    "Deflated Sharpe": (
        "Chance that the true Sharpe ratio in training is above what the best of as many worthless "
        "settings would show by luck. Copies count once, and settings that earn together for less "
        "(by their mean correlation). Bailey & López de Prado (2014)."
    ),
    "Sortino ratio": "Mean over the downside deviation, by the same clock.",
    "Entries that pay": (
        "Every window a line, its residual's deviation and half-life (median-unbiased) are fitted "
        "to the ten windows before; where Engle-Granger (ADF without β) shows a return, the entry "
        "is where an Ornstein-Uhlenbeck process traded back to its mean earns most a bar after fee "
        "and half-spread (Zeng & Lee 2014). Slippage by volume and funding are not foreseen, but "
        "paid. z is of that residual; the chart has it in units of the entry, 0 while none pays."
    ),
    "Capacity": "Money in both legs together at which slippage has eaten the profit.",
    "Turnover": "Money traded in all fills of both legs, over the capital.",
}
