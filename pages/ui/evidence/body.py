"""The evidence page's body: headline, four figures, and one section at a time."""

from collections.abc import Callable, Sequence
from typing import Final

import pandas as pd
import streamlit as st

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from pages.ui.desk import coverage_note, lack_notice, pair_data
from pages.ui.desk.material import Material, take_anew
from pages.ui.evidence import charts, data, figures, giving_way, proof, tables, zscore
from pages.ui.evidence import words as evidence_words
from pages.ui.parts import formats, markup, plain
from pages.ui.parts.markup import Html

Section = Callable[[Material, PairAnalytics], None]


def show(material: Material) -> None:
    """Show what speaks for the pair and against it.

    Raises
    ------
    AnalyticsError
        The bars do not allow what the sidebar asks for.
    """
    markup.show(_head(material))
    result = pair_data.analyse(material.bars, material.params)
    if len(result.zscore) == 0:
        params = material.params
        lack_notice.show(
            lack_notice.without_zscore(params, material.bars), params, material.bars, key="lack"
        )
        return
    with st.spinner("Testing the spread"):
        more = data.spread_tests(material, result)
    others = evidence_words.other_tests(result, more.phillips_ouliaris, more.johansen)
    sentences = [evidence_words.headline(result), *others]
    markup.show(_verdict([*sentences, *evidence_words.beside_headline(result)]))
    _show_provenance(material, result)
    lack = lack_notice.latest_lack(result)
    if lack is not None:
        lack_notice.show(lack, material.params, material.bars, key="lack")
    markup.show(markup.block(markup.figures(figures.main_figures(result, more))))
    chosen = st.segmented_control(
        "Section", list(SECTIONS), default="Tests", key="section", required=True,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    SECTIONS.get(str(chosen), _show_tests)(material, result)


def _head(material: Material) -> Html:
    params = material.params
    pieces = [
        markup.heading(Html("Evidence: {}").format(markup.pair(params.y, params.x))),
        markup.text(f"{formats.interval_label(params.interval)} bars", "muted"),
        markup.text(material.name, "muted"),
    ]
    if material.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    return markup.block(*pieces, css="pd-head")


def _verdict(lines: Sequence[str]) -> Html:
    return markup.block(markup.paragraphs(lines), kind="section", css="pd-verdict")


def _show_provenance(material: Material, result: PairAnalytics) -> None:
    """Say on what all of it stands, from when it is, and offer to take it anew."""
    index = result.zscore.index
    words = [
        *coverage_note.coverage_words(result, material.bars),
        f"{formats.span(index[0], index[-1])}.",
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        if material.may_change:
            taken = pd.Timestamp(material.taken_us, unit="us", tz="UTC")
            words.append(f"Bars taken at {formats.clock(taken)}; this page waits for you.")
        markup.show(markup.block(markup.text(" ".join(words), "muted"), css="pd-covered"))
        if material.may_change and st.button("Recompute", key="recompute"):
            take_anew()
            st.rerun()


def _show_tests(material: Material, result: PairAnalytics) -> None:
    more = data.spread_tests(material, result)
    markup.show(markup.block(tables.tests_table(result, more)))
    with st.popover("Formulas and references", key="explain_tests"):
        markup.show(markup.block(markup.explanations(evidence_words.TESTS_EXPLAINED)))
    markup.show(markup.block(markup.notes(result.notes)))


def _show_hedges(material: Material, result: PairAnalytics) -> None:
    with st.spinner("Fitting every method"):
        hedges = data.hedges(material, result)
    markup.show(markup.block(tables.hedge_table(hedges, result)))
    with st.popover("References", key="explain_hedges"):
        markup.show(markup.block(markup.explanations(tables.hedge_references(hedges))))
    remarks = tables.hedge_remarks(hedges, result.params.level)
    if not result.params.uses_beta:
        remarks.insert(0, "The spread chosen in the sidebar uses none of them.")
    markup.show(markup.block(markup.notes(remarks)))


def _show_stability(material: Material, result: PairAnalytics) -> None:
    with st.spinner("Following the relation through the range"):
        stability = data.paths(material, result)
    if isinstance(stability, NotEnough | Degenerate):
        lack_notice.show(stability, material.params, material.bars, key="lack_stability")
        return
    charts.show_stability(stability, result)
    shifts = data.shifts(material, result)
    table = giving_way.shifts_table(result, shifts)
    markup.show(markup.block(table, markup.notes(giving_way.shift_remark(result, shifts))))
    explained = (*evidence_words.STABILITY_EXPLAINED, giving_way.SHIFTS_EXPLAINED)
    with st.popover("What is drawn, and references", key="explain_stability"):
        markup.show(markup.block(markup.explanations(explained)))


def _show_giving_way(material: Material, result: PairAnalytics) -> None:
    with st.spinner("Looking at which leg gives way"):
        found, lead = data.giving_way(material, result), data.lead(material, result)
    markup.show(
        markup.block(
            markup.figures(giving_way.giving_figures(result, found, lead)),
            giving_way.loadings_table(result, found.correction),
            giving_way.momentum_table(result, found.momentum),
            markup.notes(giving_way.remarks(result, found)),
        )
    )
    with st.popover("Formulas and references", key="explain_giving_way"):
        markup.show(markup.block(markup.explanations(giving_way.EXPLAINED)))


def _show_together(material: Material, result: PairAnalytics) -> None:
    with st.spinner("Looking at when the legs trade"):
        asynchrony, lead = data.together(material, result), data.lead(material, result)
    warning = asynchrony.warning()
    if warning:
        plain.warning(warning)
    charts.show_together(asynchrony, lead, result, material.bars)
    with st.popover("What is drawn, and references", key="explain_together"):
        markup.show(markup.block(markup.explanations(evidence_words.TOGETHER_EXPLAINED)))


def _show_gates(material: Material, result: PairAnalytics) -> None:
    with st.spinner("Asking each gate"):
        alone = data.gates_alone(material)
    now, closed = result.signal_now, str(result.gate.iloc[-1])
    speaks = f"The gate that speaks: {closed}." if closed else "No gate that is on is closed."
    lines = [formats.with_minus(f"Signal {now.signal}: {now.reason}."), speaks]
    markup.show(_verdict(lines))
    markup.show(markup.block(tables.gates_table(result, alone)))
    st.caption(
        "The switches stand in the sidebar; the Live page's signal obeys the same ones. p and "
        "half-life are tested once every window, over the ten windows (100 bars or more) before."
    )


def _show_proof(material: Material, _: PairAnalytics) -> None:
    proof.show_proof(material)


def _show_validation(_: Material, __: PairAnalytics) -> None:
    proof.show_validation()


# Named as the URL has them.
SECTIONS: Final[dict[str, Section]] = {
    "Tests": _show_tests,
    "Hedge ratios": _show_hedges,
    "Stability": _show_stability,
    "Error correction": _show_giving_way,
    "Trading together": _show_together,
    "What z says": zscore.show,
    "Gates": _show_gates,
    "Prove it": _show_proof,
    "Validation": _show_validation,
}
