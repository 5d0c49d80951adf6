"""What the basket's rule earned with weights of earlier bars: run, figures, chart, ledger."""

from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.backtest import LEAST_TRADES, BacktestRules, Costs
from analytics.baskets import BasketBacktest, BasketParams, backtest_basket
from pages.charts import basket_figure
from pages.charts.basket_figure import EquitySeries
from pages.ui.baskets.data import BasketBars
from pages.ui.baskets.settings import BasketChoice
from pages.ui.chart.live_chart import live_chart
from pages.ui.parts import files, formats, markup, plain
from pages.ui.parts.csv_file import csv_bytes, file_stem
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Figure
from pages.ui.state.clock import even_label, even_ms, zone_label
from pages.ui.state.once import Once
from pages.ui.state.served_files import MadeFile

LEDGER_ROWS: Final = 500
HOLDS_US: Final = 60_000_000  # a run is as it was for so long while newer bars come

_runs: Final[Once[tuple[int, BasketBacktest]]] = Once(8)


def show(bars: BasketBars, choice: BasketChoice) -> None:
    """Show a walk-forward run of the rule.

    Raises
    ------
    AnalyticsError
        The bars do not allow one.
    """
    with st.spinner("Walking through the bars"):
        run = run_of(bars, choice)
    lines = markup.paragraphs(headline(run))
    markup.show(markup.block(lines, kind="section", css="pd-verdict"))
    markup.show(markup.block(markup.figures(figures(run))))
    _show_equity(run)
    _show_ledger(run)
    markup.show(markup.block(markup.notes(run.notes)))
    offers = [
        Offer("Trades (CSV)", "basket-trades", partial(_trades_csv, run), run.trades.empty),
        Offer("Bars (CSV)", "basket-bars", partial(_bars_csv, run)),
    ]
    files.show(offers, key="basket_backtest_files")


def run_of(bars: BasketBars, choice: BasketChoice) -> BasketBacktest:
    """Run the rule; while newer bars come the run of the last minute stays."""
    rules = rules_of(choice)
    line = (bars.origin, choice)
    newest = _runs.newest(line)
    if newest is not None and 0 <= bars.end_us - newest[0] < HOLDS_US:
        return newest[1]

    def run() -> tuple[int, BasketBacktest]:
        made = backtest_basket(bars.frames, choice.params, rules, train_bars=choice.train_bars)
        return bars.end_us, made

    return _runs.get((bars.key, choice), run, line)[1]


def rules_of(choice: BasketChoice) -> BacktestRules:
    """Enter at the thresholds; leave at 0 where that lies between them, else by the other one."""
    params = choice.params
    rules = BacktestRules(
        params.sell_above, params.buy_below, params.buy_below, params.sell_above,
        capital=choice.capital, costs=Costs(taker_bps=choice.fee_bps),
    )  # fmt: skip
    if params.buy_below < 0 < params.sell_above:
        return replace(rules, exit_short=0.0, exit_long=0.0)
    return rules


def headline(run: BasketBacktest) -> list[str]:
    """Say what was earned after costs, and with which weights."""
    found, index = run.performance, run.closes.index
    earned = f"{formats.number(found.total_return * 100, 2)} % of the capital after costs"
    trades = formats.count(found.trades, "trade")
    before = found.gross / run.rules.capital * 100
    few = "" if found.trades >= LEAST_TRADES else " Too few trades to judge a rule by."
    made = (
        f"{formats.count(len(index), 'bar')} traded, {formats.span(index[0], index[-1])}, by "
        f"weights of the {run.train_bars:,} bars before each.{few}"
    )
    return [f"{earned} in {trades}, {formats.number(before, 2)} % before them", made]


