"""What a piece of research says in words: how many were tried, what is left, what luck gives."""

from typing import Any, Final

from analytics.research import VERDICTS, ResearchResult, ResearchSpec
from ingest.research import SavedResearch
from pages.ui.parts import formats
from pages.ui.parts.markup import Figure
from pages.ui.parts.notices import Notice

EXPLAINED: Final = (
    Figure(
        "What is traded", "",
        tip="On each training stretch every setting is run and the best one chosen; the stretch "
        "after it is traded with that setting, and only what came out there is counted, costs of "
        "all fills paid. A close decides, the close of the bar after fills: of a file of closes "
        "nothing else is known. Backtest fills at the open, so its figures differ a little.",
    ),
    Figure(
        "p", "",
        tip="Of the mean profit after costs before the held-out part, one-sided: Newey & West "
        "(1987) on stretches of equal length, Student's t. Null hypothesis: the pair earns nothing "
        "or less. Fat tails make a small p less sure than it looks.",
    ),
    Figure(
        "q", "",
        tip="p corrected for all pairs tried, those without an answer and those that filters hide "
        "included (Benjamini & Hochberg 1995): among pairs below 5 %, at most 5 % are expected to "
        "be there by luck. The settings are paid for already: each was chosen on bars before.",
    ),
    Figure(
        "Held-out part", "",
        tip="The last part of the bars traded, at which the choice of pairs never looks. "
        + " ".join(f"{word}: {meaning}." for word, meaning in VERDICTS.items() if word),
    ),
    Figure(
        "p, unrelated legs", "",
        tip="The whole search again on each pair with the moves of S2 in another order, block by "
        "block, so that the legs have nothing to do with each other: the share of all those "
        "searches with as high a Sharpe ratio before costs.",
    ),
    Figure(
        "Deflated", "",
        tip="The chance that the true Sharpe ratio is above what luck alone gives the best of as "
        "many pairs as these come to, alike ones counted as fewer (Bailey & López de Prado 2014). "
        "It takes bars as independent: where they are not, it is too sure.",
    ),
    Figure(
        "Settings that count", "",
        tip="How many independent settings those tried come to: many earn and lose together.",
    ),
    Figure(
        "Months", "",
        tip="Calendar months (UTC) scanned for cointegration as Scanner does, each by itself: in "
        "how many the pair stayed below the level once all pairs were counted, and in how many of "
        "those the held-out end of the month agreed.",
    ),
)  # fmt: skip


def headline(result: ResearchResult, spec: ResearchSpec) -> str:
    """Say in a sentence or two what came out, how much was tried, and what luck gives."""
    facts, table = result.facts, result.table
    percent = _percent(spec.level)
    found = table[table["qvalue"] < spec.level]
    held = int((found["verdict"] == "holds").sum())
    tried = (
        f"{formats.count(int(facts['pairs']), 'pair')} × {facts['settings']:,} settings "
        f"({facts['tried']:,} in all) were tried"
    )
    if found.empty:
        outcome = (
            f"none earns more after costs than luck gives, at {percent} once all pairs are counted"
        )
    else:
        verb = "stays" if len(found) == 1 else "stay"
        outcome = f"{len(found):,} {verb} below {percent} once all pairs are counted"
        if facts["held_bars"]:
            outcome += f"; {held:,} of them earned in the held-out part as well"
    return f"{tried}: {outcome}. {luck(facts)}".strip()


def luck(facts: dict[str, Any]) -> str:
    """Say what the same search gave on legs with nothing in common."""
    runs = int(facts["null_runs"])
    if not runs:
        return "What luck alone gives was not measured."
    paid, below = int(facts["null_paid"]), int(facts["null_below"])
    return (
        f"The same search on {formats.count(runs, 'pair')} of unrelated legs: {paid:,} earned "
        f"after costs, {below:,} had an uncorrected p as small, the best Sharpe ratio was "
        f"{formats.number(facts['null_best_sharpe'], 1)} a year."
    )


def figures(result: ResearchResult, spec: ResearchSpec) -> list[Figure]:
    """Count what is left of the pairs, step by step, beside what luck leaves."""
    facts, table = result.facts, result.table
    runs = int(facts["null_runs"])
    percent = _percent(spec.level)
    found = table["qvalue"] < spec.level
    unrelated = f"of {runs:,} unrelated" if runs else "unrelated legs not tried"
    return [
        Figure(
            "Pairs tried", f"{facts['pairs']:,}",
            (
                f"× {facts['settings']:,} settings",
                f"alike ones counted once, {formats.number(facts['effective_pairs'], 0)} pairs",
            ),
        ),
        Figure(
            "Earned after costs", f"{facts['paid']:,}",
            (f"{facts['null_paid']:,} {unrelated}" if runs else unrelated,),
        ),
        Figure(
            f"p below {percent}", f"{facts['below']:,}",
            (f"luck gives {formats.number(spec.level * facts['pairs'], 0)}",
             f"{facts['null_below']:,} {unrelated}" if runs else unrelated),
        ),
        Figure(
            f"q below {percent}", f"{int(found.sum()):,}",
            ("all pairs counted",
             f"{int((found & (table['verdict'] == 'holds')).sum()):,} hold out of sample"),
        ),
    ]  # fmt: skip


def provenance(saved: SavedResearch, result: ResearchResult) -> str:
    """Say which bars it stands on, and how it was done."""
    spec, facts = saved.spec, result.facts
    index = saved.grid.index()
    interval = formats.interval_label(spec.interval)
    costs = spec.rules.costs.fee_bps + spec.rules.costs.spread_bps
    return (
        f"{formats.span(index[0], index[-1])}; {formats.count(saved.grid.bars, 'bar')} of "
        f"{interval}; chosen on {spec.train_bars:,}, traded for {spec.test_bars:,}, "
        f"{formats.count(int(facts['stretches']), 'stretch').replace('stretchs', 'stretches')}; "
        f"the last {facts['held_bars']:,} bars held out; {formats.number(costs, 1)} bps a fill."
    )


def nothing_yet() -> Notice:
    """Say that nothing was asked yet."""
    return Notice(
        "No research is kept yet", "Choose bars, pairs and settings above, and begin.",
        is_fault=False,
    )  # fmt: skip


def too_few(had: int, where: str) -> Notice:
    """Say that no pair can be made."""
    return Notice(
        f"{where} hold {formats.count(had, 'symbol')}: research needs 2 or more",
        "Record or import more symbols, or take a file of closes.",
        is_fault=False,
    )


def not_recorded(symbol: str) -> str:
    """Say why a pair cannot be opened."""
    return f"{symbol} is neither recorded nor in the history here, so Backtest cannot show it."


def cost_of(spec: ResearchSpec) -> str:
    """Say how much is about to be tried."""
    pairs = formats.count(spec.pairs, "pair")
    tried = f"{pairs} × {spec.settings:,} settings: {spec.pairs * spec.settings:,} are tried"
    if not spec.null_runs:
        return f"{tried}."
    times = "once" if spec.null_runs == 1 else f"{spec.null_runs:,} times"
    return f"{tried}, and as many on unrelated legs, {times} a pair."


def _percent(level: float) -> str:
    return f"{level * 100:g} %"
