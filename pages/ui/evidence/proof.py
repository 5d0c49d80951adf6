"""Proof on demand: no look-ahead on these bars, and the published cases computed again."""

import time
from typing import Final

import pandas as pd
import streamlit as st

from analytics.evidence.causality import CausalityProof, prove_causal
from analytics.evidence.validation import ValidationCase, validate
from analytics.hedge import CAUSAL_HEDGES, HEDGE_WORDS
from pages.ui.desk.material import Material
from pages.ui.evidence import tables, words
from pages.ui.parts import formats, markup, notices, plain

PROVEN: Final = "evidence_proof"
VALIDATED: Final = "evidence_validation"


def show_proof(material: Material) -> None:
    """Offer the proof of causality for the bars in sight, and show it once it is made."""
    st.caption(words.PROOF_EXPLAINED)
    about = (material.bars.key, material.params)
    if st.button("Prove it", key="prove", type="primary"):
        with st.spinner("Computing the past again, without its future"):
            started_s = time.monotonic()
            proof = prove_causal(material.bars.y_bars, material.bars.x_bars, material.params)
            st.session_state[PROVEN] = (about, proof, time.monotonic() - started_s, _now())
    made = st.session_state.get(PROVEN)
    if made is None or made[0] != about:
        return
    _, proof, took_s, when = made
    _show_proof(proof, took_s, when)


def _show_proof(proof: CausalityProof, took_s: float, when: pd.Timestamp) -> None:
    box = st.success if proof.causal else st.info if not proof.expected else st.error
    box(f"{notices.sentence(proof.verdict())}.")
    if not proof.expected:
        causal = ", ".join(HEDGE_WORDS[name].replace(" (causal)", "") for name in CAUSAL_HEDGES)
        plain.caption(f"Hedge ratios that change nothing in the past: {causal}.")
    cuts = ", ".join(formats.moment(cut) for cut in proof.cuts)
    markup.show(
        markup.block(
            tables.proof_table(proof),
            markup.notes([f"Cut after the bars of {cuts}.", _made(when, took_s)]),
        )
    )


def show_validation() -> None:
    """Offer the published cases, and show them once they are computed."""
    st.caption(words.VALIDATION_EXPLAINED)
    if st.button("Recompute the cases", key="validate", type="primary"):
        with st.spinner("Computing the published cases"):
            started_s = time.monotonic()
            cases = validate()
            st.session_state[VALIDATED] = (cases, time.monotonic() - started_s, _now())
    made = st.session_state.get(VALIDATED)
    if made is not None:
        _show_validation(*made)


def _show_validation(cases: tuple[ValidationCase, ...], took_s: float, when: pd.Timestamp) -> None:
    good = sum(case.ok for case in cases)
    box = st.success if good == len(cases) else st.error
    box(f"{good} of {len(cases)} cases agree within their tolerance.")
    notes = markup.notes([_made(when, took_s)])
    markup.show(markup.block(tables.validation_table(cases), notes))


def _now() -> pd.Timestamp:
    return pd.Timestamp(time.time_ns() // 1_000, unit="us", tz="UTC")


def _made(when: pd.Timestamp, took_s: float) -> str:
    return f"Computed at {formats.moment(when)} in {formats.age(took_s)}."
