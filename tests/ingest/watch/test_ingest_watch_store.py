"""The watch's database: what one rule, alert or document has wrong is not the others' end."""

from dataclasses import replace

import pytest
from watch_cases import BAR_US, fire, opened

from ingest.watch import Alert

FIRED = Alert("wide", "fired", BAR_US, BAR_US, "words", channels=("desk",))


@pytest.fixture
def store(tmp_path):
    made = opened(tmp_path)
    yield made
    made.close()


def test_a_channel_named_twice_gets_the_alert_once(store):
    fire(store, "a", channels=("desk", "pager", "desk"))
    assert [each.channel for each in store.deliveries()] == ["desk", "pager"]


@pytest.mark.parametrize(
    "unfit",
    [
        replace(FIRED, words=None),  # type: ignore[arg-type]
        replace(FIRED, bar_us=2**63),
        replace(FIRED, words="\ud800"),
        replace(FIRED, channels=("desk", None)),  # type: ignore[arg-type]
    ],
    ids=["no words", "a time beyond all", "half a character", "no channel"],
)
def test_an_alert_that_cannot_be_kept_holds_up_no_other(store, unfit):
    recorded = store.record([FIRED, unfit, FIRED], {}, {"pair": BAR_US})
    assert [each.alert_id for each in store.alerts()] == [each.alert_id for each in recorded]
    assert len(recorded) == len(store.deliveries()) == 2
    assert store.evaluated() == {"pair": BAR_US}
