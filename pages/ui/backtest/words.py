"""The backtest in words and figures: verdict, main figures, parts compared, sections explained."""

import math
from typing import Final

import pandas as pd

from analytics.backtest import (
    LEAST_TRADES,
    BacktestResult,
    Independent,
    NullRuns,
    Performance,
    Superiority,
    Sweep,
    WalkForward,
)
from analytics.hedge import FILTERS
from pages.ui.backtest.data import Runs
from pages.ui.backtest.explained import EXPLAINED
from pages.ui.parts import formats, markup
from pages.ui.parts.annual import is_too_short
from pages.ui.parts.markup import Cell, Figure, Html, Tone

FEWEST_TRADES: Final = 20
PARTS: Final = ("", "Train", "Test", "All")


def percent(share: float, decimals: int = 2, *, signed: bool = True) -> str:
    """Format a share as percent, signed by default; a dash where it is not known."""
    if not math.isfinite(share):
        return formats.NOT_KNOWN
    sign = "+" if signed and round(100 * share, decimals) > 0 else ""
    return f"{sign}{formats.number(100 * share, decimals)} %"


def bps(value: float) -> str:
    """Format basis points."""
    shown = formats.number(value, 2)
    return shown if shown == formats.NOT_KNOWN else f"{shown} bps"


def money(value: float, currency: str) -> str:
    """Format money without pretending to digits it does not have."""
    if not math.isfinite(value):
        return formats.NOT_KNOWN
    return f"{formats.number(value, 2 if abs(value) < 1_000 else 0)} {currency}"


def _tone(value: float) -> Tone | None:
    if not math.isfinite(value) or value == 0:
        return None
    return "good" if value > 0 else "bad"


def paid_bps(performance: Performance, capital: float) -> float:
    """Mean cost of a fill, everything but funding, in bps of its notional."""
    traded = performance.turnover * capital
    costs = performance.fees + performance.half_spread + performance.slippage
    return costs / traded * 1e4 if traded > 0 else math.nan


def headline(runs: Runs) -> list[str]:
    """Say in a sentence or two what came of it."""
    whole, test = runs.whole.performance, runs.test.performance
    capital = runs.whole.rules.capital
    if not whole.trades:
        return ["The rule never traded in these bars.", *runs.whole.notes[:1]]
    lost = "lost" if whole.net < 0 else "earned"
    first = (
        f"After costs the rule {lost} {percent(abs(whole.total_return), signed=False)} of the "
        f"capital in {formats.count(whole.trades, 'trade')} over {formats.count(whole.bars, 'bar')}"
        f"; before costs {percent(whole.gross / capital)}."
    )
    second = (
        f"It pays {bps(paid_bps(whole, capital))} a fill and breaks even at "
        f"{bps(whole.break_even_bps)}."
        if whole.break_even_bps > 0
        else "It loses before any cost: no fee is low enough."
    )
    third = (
        f"In the {formats.count(test.bars, 'bar')} kept for testing: "
        f"{percent(test.total_return)} after costs, {formats.count(test.trades, 'trade')}."
    )
    return [first, f"{second} {third}"]


def no_trade(result: BacktestResult) -> str:
    """Say why there is none."""
    if result.rules.is_fitted and result.zscore.isna().all():
        return "No trade: nothing is fitted in these bars; the notes say why."
    if result.rules.is_fitted:
        return "No trade: by these costs no entry paid, or z never went as far as one that did."
    return "No trade: z never passed an entry. A lower one may have some."


