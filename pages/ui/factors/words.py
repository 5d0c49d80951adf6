"""What factors and residuals say in words, each sentence beside what luck would say."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.factors import LEAST_SYMBOLS, OPEN_AT, FactorScores
from pages.ui.parts import formats
from pages.ui.parts.markup import Figure
from pages.ui.parts.notices import Notice

LEVEL: Final = 0.05
PERCENT: Final = "5 %"
NO_RETURN: Final = "none shown"
# From so many bars on, of the returns whose half-life is a thirtieth of the window.
DETECTED: Final = ((500, "more than half"), (100, "about a third"), (0, "fewer than a quarter"))

EXPLAINED: Final = (
    Figure(
        "Factor", "",
        tip="An eigenvector of the returns' correlation as a portfolio: the weight of a symbol is "
        "its entry over its volatility, scaled so that the sizes add up to one unit of money. The "
        "first one is as a rule the market.",
    ),
    Figure(
        "Residual", "",
        tip="What a regression on the factors' returns leaves of a symbol, summed up over the "
        "window. It ends at 0 by construction, and so looks like something that returns even "
        "where nothing does.",
    ),
    Figure(
        "s-score", "",
        tip="How far the residual stands from its fitted level, in spreads of the fitted process, "
        "levels centred over all symbols. The paper sells the symbol against its factors above "
        "1.25 and buys it below -1.25.".replace("-1", "−1"),
    ),
    Figure(
        "s with drift", "",
        tip="The same, allowing for the drift of the symbol that its factors do not explain.",
    ),
    Figure(
        "Filter", "",
        tip="The paper trades residuals whose time of return, 1 / κ, is below half the window. "
        "Nearly every residual with nothing to return to passes it, since it ends where it began.",
    ),
    Figure(
        "Half-life", "",
        tip="Median-unbiased: as often too long as too short, with its 95 % interval. "
        f"{NO_RETURN.capitalize()}: a residual without any return looks as quick in half of all "
        "cases. It goes by b without lags, as the paper has it; p allows for noise of single bars: "
        "the two may differ.",
    ),
    Figure(
        "p and q", "",
        tip="How likely so clear a return is where there is none: by 20,000 draws of as many bars "
        "and factors, and, where that is small, by draws that keep the symbol's own volatility. q "
        "(Benjamini-Hochberg) counts all symbols.",
    ),
)  # fmt: skip


def significant(scores: FactorScores) -> pd.DataFrame:
    """Return the rows whose return is more than luck, all symbols counted."""
    return scores.table[scores.table["qvalue"] < LEVEL]


def row_of(scores: FactorScores, symbol: str) -> pd.Series:
    """Return a symbol's row."""
    place = int(np.flatnonzero(scores.table["symbol"] == symbol)[0])
    return scores.table.iloc[place]


def headline(scores: FactorScores) -> str:
    """Say what the factors explain and how many residuals return beyond luck."""
    share, count = formats.percent(float(scores.explained[0])), len(scores.table)
    first = f"The first factor explains {share} of the returns' variance"
    taken = "" if scores.factors == 1 else f", the {scores.factors} taken out {_taken(scores)}"
    number = len(significant(scores))
    if number == 0:
        rest = (
            f"None of {formats.count(count, 'residual')} returns by more than luck would give, "
            "once all are counted."
        )
    else:
        verb = "returns" if number == 1 else "return"
        rest = (
            f"{number:,} of {formats.count(count, 'residual')} {verb} by more than luck would give "
            f"(q below {PERCENT})."
        )
    return f"{first}{taken}. {rest}"


def _taken(scores: FactorScores) -> str:
    return formats.percent(float(scores.explained[: scores.factors].sum()))


def provenance(scores: FactorScores, span: str, interval: str, bars_behind: int = 0) -> str:
    """Say which bars all of it stands on, and how many newer ones not all symbols know."""
    every = formats.interval_label(interval)
    newer = (
        f" Not all symbols know the {formats.count(bars_behind, 'bar')} since."
        if bars_behind
        else ""
    )
    return (
        f"{span}; {scores.bars:,} of {formats.count(scores.bars_given - 1, 'return')} of {every} "
        f"known to all {len(scores.names):,} symbols; regressions on the last {scores.window:,}."
        f"{newer}"
    )


