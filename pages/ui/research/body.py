"""The Research page's body: jobs under way, what is kept, and a result with its table."""

from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from analytics.research import ResearchResult
from ingest.errors import IngestError
from ingest.research import SavedResearch, delete, open_saved, saved_names
from pages.ui.desk import pair_data
from pages.ui.parts import files, formats, markup, notices, plain
from pages.ui.parts.csv_file import csv_bytes
from pages.ui.parts.files import Offer
from pages.ui.research import jobs, table, words
from pages.ui.research.settings import Wanted
from pages.ui.state import choices
from pages.ui.state.choices import CUSTOM, LIVE, WHOLE, Value
from pages.ui.state.served_files import MadeFile
from pages.ui.state.source import research_folder

CHOSEN: Final = "research_saved"
_SAID: Final = "research_said"
_LACKING: Final = "research_lacking"
_OPENING: Final = "research_opening"


def head() -> None:
    """Name the page."""
    where = jobs.executor().words
    markup.show(markup.block(
        markup.heading("Research"), markup.text(f"work is done {where}", "muted"), css="pd-head"
    ))  # fmt: skip


def has_any() -> bool:
    """Whether there is anything to look at besides the form."""
    return bool(saved_names(research_folder())) or bool(jobs.running())


def begins(wanted: Wanted) -> bool:
    """Say what is about to be tried, and offer to begin; whether the reader wants it."""
    plain.caption(words.cost_of(wanted.spec))
    may_begin = wanted.name not in taken_names()
    if not may_begin and not jobs.is_busy(wanted.name):
        plain.info(f"{wanted.name} is kept already: choose another name, or delete it below.")
    return st.button("Begin", key="research_begin", type="primary", disabled=not may_begin)


def taken_names() -> set[str]:
    """Return the names under which something is kept or under way."""
    return {*saved_names(research_folder()), *(job.request for job in jobs.running())}


def show_jobs() -> bool:
    """Show what is under way and why the last one ended; say whether anything is under way."""
    under_way = jobs.running()
    for job in under_way:
        with st.container(horizontal=True, vertical_alignment="center"):
            plain.progress(job.done / job.total if job.total else 0.0, jobs.words_of(job))
            st.button(
                "Cancel", key=f"research_cancel_{job.job_id}", on_click=_cancel, args=(job.job_id,)
            )
    latest = jobs.ended()
    if latest and latest[0].state == "failed":
        plain.error(f"{latest[0].words}: {latest[0].error}.")
    elif latest and latest[0].state == "cancelled":
        plain.info(f"{latest[0].words} was cancelled. What was done is kept: resume it below.")
    return bool(under_way)


def _cancel(job_id: int) -> None:
    jobs.runner().cancel(job_id)