def main_figures(runs: Runs) -> list[Figure]:
    """Set the figures of the whole run."""
    result, performance = runs.whole, runs.whole.performance
    capital, currency = result.rules.capital, formats.quote_currency(result.params.y)
    tips = EXPLAINED
    trades = formats.sample(performance.trades, "trade")
    step = result.params.bar.timedelta
    return [
        Figure("Net profit", percent(performance.total_return),
               (money(performance.net, currency), trades), _tone(performance.net),
               about="net-profit"),
        Figure("Before costs", percent(performance.gross / capital),
               (money(performance.gross, currency),)),
        Figure("Costs", percent((performance.gross - performance.net) / capital, signed=False),
               (_cost_words(performance, currency),)),
        Figure("Break-even cost", bps(performance.break_even_bps),
               (f"a fill; paid {bps(paid_bps(performance, capital))}",),
               tip=tips["Break-even cost"],
               about="break-even"),
        _sharpe_figure(performance, step),
        Figure("Deflated Sharpe", formats.pvalue(runs.deflated.probability),
               (tried_words(runs.deflated.trials),),
               tip=tips["Deflated Sharpe"], about="deflated-sharpe"),
        _sortino_figure(performance, step),
        Figure("Deepest drawdown", percent(performance.max_drawdown),
               (f"longest {formats.count(performance.drawdown_bars, 'bar')}",), about="drawdown"),
        Figure("Trades won", percent(performance.hit_rate, 0, signed=False),
               (trades, f"profit factor {formats.number(performance.profit_factor, 2)}"),
               about="trades"),
        Figure("In the market", percent(performance.exposure, 0, signed=False),
               (f"a trade lasts {formats.number(performance.mean_bars, 1)} bars",)),
        Figure("Turnover", f"{formats.number(performance.turnover, 1)} ×", ("of the capital",),
               tip=tips["Turnover"]),
        Figure("Capacity", _capacity(performance, currency),
               ("needs slippage by volume" if math.isnan(performance.capacity) else "both legs",),
               tip=tips["Capacity"]),
    ]  # fmt: skip


def too_short(bars: int) -> str:
    """Say why there is no year's rate."""
    return f"too short to annualise ({formats.sample(bars)})"


def tried_words(trials: Independent) -> str:
    """Say how many settings luck had to choose from."""
    settings = formats.count(trials.distinct, "setting")
    if trials.distinct < 2:
        return f"in training, {settings} that traded"
    unrelated = formats.count(max(round(trials.number), 1), "unrelated one")
    return f"in training, {settings} tried, as {unrelated}"


def _few_trades(performance: Performance) -> str:
    """Say that an interval stands on next to nothing; empty where it does not."""
    if performance.trades >= FEWEST_TRADES:
        return ""
    return f" from {formats.count(performance.trades, 'trade')}: too few to trust"


def _sharpe_figure(performance: Performance, step: pd.Timedelta) -> Figure:
    tip = EXPLAINED["Sharpe ratio"]
    if is_too_short(performance.bars, step):
        return Figure("Sharpe ratio", formats.NOT_KNOWN, (too_short(performance.bars),), tip=tip,
                      about="sharpe")  # fmt: skip
    low, high = (formats.number(edge, 2) for edge in performance.sharpe_interval)
    few = _few_trades(performance)
    notes = f"95 %: {low} to {high}{few}", f"{formats.sample(performance.bars)}, a year's rate"
    return Figure(
        "Sharpe ratio", formats.number(performance.sharpe, 2), notes, tip=tip, about="sharpe"
    )


def _sortino_figure(performance: Performance, step: pd.Timedelta) -> Figure:
    is_short = is_too_short(performance.bars, step)
    value = formats.NOT_KNOWN if is_short else formats.number(performance.sortino, 2)
    volatility = f"volatility {percent(performance.volatility, 1, signed=False)} a year"
    note = too_short(performance.bars) if is_short else volatility
    return Figure("Sortino ratio", value, (note,), tip=EXPLAINED["Sortino ratio"], about="sortino")


def _cost_words(performance: Performance, currency: str) -> str:
    parts = [
        ("fees", performance.fees),
        ("half-spread", performance.half_spread),
        ("slippage", performance.slippage),
        ("funding", performance.funding),
    ]
    named = [f"{name} {money(value, currency)}" for name, value in parts if value]
    return ", ".join(named) or "none"


def _capacity(performance: Performance, currency: str) -> str:
    return "none" if performance.capacity == 0 else money(performance.capacity, currency)