def figures(scores: FactorScores) -> list[Figure]:
    """Count what the rules pick, beside what they pick of residuals with nothing to return to."""
    table, white, count = scores.table, scores.white, len(scores.table)
    passing = int(table["passes"].sum())
    beyond = int((table["passes"] & (table["s_score"].abs() > OPEN_AT)).sum())
    return [
        Figure(
            "First factor", formats.percent(float(scores.explained[0])),
            (f"of the variance of {count:,} symbols", _luck_share(scores)), about="factors",
        ),
        Figure(
            "Factors that stand out", f"{scores.standing_out:,}", (_edge_words(scores),),
            about="factors",
        ),
        Figure(
            "Pass the paper's filter", f"{passing:,} of {count:,}",
            (f"with nothing to return to: {_expected(white.passing, white.passing_range)}",),
            about="s-score",
        ),
        Figure(
            f"And stand beyond {OPEN_AT}", f"{beyond:,} of {count:,}",
            (f"with nothing to return to: {_expected(white.extreme, white.extreme_range)}",),
            about="s-score",
        ),
        Figure(
            f"q below {PERCENT}", f"{len(significant(scores)):,} of {count:,}",
            (_uncorrected(scores),),
            about="residual-test",
        ),
        Figure(
            "Bars", f"{scores.window:,}", (f"of {scores.bars:,} for the factors", _power(scores)),
            about="residual-test",
        ),
    ]  # fmt: skip


def _uncorrected(scores: FactorScores) -> str:
    small, count = int((scores.table["pvalue"] < LEVEL).sum()), len(scores.table)
    luck = formats.number(LEVEL * count, 1)
    return f"{small:,} before counting all; luck alone gives {luck}"


def _power(scores: FactorScores) -> str:
    """Say how much p finds of so many bars, by the tables in analytics/factors/README.md."""
    life = formats.count(max(1, round(scores.window / 30)), "bar")
    share = next(share for bars, share in DETECTED if scores.window >= bars)
    return f"p finds {share} of the returns with a half-life of {life}"


def _luck_share(scores: FactorScores) -> str:
    return f"unrelated ones: up to {formats.percent(float(scores.flipped[0]) / len(scores.names))}"


def _edge_words(scores: FactorScores) -> str:
    above = int((scores.eigenvalues > scores.edge).sum())
    return f"by random signs; {above:,} above Marchenko and Pastur's edge"


def _expected(mean: float, bounds: tuple[int, int]) -> str:
    low, high = bounds
    return f"{formats.number(mean, 1)} ({low:,} to {high:,})"


def trade(scores: FactorScores, symbol: str) -> list[tuple[str, float]]:
    """Return what goes with one unit of money bought of a symbol, the largest amounts first.

    Its own part of the factors is netted into the symbol's.
    """
    row = row_of(scores, symbol)
    betas = row[[f"beta_{n}" for n in range(1, scores.factors + 1)]].to_numpy(dtype=np.float64)
    amounts = pd.Series(-(scores.weights @ betas), index=list(scores.names))
    amounts[symbol] += 1.0
    order = amounts.abs().sort_values(ascending=False, kind="stable").index
    return [(str(name), float(amounts[name])) for name in order]


