"""The watch's database: what one rule, alert or document has wrong is not the others' end."""

import logging
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest
from watch_cases import BAR_US, fire, opened

from analytics.alerts import AlertRule, RuleState
from ingest.watch import Alert, Delivery, WatchList

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


@pytest.mark.parametrize("document", ["{", '{"name": "wide", "level": "high"}', '{"name": 1}'])
def test_what_cannot_be_read_is_left_out_and_said_once(store, caplog, document):
    for name in ("wide", "narrow"):
        store.save_rule(AlertRule(name))
        store.save_list(WatchList(name))
    with closing(sqlite3.connect(store.path)) as connection, connection:
        for table in ("rule", "watch_list"):
            connection.execute(
                f"UPDATE {table} SET document = ? WHERE name = 'wide'",
                (document,),
            )
    with caplog.at_level(logging.WARNING, "pairdesk.watch"):
        for _ in range(2):
            assert store.rules() == (AlertRule("narrow"),)
            store.lists()
    said = [each.message for each in caplog.records]
    assert said[0].startswith("rule 'wide' cannot be read, and is left out: ")
    assert len(said) == len(set(said)) <= 2


STATE = RuleState("firing", BAR_US, is_armed=False)


@pytest.mark.parametrize("how", ["saved", "taken up", "removed"])
def test_a_rule_that_looks_at_something_else_is_forgotten_where_it_stood(store, how):
    store.save_rule(AlertRule("wide", when="pvalue"))
    store.record((), {("wide", "pair"): STATE, ("other", "pair"): STATE}, {})
    store.save_rule(AlertRule("wide", when="pvalue", level=0.5))
    assert len(store.states()) == 2
    changed = AlertRule("wide", when="beta")
    if how == "saved":
        store.save_rule(changed)
    elif how == "taken up":
        store.save_all((), (changed,))
    else:
        store.remove_rule("wide")
    assert store.states() == {("other", "pair"): STATE}
    assert store.times_forgotten() == {"wide": 1}


def test_a_rule_that_cannot_be_read_can_be_replaced(store):
    store.save_rule(AlertRule("wide"))
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE rule SET document = '{'")
    store.save_rule(AlertRule("wide", level=3.0))
    assert store.rules() == (AlertRule("wide", level=3.0),)


def test_the_oldest_alerts_are_deleted_in_small_steps_but_none_on_its_way(store):
    first, *rest = fire(store, *"abcdefghij")
    store.update_deliveries([Delivery(each.alert_id, "desk", "delivered") for each in rest])
    assert [store.prune(keep=4, at_most=3) for _ in range(3)] == [3, 2, 0]
    assert [each.words for each in store.alerts()] == ["a", *"ghij"]
    assert [each.alert_id for each in store.deliveries()] == [
        first.alert_id,
        *(each.alert_id for each in rest[-4:]),
    ]
    assert fire(store, "k")[0].alert_id == rest[-1].alert_id + 1


def test_while_another_process_writes_a_writer_waits_and_no_reader(store):
    store.save_rule(AlertRule("wide"))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = threading.Thread(target=store.save_rule, args=(AlertRule("narrow"),))
        writing.start()
        begun_s = time.monotonic()
        for _ in range(5):
            assert store.rules() == (AlertRule("wide"),)
        took_s = time.monotonic() - begun_s
        assert writing.is_alive()
        other.execute("ROLLBACK")
    writing.join(10)
    assert len(store.rules()) == 2
    assert took_s < 5.0
