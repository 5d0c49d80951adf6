"""A short run of the fuzz of files; the long one: `python tests/ingest/files/fuzz_files.py`."""

import fuzz_files
import pytest

from ingest.files import layout


@pytest.mark.parametrize("first", [0, 200])
def test_mutated_files_give_ticks_or_one_line_within_their_bounds(first: int) -> None:
    layout.warm_up()
    outcome = fuzz_files.run(20251127, range(first, first + 200))
    assert outcome.faults == []
    assert outcome.ends.keys() <= {"ticks", "closes", "refused"}
    assert outcome.ends["ticks"] > 50


def test_a_case_is_the_same_each_time() -> None:
    assert fuzz_files.case(1, 7) == fuzz_files.case(1, 7)
    assert fuzz_files.case(1, 7) != fuzz_files.case(2, 7)


def test_a_wrong_total_and_a_traceback_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise KeyError("symbol")

    monkeypatch.setattr(fuzz_files, "read_ticks", failing)
    monkeypatch.setattr(fuzz_files, "read_closes", failing)
    outcome = fuzz_files.run(1, range(5))
    assert [number for number, _ in outcome.faults] == [0, 1, 2, 3, 4]
    assert "KeyError" in outcome.faults[0][1]
    with pytest.raises(AssertionError, match="rows of"):
        fuzz_files.check_rows(b"a\nb\nc\n", 5)