def trade_words(scores: FactorScores, symbol: str, named: int = 5) -> str:
    """Say what to buy and sell for one unit of the residual, a thousand of money a unit.

    Or why there is no such unit.
    """
    if obstacle := _no_common_money(scores.names):
        return f"The residual of {symbol} cannot be bought or sold: {obstacle}."
    amounts = trade(scores, symbol)
    others = [(name, 1_000 * amount) for name, amount in amounts if name != symbol]
    own = next(1_000 * amount for name, amount in amounts if name == symbol)
    quote = formats.quote_currency(symbol)
    quote = "units" if quote == "quote" else quote
    words = [f"{_side(amount)} {abs(amount):,.1f} {name}" for name, amount in others[:named]]
    rest = others[named:]
    if rest:
        net = sum(amount for _, amount in rest)
        words.append(f"{_side(net)} {abs(net):,.1f} net of {formats.count(len(rest), 'other')}")
    return (
        f"Buying 1,000 {quote} of {symbol} against its factors: {_side(own)} {abs(own):,.1f} "
        f"{symbol}; {', '.join(words)}. Selling it is the reverse."
    )


def _no_common_money(names: Sequence[str]) -> str:
    first, quote = names[0], formats.quote_currency(names[0])
    for name in names[1:]:
        if (other := formats.quote_currency(name)) != quote:
            return (
                f"{first} is priced in {_money(quote)}, {name} in {_money(other)}: no common money"
            )
    return ""


def _money(quote: str) -> str:
    return "a currency that its name does not tell" if quote == "quote" else quote


def _side(amount: float) -> str:
    return "buy" if amount >= 0 else "sell"


def symbol_words(scores: FactorScores, symbol: str) -> str:
    """Say what the paper's rule makes of a symbol, and whether a return is shown at all."""
    row = row_of(scores, symbol)
    if row["reason"]:
        return f"{symbol} {row['reason']}: there is no residual to score."
    score = formats.zscore(float(row["s_score"]))
    shown = float(row["qvalue"]) < LEVEL
    caution = (
        f"A return is shown: q {formats.pvalue(float(row['qvalue']))}."
        if shown
        else f"No return is shown (q {formats.pvalue(float(row['qvalue']))}): such a score is "
        "what a residual with nothing to return to has, too."
    )
    return f"s {score}: {_rule(row)} {caution}"


def _rule(row: pd.Series) -> str:
    score = float(row["s_score"])
    if not np.isfinite(score):
        return "the residual does not return, so it has no score."
    if not row["passes"]:
        return "too slow for the paper's filter."
    if abs(score) <= OPEN_AT:
        return f"within ±{OPEN_AT}, where the paper opens nothing."
    side = "sells" if score > 0 else "buys"
    return f"beyond {OPEN_AT}, where the paper {side} it against its factors."


def left_out_notes(scores: FactorScores) -> list[str]:
    """Name the symbols that took no part, and why."""
    return [f"{name} takes no part: {reason}." for name, reason in scores.left_out.items()]


def too_few_symbols(had: int, where: str) -> Notice:
    """Say that there is nothing common to look for."""
    return Notice(
        f"{where} {'holds' if had == 1 else 'hold'} {formats.count(had, 'symbol')}: factors need "
        f"{LEAST_SYMBOLS} or more",
        "Record more symbols, or choose a file of ticks that holds them.", is_fault=False,
    )  # fmt: skip


def too_many_factors(error: ParameterError) -> Notice:
    """Say how many factors so few symbols and bars allow."""
    return Notice(
        f"{error.value} {error.name} are too many: {error.allowed}", "Choose fewer above.",
        is_fault=False,
    )  # fmt: skip


def too_quiet(error: DegenerateSeriesError) -> Notice:
    """Say that nothing moves which a symbol could be compared with."""
    words = str(error)
    remedy = "Choose a longer window, longer bars or fewer factors above, or wait."
    return Notice(f"{words[:1].upper()}{words[1:]}", remedy, is_fault=False)


def too_little(error: NotEnoughDataError) -> Notice:
    """Say what is lacking and what would have it."""
    if error.unit.startswith("symbols"):
        remedy = (
            "Choose a shorter sample, in which more symbols have all bars, or longer bars. "
            "Record more symbols, or wait until they have traded."
        )
    else:
        remedy = "Choose a longer sample, shorter bars or a shorter window above, or wait."
    words = str(error)
    return Notice(f"{words[:1].upper()}{words[1:]}", remedy, is_fault=False)