def parts_table(runs: Runs) -> Html:
    """Compare training and test; each part begins and ends flat."""
    parts = (runs.train, runs.test, runs.whole)
    performances = [each.performance for each in parts]
    capital, step = runs.whole.rules.capital, runs.whole.params.bar.timedelta
    shorts = [is_too_short(each.bars, step) for each in performances]
    sharpe = [
        "too short" if short else formats.number(each.sharpe, 2)
        for each, short in zip(performances, shorts, strict=True)
    ]
    interval = [
        formats.NOT_KNOWN if short else _interval(each.sharpe_interval)
        for each, short in zip(performances, shorts, strict=True)
    ]
    rows: list[tuple[str | Cell, ...]] = [
        ("Bars", *(f"{each.bars:,}" for each in performances)),
        ("Trades", *(f"{each.trades:,}" for each in performances)),
        ("Before costs", *(percent(each.gross / capital) for each in performances)),
        ("Net", *(Cell(percent(each.total_return), _tone(each.net)) for each in performances)),
        ("Break-even cost", *(bps(each.break_even_bps) for each in performances)),
        ("Sharpe ratio", *sharpe),
        ("95 % interval", *interval),
        ("Deepest drawdown", *(percent(each.max_drawdown) for each in performances)),
        ("Trades won", *(percent(each.hit_rate, 0, signed=False) for each in performances)),
    ]
    return markup.table("Training, test, all", PARTS, rows)


def _interval(edges: tuple[float, float]) -> str:
    if not all(math.isfinite(edge) for edge in edges):
        return formats.NOT_KNOWN
    return f"{formats.number(edges[0], 1)} to {formats.number(edges[1], 1)}"


def sweep_caption(swept: Sweep, what: str) -> str:
    """Say what the heatmap's values are: of the span, or of a year where the span allows one."""
    step = swept.params.bar.timedelta
    bars = formats.count(swept.bars, "bar")
    entries = " Entries are multiples of the one that pays." if swept.rules.is_fitted else ""
    span = f"{bars} of training ({formats.age((swept.bars * step).total_seconds())})"
    if what != "Sharpe":
        basis = "after costs" if what == "net" else "before costs"
        earned = f"% of the capital {basis}, earned over {span}: no year's rate."
        return f"{earned} Empty: never traded.{entries}"
    few = f"Empty: fewer than {LEAST_TRADES} trades.{entries}"
    if is_too_short(swept.bars, step):
        return (
            f"Sharpe ratio of the span itself, after costs: a bar's times √{swept.bars:,}. {span} "
            f"are too short to annualise. {few}"
        )
    return f"Sharpe ratio after costs, by 365 days of 24 hours, from {span}. {few}"


def best_words(best: Superiority, swept: Sweep) -> str:
    """Say whether the best of all settings is more than the luck of a choice."""
    if math.isnan(best.pvalue):
        few = f"{formats.count(swept.bars, 'bar')} of training are too few to tell luck from skill."
        return few if (swept.trades > 0).any() else "No setting traded in training."
    kept, settings = int(best.worth.sum()), formats.count(best.worth.size, "setting")
    verdict = (
        f"{kept:,} of {settings} earn more than their costs beyond the luck of the choice"
        if kept
        else f"None of {settings} earns more than its costs beyond the luck of the choice"
    )
    return (
        f"{verdict} ({formats.percent(best.level)} for all together, Romano & Wolf). The best "
        "against nothing: "
        f"p = {formats.pvalue(best.pvalue)} (Hansen's SPA, {best.draws:,} resamples of "
        f"{formats.count(swept.bars, 'bar')} of training)."
    )


def sweep_words(swept: Sweep, test: BacktestResult) -> list[str]:
    """Say where the chosen setting stands among its neighbours and among all."""
    capital = swept.rules.capital
    row, column = swept.nearest(test.params.window, test.rules.sell_above)
    here, around = swept.net[row, column], swept.neighbours(row, column, swept.net)
    traded = swept.net[swept.trades > 0]
    sentences = [
        f"Chosen (framed): {percent(here / capital)} net in training; its "
        f"{formats.count(around.size, 'neighbour')} between {percent(around.min() / capital)} and "
        f"{percent(around.max() / capital)}."
        if around.size
        else f"Chosen (framed): {percent(here / capital)} net in training.",
        (
            f"{int((traded > 0).sum()):,} of {formats.count(traded.size, 'setting')} that traded "
            f"earned more than their costs in {formats.count(swept.bars, 'bar')} of training."
        ),
        _best_words(swept),
    ]
    is_filter = swept.params.uses_beta and swept.params.hedge in FILTERS
    if is_filter and not swept.rules.is_fitted:
        sentences.append("The Kalman filter's z has no window: all rows are equal.")
    return sentences


