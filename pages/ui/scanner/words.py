"""What a scan says in words: how many were tried, how many are left, what that means."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from analytics.scanner import VERDICTS
from pages.ui.parts import formats
from pages.ui.parts.markup import Figure
from pages.ui.parts.notices import Notice
from pages.ui.scanner.store import ScanResult

EXPLAINED: Final = (
    Figure(
        "p", "",
        tip="Engle-Granger: S1 is regressed on S2, and the residual tested for a unit root with "
        "MacKinnon's values for an estimated β. Both orderings are tried; the smaller p is shown "
        "times two. Null hypothesis: no fixed ratio keeps the two together.",
    ),
    Figure(
        "p, volatile", "",
        tip="MacKinnon's values are those of shocks of one size. Markets have calm and wild hours, "
        "and legs with nothing in common then look related too often. For each pair that would be "
        "a discovery, thousands of unrelated ones are drawn from its own bars: each change keeps "
        "its size and takes a random sign, the same for both legs (wild bootstrap: Cavaliere, "
        "Rahbek & Taylor 2010, 2014). The larger of the two p-values counts.",
    ),
    Figure(
        "q and Bonferroni", "",
        tip="With many pairs some p-values are small by luck: 5 in 100 below 5 % where nothing is "
        "there. q (Benjamini & Hochberg 1995) bounds the share of false ones among those chosen; "
        "Bonferroni bounds the chance of even one. Both count every pair tried, also those that "
        "filters hide.",
    ),
    Figure(
        "Held-out part", "",
        tip="β, α and all of the above come from the first part only. In the rest the spread with "
        "that β is tested by ADF with a constant, and where both parts are small by random signs, "
        "as the first: the larger p counts. "
        + " ".join(f"{word}: {meaning}." for word, meaning in VERDICTS.items() if word),
    ),
    Figure(
        "Pays from |z|", "",
        tip="Of the pairs that q leaves. The residual of the first part is taken as an "
        "Ornstein-Uhlenbeck process with its deviation and its median-unbiased half-life; a trade "
        "pays where its way back to the mean is more than fee and half-spread of four fills, as "
        "chosen on Backtest. Best |z| is where it earns most a bar, waiting included; never, where "
        "that comes less than once in these bars. z is of that residual, not of the window.",
    ),
    Figure(
        "Missing bars", "",
        tip="Each pair is tested on the bars that both legs know. Nothing is carried over a bar "
        "that is missing, and no change reaches over one.",
    ),
    Figure(
        "Half-life", "",
        tip="ln 2 / −θ of Δs = c + θ·s, with a 95 % interval (Andrews 1993). Rows picked "
        "for a small p read short, by nearly half at 300 bars and a true 13.9: there the interval "
        "still holds the truth in 96 %; noise of single bars shortens it too.",
    ),
)  # fmt: skip

# While pairs that are small by the usual table are tested again.
DRAWING: Final = "Allowing for volatility, of the pairs below the level once all are counted"


def figures(scan: ScanResult) -> list[Figure]:
    """Count what is left of the pairs, step by step."""
    table, level = scan.table, scan.settings.level
    percent = f"{level * 100:g} %"
    tried = int(table.attrs["pairs_tried"])
    counts = discoveries(table, level)
    # Of one ordering, and at most of the better of two.
    low, high = (
        formats.number(times * level * tried, 0 if level * tried >= 10 else 1) for times in (1, 2)
    )
    return [
        Figure("Pairs tried", f"{tried:,}", (f"of {table.attrs['symbols']} symbols",)),
        Figure(
            f"Below {percent} uncorrected", f"{counts['uncorrected']:,}",
            (f"luck alone gives {low} to {high} in a calm market",),
            tip="The smaller p of the two orderings, as if nobody had tried any other. The table's "
            "p is that times two: fewer of those are below.",
        ),
        Figure(
            f"q below {percent}", f"{counts['bh']:,}",
            (f"Benjamini-Hochberg; {counts['bonferroni']:,} by Bonferroni", *_fell(counts)),
        ),
        Figure(
            "Hold out of sample", f"{counts['holds']:,}",
            (f"of those {counts['uncorrected']:,}",),
        ),
    ]  # fmt: skip


def discoveries(table: pd.DataFrame, level: float) -> Mapping[str, int]:
    """Count pairs below the level: uncorrected, corrected, and those that hold afterwards.

    ``calm`` counts those that would be below, all counted, with MacKinnon's p alone.
    """
    trusted = table["reason"] == ""
    # A scan kept by an earlier version knows none.
    calm = table["pvalue_wild"].notna() if "pvalue_wild" in table else table["qvalue"] < level
    small = trusted & (table["pvalue_ordered"] < level)
    return {
        "uncorrected": int(small.sum()),
        "calm": int((trusted & calm).sum()),
        "bh": int((trusted & (table["qvalue"] < level)).sum()),
        "bonferroni": int((trusted & (table["pvalue_bonferroni"] < level)).sum()),
        "holds": int((small & (table["verdict"] == "holds")).sum()),
    }


def _fell(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Say how many more it would be in a calm market."""
    fell = counts["calm"] - counts["bh"]
    return (f"{fell:,} more if their volatility were not allowed for",) if fell > 0 else ()


