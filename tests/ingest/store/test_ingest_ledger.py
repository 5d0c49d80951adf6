"""The ledger of ids: whatever order ids come in, stored and missing together are all of them."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.store.ledger import StreamLedger


def known_ids(ledger: StreamLedger) -> set[int]:
    if ledger.first_id is None or ledger.last_id is None:
        return set()
    everything = set(range(ledger.first_id, ledger.last_id + 1))
    return everything - {i for gap in ledger.gaps for i in range(gap.from_id, gap.to_id + 1)}


@given(st.lists(st.integers(0, 60), max_size=80))
def test_ids_seen_and_gaps_make_up_the_whole_span(ids: list[int]) -> None:
    ledger, seen = StreamLedger(), set()
    for trade_id in ids:
        assert ledger.observe(trade_id, trade_id * 10) == (trade_id not in seen)
        seen.add(trade_id)
    assert known_ids(ledger) == seen
    assert ledger.missing() == (max(seen) - min(seen) + 1 - len(seen) if seen else 0)
    assert ledger.gaps == sorted(ledger.gaps, key=lambda gap: gap.from_id)


@given(st.permutations(range(30)))
def test_time_bounds_of_a_gap_are_those_of_its_neighbours(ids: list[int]) -> None:
    ledger = StreamLedger()
    for trade_id in ids[:20]:
        ledger.observe(trade_id, trade_id * 10)
    for gap in ledger.gaps:
        assert gap.after_us == (gap.from_id - 1) * 10
        assert gap.before_us == (gap.to_id + 1) * 10


def test_a_jump_opens_a_gap_with_its_cause_and_the_ids_close_it() -> None:
    ledger = StreamLedger()
    ledger.observe(10, 100)
    ledger.observe(14, 140, "disconnected")
    (gap,) = ledger.gaps
    assert (gap.from_id, gap.to_id, gap.cause, gap.state) == (11, 13, "disconnected", "open")
    for trade_id in (12, 11, 13):
        assert ledger.observe(trade_id, trade_id * 10)
    assert ledger.gaps == []
    assert {each.state for each in ledger.changed} == {"filled"}
    assert not ledger.observe(12, 120)


def test_a_given_up_part_ends_where_the_filled_part_begins() -> None:
    ledger = StreamLedger()
    ledger.observe(1, 10)
    ledger.observe(100, 1000, "stopped")
    ledger.close_range(2, 50, "expired", "too long ago")
    ledger.close_range(90, 99, "expired", "refused")
    for trade_id in range(51, 90):
        ledger.observe(trade_id, trade_id * 10)
    older, newer = ledger.gaps
    assert (older.after_us, older.before_us) == (10, 510)
    assert (newer.after_us, newer.before_us) == (890, 1000)
    assert (older.opened_before_us, newer.opened_after_us) == (510, 890)
