"""Ranges of ids: what is left of them, their holes, and how they merge."""

from itertools import pairwise

from backfill_scene import BTC, ETH
from hypothesis import given
from hypothesis import strategies as st

from ingest.repair.awaiting_commit import AwaitingCommit
from ingest.store import IdRange, holes, merged, overlap, without

ranges = st.tuples(st.integers(0, 60), st.integers(0, 20)).map(
    lambda pair: IdRange(pair[0], pair[0] + pair[1])
)


def ids_of(*parts: IdRange) -> list[int]:
    return [each for part in parts for each in range(part.from_id, part.to_id + 1)]


@given(whole=ranges, taken=st.lists(ranges, max_size=6))
def test_what_is_left_of_a_range_is_what_sets_would_leave(
    whole: IdRange, taken: list[IdRange]
) -> None:
    assert ids_of(*without(whole, taken)) == sorted(set(ids_of(whole)) - set(ids_of(*taken)))


@given(one=ranges, other=ranges)
def test_overlap_is_the_sets_intersection(one: IdRange, other: IdRange) -> None:
    both = overlap(one, other)
    common = sorted(set(ids_of(one)) & set(ids_of(other)))
    assert (ids_of(both) if both is not None else []) == common


def test_holes_are_the_runs_between_the_ids_present() -> None:
    assert holes(IdRange(3, 10), [3, 4, 7, 10]) == [IdRange(5, 6), IdRange(8, 9)]
    assert holes(IdRange(3, 5), []) == [IdRange(3, 5)]


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 8)), max_size=8))
def test_merged_ranges_are_the_same_ids_in_order_and_apart(pairs: list[tuple[int, int]]) -> None:
    ranges = [IdRange(low, low + more) for low, more in pairs]
    found = merged(ranges)
    ids = {each for part in ranges for each in range(part.from_id, part.to_id + 1)}
    assert [each for part in found for each in range(part.from_id, part.to_id + 1)] == sorted(ids)
    assert all(one.to_id + 1 < other.from_id for one, other in pairwise(found))


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 8)), max_size=8),
    st.integers(1, 60),
    st.integers(0, 20),
)
def test_what_is_left_is_what_no_entry_settles(
    pairs: list[tuple[int, int]], low: int, more: int
) -> None:
    settling, settled = AwaitingCommit(lambda: 0.0), set()
    for first, size in pairs:
        settling.add(BTC, IdRange(first, first + size))
        settled |= set(range(first, first + size + 1))
    whole = IdRange(low, low + more)
    left = settling.left_of(BTC, whole)
    ids = [each for part in left for each in range(part.from_id, part.to_id + 1)]
    assert ids == [each for each in range(low, low + more + 1) if each not in settled]
    assert settling.left_of(ETH, whole) == [whole]