def headline(scan: ScanResult) -> str:
    """Say in one sentence what the scan found."""
    counts = discoveries(scan.table, scan.settings.level)
    percent = f"{scan.settings.level * 100:g} %"
    tried = int(scan.table.attrs["pairs_tried"])
    pairs = formats.count(tried, "pair")
    if counts["bh"] == 0 and counts["calm"] > 0:
        verb = "is" if counts["calm"] == 1 else "are"
        return (
            f"{counts['calm']:,} of {pairs} {verb} below {percent} by the usual table once all are "
            "counted, none once its own volatility is allowed for: nothing here is more than luck "
            "would give."
        )
    if counts["bh"] == 0:
        return (
            f"None of {pairs} is below {percent} once all {tried:,} are counted: nothing here is "
            "more than luck would give."
        )
    confirmed = int(
        ((scan.table["qvalue"] < scan.settings.level) & (scan.table["reason"] == "")
         & (scan.table["verdict"] == "holds")).sum()
    )  # fmt: skip
    verb = "stays" if counts["bh"] == 1 else "stay"
    passed = f"{counts['bh']:,} of {pairs} {verb} below {percent} once all are counted"
    if "pvalue_wild" in scan.table:
        passed += " and their volatility is allowed for"
    if scan.settings.train_percent == 100:
        return f"{passed}; no part was held out to check them."
    return f"{passed}; {confirmed:,} of them came back in the part held out as well."


def provenance(scan: ScanResult) -> str:
    """Say which bars all of it stands on."""
    attrs = scan.table.attrs
    bars, train = int(attrs["bars"]), int(attrs["train_bars"])
    lags = f"lags {scan.settings.lags}"
    parts = [
        f"{scan.span}",
        f"{formats.count(bars, 'bar')} of {formats.interval_label(scan.settings.interval)}",
        f"first {train:,} to choose, last {bars - train:,} held out" if train < bars else "",
        f"{lags}, on {'log prices' if scan.settings.on == 'log' else 'prices'}",
    ]
    return "; ".join(part for part in parts if part) + "."


def unusable_notes(scan: ScanResult) -> list[str]:
    """Name the symbols that took no part, and why."""
    unusable: Mapping[str, str] = scan.table.attrs["unusable"]
    return [f"{name} takes no part: {reason}." for name, reason in unusable.items()]


def not_on_live(symbol: str) -> Notice:
    """Say that a pair cannot be opened."""
    return Notice(
        f"{symbol} is not recorded here, so Live cannot show the pair",
        "Add it under Recorded symbols in Live.",
        is_fault=False,
    )


def cancelled() -> Notice:
    """Say that the reader ended the scan."""
    return Notice("The scan was cancelled", "Scan again, or change the settings.", is_fault=False)


def too_few_symbols(had: int, where: str) -> Notice:
    """Say that no pair can be made."""
    return Notice(
        f"{where} hold {formats.count(had, 'symbol')}: a scan needs 2 or more",
        "Record more symbols, or scan a file of closes or the bundled sample.",
        is_fault=False,
    )