def figures(run: BasketBacktest) -> list[Figure]:
    """Collect the run's figures in reading order."""
    found = run.performance
    currency = formats.quote_currency(run.params.symbols[0])
    legs, fee = len(run.params.symbols), formats.number(run.rules.costs.fee_bps, 1)
    lowest = f"{found.drawdown_bars:,} bars at most below a high"
    won = formats.percent(found.hit_rate), (formats.sample(found.trades, "trade"),)
    return [
        Figure("Net", formats.number(found.net, 2), (currency,), about="net-profit"),
        Figure("Fees", formats.number(found.fees, 2), (f"{fee} bps a fill, {legs} legs",)),
        Figure(
            "Break-even", f"{formats.number(found.break_even_bps, 2)} bps",
            ("a fill: below this cost it earned",), about="break-even",
        ),
        Figure("Drawdown", formats.percent(-found.max_drawdown, 2), (lowest,)),
        Figure("Trades won", *won),
        Figure("In the market", formats.percent(found.exposure), (formats.sample(found.bars),)),
    ]  # fmt: skip


def _show_equity(run: BasketBacktest) -> None:
    index, capital = pd.DatetimeIndex(run.closes.index), run.rules.capital
    net, gross = ((path.to_numpy() / capital - 1) * 100 for path in (run.equity, run.gross_equity))
    series = EquitySeries(even_ms(index), net, gross, run.drawdown.to_numpy() * 100)
    figure = basket_figure.equity_figure(
        series, view_id=f"{run.params.label}|{run.params.interval}", zone=even_label(index)
    )
    label = f"Gain of the rule on the basket {run.params.label} before and after costs"
    live_chart(figure, key="basket_equity", label=label, height_px=basket_figure.EQUITY_PX)


def _show_ledger(run: BasketBacktest) -> None:
    trades = run.trades
    if trades.empty:
        st.info("No trade: z never passed an entry. A lower one may have some.")
        return
    shown = min(len(trades), LEDGER_ROWS)
    currency = formats.quote_currency(run.params.symbols[0])
    plain.caption(
        f"Trades, newest first ({shown:,} of {len(trades):,}), times in {zone_label()}, money in "
        f"{currency}, weights by symbol."
    )
    st.dataframe(ledger_frame(run), hide_index=True, column_config=_columns(run.params), height=320)


def ledger_frame(run: BasketBacktest) -> pd.DataFrame:
    """Lay the ledger out for the eye: newest first, the weights of each trade last."""
    trades = run.trades.iloc[::-1].head(LEDGER_ROWS)
    columns = {
        "Side": "side",
        "Entry": "entry_time",
        "Exit": "exit_time",
        "Bars": "bars",
        "Net": "net",
        "Left by": "reason",
        "z in": "entry_z",
        "z out": "exit_z",
        "Gross": "gross",
        "Fees": "fees",
    } | {name: f"weight_{name}" for name in run.params.symbols}
    return pd.DataFrame({label: trades[name] for label, name in columns.items()})


def _columns(params: BasketParams) -> dict[str, ColumnConfig | str | None]:
    time = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone=zone_label())
    signed = st.column_config.NumberColumn(format="%+.2f")
    columns: dict[str, ColumnConfig | str | None] = {"Entry": time, "Exit": time}
    columns |= dict.fromkeys(("z in", "z out", "Gross", "Net", "Fees"), signed)
    weight = st.column_config.NumberColumn(format="%+.3f")
    return columns | dict.fromkeys(params.symbols, weight)


def _trades_csv(run: BasketBacktest, _: str) -> MadeFile:
    trades = run.trades.copy(deep=False)
    for name in ("decided_time", "entry_time", "exit_time"):
        trades[name] = [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in trades[name]]
    return MadeFile(_name(run, "trades"), "text/csv", csv_bytes(trades))


def _bars_csv(run: BasketBacktest, _: str) -> MadeFile:
    return MadeFile(_name(run, "backtest"), "text/csv", csv_bytes(run.to_frame()))


def _name(run: BasketBacktest, what: str) -> str:
    symbols, index = run.params.symbols, run.closes.index
    stem = file_stem(
        symbols[0], "-".join(symbols[1:]), index[0], index[-1], run.params.interval, what
    )
    return f"{stem}.csv"