def _best_words(swept: Sweep) -> str:
    """Name the best setting with what it earned: the least bad of losers is no find."""
    best = swept.best(least_trades=LEAST_TRADES)
    if best is None:
        return f"No setting traded {LEAST_TRADES} times in training: none is called the best."
    return (
        f"Best Sharpe ratio in training among those with {LEAST_TRADES} trades or more (dotted): "
        f"window {swept.windows[best[0]]:,}, entry {swept.entries[best[1]]:g}, "
        f"{percent(swept.net[best] / swept.rules.capital)} net in "
        f"{formats.count(int(swept.trades[best]), 'trade')}. That one was found by looking; the "
        "test part was not."
    )


def walk_words(walk: WalkForward) -> list[str]:
    """Say what choosing on the past came to."""
    performance, capital = walk.performance, walk.rules.capital
    if is_too_short(performance.bars, walk.params.bar.timedelta):
        rate = f"Sharpe ratio: {too_short(performance.bars)}."
    else:
        interval = f"95 %: {_interval(performance.sharpe_interval)}{_few_trades(performance)}"
        rate = (
            f"Sharpe ratio {formats.number(performance.sharpe, 2)} ({interval}), "
            f"n = {performance.bars:,} bars."
        )
    blocks = formats.count(len(walk.blocks), "block")
    settings = formats.count(walk.settings, "setting")
    lost = int((walk.blocks["train_net"] <= 0).sum())
    return [
        (
            f"{blocks} traded with what the bars before had chosen from {settings}, by the Sharpe "
            f"ratio after costs among those with {LEAST_TRADES} trades or more."
        ),
        *(
            [f"In {lost:,} of {blocks} even the best setting had earned nothing in training."]
            if lost
            else []
        ),
        (
            f"{percent(performance.total_return)} after costs, "
            f"{percent(performance.gross / capital)} before, "
            f"{formats.count(performance.trades, 'trade')}."
        ),
        rate,
    ]


def walk_table(walk: WalkForward) -> Html:
    """Set the blocks: what was chosen, what it had earned, what it then earned."""
    capital = walk.rules.capital
    rows = []
    for block in walk.blocks.to_dict("records"):
        chosen = not pd.isna(block["window"])
        rows.append((
            formats.moment(block["test_start"]),
            f"{block['window']:,.0f}" if chosen else formats.NOT_KNOWN,
            f"{block['entry']:g}" if chosen else formats.NOT_KNOWN,
            percent(block["train_net"] / capital),
            f"{block['test_trades']:,}",
            percent(block["test_gross"] / capital),
            Cell(percent(block["test_net"] / capital), _tone(block["test_net"])),
        ))  # fmt: skip
    head = ("Block from", "Window", "Entry", "Net in training", "Trades", "Before costs", "Net")
    return markup.table("Walk-forward", head, rows)


def null_words(null_runs: NullRuns, capital: float) -> list[str]:
    """Say whether the legs' relation had anything to do with it."""
    gross, net, real_gross, real_net = (
        percent(value / capital)
        for value in (
            float(null_runs.gross.mean()), float(null_runs.net.mean()), null_runs.observed_gross,
            null_runs.observed_net,
        )
    )  # fmt: skip
    runs, bars = formats.count(null_runs.gross.size, "run"), f"{null_runs.block:,}-bar"
    as_good = int((null_runs.gross >= null_runs.observed_gross).sum())
    verdict = (
        "The profit before costs stands out from what unrelated legs give."
        if null_runs.pvalue < 0.05
        else "Unrelated legs do as well often enough: nothing here shows that the relation earned."
    )
    return [
        verdict,
        (
            f"{runs} with {bars} blocks of S2's returns in another order: {gross} before costs on "
            f"average, {net} after. The real legs: {real_gross} and {real_net}. "
            f"p = {formats.pvalue(null_runs.pvalue)} by the Sharpe ratio before costs, since "
            f"unrelated legs move further apart; in money {as_good:,} of {runs} did as well."
        ),
    ]