def show_saved() -> None:
    """Choose one of what is kept, and show it."""
    said = st.session_state.pop(_SAID, None)
    if said is not None:
        plain.error(said)
    names = saved_names(research_folder())
    if not names:
        if not jobs.running():
            notices.show(words.nothing_yet())
        return
    if st.session_state.get(CHOSEN) not in names:
        st.session_state.pop(CHOSEN, None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = str(st.selectbox("Kept research", names, key=CHOSEN, width=320))
        saved = open_saved(name, research_folder())
        is_busy = jobs.is_busy(name)
        if not saved.is_finished:
            st.button("Resume", key="research_resume", disabled=is_busy,
                      on_click=_do, args=(jobs.resume, name))  # fmt: skip
        st.button("Delete", key="research_delete", disabled=is_busy,
                  on_click=_do, args=(_delete, name))  # fmt: skip
    if saved.is_finished:
        show_result(saved, saved.result())
    elif not is_busy:
        done, total = len(saved.done()), len(saved.tasks())
        plain.info(f"{done:,} of {total:,} tasks are done and kept. Resume goes on from there.")


def _delete(name: str) -> None:
    delete(name, research_folder())


def _do(action: Any, name: str) -> None:
    """Do what a button says; what goes wrong is said in the run that follows."""
    try:
        action(name)
    except IngestError as error:
        st.session_state[_SAID] = f"{error}."


def show_result(saved: SavedResearch, result: ResearchResult) -> None:
    """Show a result: headline, counts, table, download."""
    pieces = [markup.text(saved.source, "muted")]
    if saved.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    markup.show(markup.block(*pieces, css="pd-head"))
    headline = words.headline(result, saved.spec)
    markup.show(markup.block(
        markup.text(headline, kind="p"), kind="section", css="pd-verdict"
    ))  # fmt: skip
    provenance = markup.text(words.provenance(saved, result), "muted")
    markup.show(markup.block(provenance, css="pd-covered"))
    markup.show(markup.block(markup.figures(words.figures(result, saved.spec))))
    rows = table.filtered(result.table, _choose_filters(result.table))
    if rows.empty:
        pairs = formats.count(len(result.table), "pair")
        notices.show(notices.Notice(
            f"None of {pairs} passes the filters", "Loosen one of them.", is_fault=False
        ))  # fmt: skip
    else:
        shown = f"{formats.count(len(rows), 'pair')} of {len(result.table):,}"
        if len(rows) > table.MOST_ROWS:
            shown += f", the best {table.MOST_ROWS} shown; the CSV has all"
        plain.caption(f"{shown}. Window and entry are those the next stretch would be traded with.")
        markup.show(markup.block(table.results_table(rows)))
        _show_open(saved, rows.head(table.MOST_ROWS))
    _show_foot(saved, result)


def _choose_filters(results: pd.DataFrame) -> table.Filters:
    symbols = sorted({*results["y"], *results["x"]})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        symbol = st.selectbox("With symbol", ["any", *symbols], key="research_with", width=150)
        trades = st.number_input(
            "Trades at least", 0, None, 0, 10, key="research_trades", width=130
        )
        paid = st.toggle("Only those that earned", key="research_paid_only")
        holds = st.toggle("Only those that hold", key="research_holds_only")
    return table.Filters(
        None if symbol == "any" else str(symbol), bool(paid), bool(holds), int(trades)
    )


def _show_open(saved: SavedResearch, rows: pd.DataFrame) -> None:
    """Offer a pair to Backtest, with the setting that it would be traded with next."""
    known = rows[rows["window"].notna()]
    if known.empty:
        return
    by_name = {f"{row['y']} / {row['x']}": row for row in known.to_dict("records")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = str(st.selectbox("Pair", list(by_name), key="research_pair", width=240))
        st.button("Open on Backtest", key="research_open",
                  on_click=_open, args=(saved, by_name[name]))  # fmt: skip
    lacking = st.session_state.pop(_LACKING, None)
    if lacking:
        plain.info(words.not_recorded(lacking))
    if st.session_state.pop(_OPENING, False):
        st.switch_page("backtest.py", query_params={})


def _open(saved: SavedResearch, row: dict[str, Any]) -> None:
    recorded = pair_data.symbols_or_none(pair_data.database_path())
    lacking = [row[leg] for leg in ("y", "x") if row[leg] not in recorded]
    if lacking:
        st.session_state[_LACKING] = lacking[0]
        return
    choices.request(setting_on_backtest(saved, row))
    st.session_state[_OPENING] = True


def setting_on_backtest(saved: SavedResearch, row: dict[str, Any]) -> dict[str, Value]:
    """Return a row's pair and setting as Backtest's controls take them."""
    spec, costs = saved.spec, saved.spec.rules.costs
    rules = spec.rules.with_entry(float(row["entry"]))
    return {
        "mode": LIVE, "s1": row["y"], "s2": row["x"], "interval": spec.interval, "span": WHOLE,
        "spread": spec.spread, "hedge": row["hedge"], "window": int(row["window"]),
        "bt_rule": CUSTOM, "bt_sell": rules.sell_above, "bt_buy": rules.buy_below,
        "bt_out_short": rules.exit_short, "bt_out_long": rules.exit_long,
        "bt_costs": CUSTOM, "bt_taker": costs.taker_bps, "bt_maker": costs.maker_bps,
    }  # fmt: skip


def _show_foot(saved: SavedResearch, result: ResearchResult) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("What the columns mean", key="research_explain"):
            markup.show(markup.block(markup.explanations(words.EXPLAINED)))
        offer = Offer("All pairs (CSV)", "research-csv", partial(_csv, saved, result.table))
        files.show([offer], key="research_csv")


def _csv(saved: SavedResearch, results: pd.DataFrame, _: str) -> MadeFile:
    made = "_synthetic" if saved.is_synthetic else ""
    name = f"research_{saved.spec.interval}_{len(results)}pairs{made}.csv"
    return MadeFile(name, "text/csv", csv_bytes(results))
