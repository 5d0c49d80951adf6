"""What waits for a channel goes out in order, at least once, and a repeat says so."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from watch_cases import (
    BAR_US,
    FAILED,
    NOT_REACHED,
    TAKEN,
    Clock,
    ScriptedSender,
    addresses,
    channel_for,
    fire,
    opened,
    states,
    until_idle,
)

from ingest.errors import StoreError
from ingest.watch import Delivery, WatchStore
from ingest.watch.channel import Channel
from ingest.watch.sending import Outcome

DAY_S = 86_400


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def store(tmp_path):
    return opened(tmp_path)


@pytest.fixture
def clock():
    return Clock()


def test_alerts_go_out_in_their_order_and_once(store, clock):
    fire(store, "a", "b", "c")
    sender = ScriptedSender()
    until_idle(channel_for(store, sender, clock), clock)
    assert sender.words == ["a", "b", "c"]
    assert states(store) == ["delivered"] * 3
    assert [each.attempts for each in store.deliveries()] == [1, 1, 1]


def test_nothing_overtakes_an_alert_that_fails(store, clock):
    fire(store, "a", "b")
    sender = ScriptedSender([NOT_REACHED] * 4)
    until_idle(channel_for(store, sender, clock), clock)
    assert sender.words == ["a"] * 5 + ["b"]


def test_a_send_that_may_have_arrived_is_repeated_as_such(store, clock):
    fire(store, "a", "b")
    sender = ScriptedSender([NOT_REACHED, FAILED, NOT_REACHED])
    until_idle(channel_for(store, sender, clock), clock)
    assert sender.words == ["a", "a", "a*", "a*", "b"]
    assert [each.is_repeated for each in store.deliveries()] == [True, False]


def test_waits_grow_from_a_second_and_are_bounded(store, clock):
    fire(store, "a")
    moments = []
    sender = ScriptedSender([FAILED] * 80)
    sender.before = lambda: moments.append(clock.us / 1e6)
    until_idle(channel_for(store, sender, clock), clock)
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert all(0.5 <= wait <= 0.5 + min(60, 2**n) for n, wait in enumerate(waits[:60]))
    assert 60 < max(waits[60:]) <= 300.5


def test_retry_after_wins_over_the_backoff(store, clock):
    fire(store, "a")
    sender = ScriptedSender([replace(FAILED, retry_after_s=1234.0)])
    begun_us = clock.us
    until_idle(channel_for(store, sender, clock), clock)
    assert (clock.us - begun_us) / 1e6 == pytest.approx(1234.0)


def test_an_alert_is_given_up_after_a_day_and_says_why(store, clock):
    fire(store, "a", "b")
    sender = ScriptedSender([FAILED] * 10_000)
    channel = channel_for(store, sender, clock)
    channel.deliver()
    clock.forward(DAY_S - 600)
    while states(store)[0] != "failed":
        clock.forward(channel.deliver() or 0)
    age_s = (clock.us - BAR_US) / 1e6
    assert DAY_S < age_s < DAY_S + 600
    assert states(store) == ["failed", "failed"]
    assert {each.error for each in store.deliveries()} == {FAILED.words}


def test_what_is_younger_than_a_day_goes_out_after_what_was_given_up(store, clock):
    fire(store, "old", "old too")
    clock.forward(DAY_S + 60)
    fire(store, "young", at_us=clock.us)
    sender = ScriptedSender([FAILED] * 5)
    until_idle(channel_for(store, sender, clock), clock)
    assert sender.words == ["old", *["old*"] * 4, "young"]
    assert states(store) == ["failed", "failed", "delivered"]


@pytest.mark.parametrize("known", [None, {}], ids=["it fails", "no address"])
def test_a_clock_put_forward_by_a_day_gives_nothing_up(store, clock, known):
    fire(store, "a", "b")
    set_by_s = 0
    sender = ScriptedSender([FAILED] * 100)
    channel = channel_for(store, sender, clock, known, steady=lambda: clock.us / 1e6 - set_by_s)
    channel.deliver()
    set_by_s = DAY_S + 60
    clock.forward(set_by_s)
    for _ in range(40):
        clock.forward(channel.deliver() or 0)
    assert "failed" not in states(store)
    clock.forward(DAY_S)
    channel.deliver()
    assert states(store) == ["failed", "failed"]


def test_a_sender_that_breaks_is_tried_again_as_one_that_fails(store, clock, caplog):
    fire(store, "a")
    moments = []

    def break_down() -> None:
        moments.append(clock.us / 1e6)
        raise RuntimeError("MARKER")

    sender = ScriptedSender()
    sender.before = break_down
    channel = channel_for(store, sender, clock)
    for _ in range(40):
        clock.forward(channel.deliver() or 0)
    assert 5 < len(moments) < 20
    clock.forward(DAY_S)
    until_idle(channel, clock)
    assert states(store) == ["failed"]
    assert [each.message for each in caplog.records] == ["channel desk: it failed (RuntimeError)"]


@pytest.mark.parametrize("known", [{}, {"desk": "odd://"}], ids=["none", "unusable"])
def test_an_address_that_is_missing_or_unusable_counts_as_failures(store, clock, known):
    fire(store, "a")
    places = addresses(**known)
    channel = Channel("desk", store, places, clock, lambda _: None, clock=lambda: clock.us / 1e6)
    for _ in range(3):
        channel.deliver()  # a new alert calls it, too
        clock.forward(channel.deliver() or 0)
    assert channel.failures == 3


def test_a_message_that_is_refused_holds_up_the_rest_for_a_quarter_of_an_hour(store, clock):
    fire(store, "odd", "b")
    refused = Outcome(False, "HTTP 400 Bad Request", is_final=True)
    sender = ScriptedSender()
    sender.before = lambda: sender.outcomes.append(
        refused if states(store)[0] == "sending" else TAKEN
    )
    until_idle(channel_for(store, sender, clock), clock)
    assert states(store) == ["failed", "delivered"]
    assert sender.words.count("odd") + sender.words.count("odd*") >= 5
    assert 900 <= (clock.us - BAR_US) / 1e6 < 1100


@pytest.mark.parametrize("is_taken", [False, True])
def test_what_was_under_way_when_the_process_died_is_sent_as_a_repeat(store, clock, is_taken):
    """The mark is on the disk before the attempt: it shows wherever in it the process ended."""
    fire(store, "a", "b")
    dying = ScriptedSender()

    def die() -> None:
        if is_taken:
            dying.sent.append([])
        raise KilledError

    dying.before = die
    with pytest.raises(KilledError):
        channel_for(store, dying, clock).deliver()
    store.close()
    again, sender = opened(store.path.parent), ScriptedSender()
    until_idle(channel_for(again, sender, clock), clock)
    assert sender.words == ["a*", "b"]
    assert [(each.attempts, each.is_repeated) for each in again.deliveries()] == [
        (2, True),
        (1, False),
    ]


def test_the_mark_is_in_the_database_when_the_attempt_is_made(store, clock):
    fire(store, "a", "b")
    seen = []
    sender = ScriptedSender()
    sender.before = lambda: seen.append(states(store))
    channel_for(store, sender, clock).deliver()
    assert seen == [["sending", "waiting"], ["delivered", "sending"]]


class FailingStore(WatchStore):
    """A store whose writes fail as told."""

    def __init__(self, store: WatchStore, fails: list[bool]) -> None:
        self._store, self._fails = store, list(fails)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def update_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        if self._fails and self._fails.pop(0):
            raise StoreError("the watch cannot be written: disk full")
        self._store.update_deliveries(deliveries)


def test_nothing_is_sent_that_could_not_be_noted_before(store, clock):
    fire(store, "a")
    sender = ScriptedSender()
    channel = channel_for(FailingStore(store, [True]), sender, clock)
    with pytest.raises(StoreError):
        channel.deliver()
    assert sender.words == []
    until_idle(channel, clock)
    assert sender.words == ["a"]


def test_what_was_delivered_is_not_sent_again_because_that_could_not_be_written(store, clock):
    fire(store, "a")
    sender = ScriptedSender()
    channel = channel_for(FailingStore(store, [False, True, True]), sender, clock)
    for _ in range(2):
        with pytest.raises(StoreError):
            channel.deliver()
    until_idle(channel, clock)
    assert sender.words == ["a"]
    assert states(store) == ["delivered"]


def test_without_an_address_it_waits_and_says_so_until_there_is_one(store, clock):
    fire(store, "a")
    sender, places = ScriptedSender(), addresses()
    channel = Channel("desk", store, places, clock, lambda _: sender)
    for _ in range(3):
        clock.forward(channel.deliver())
    assert sender.words == []
    assert channel.standing(1).state == "no address: it waits for one"
    places.take_up({"desk": "json://receiver"})
    until_idle(channel, clock)
    assert sender.words == ["a"]


def test_without_an_address_an_alert_fails_after_a_day(store, clock):
    fire(store, "a")
    clock.forward(DAY_S + 1)
    until_idle(channel_for(store, ScriptedSender(), clock, known={}), clock)
    assert [(each.state, each.error) for each in store.deliveries()] == [
        ("failed", "no address: it waits for one")
    ]


def test_another_address_is_tried_at_once(store, clock):
    fire(store, "a")
    senders = {"json://old": ScriptedSender([FAILED] * 50), "json://new": ScriptedSender()}
    places = addresses(desk="json://old")
    channel = Channel("desk", store, places, clock, senders.__getitem__)
    for _ in range(20):
        clock.forward(channel.deliver())
    places.take_up({"desk": "json://new"})
    assert channel.deliver() == 0.0
    assert senders["json://new"].words == ["a*"]


def test_a_clock_that_was_put_back_delays_nothing_for_long(store, clock):
    alert = fire(store, "a")[0]
    store.update_deliveries([Delivery(alert.alert_id, "desk", next_us=clock.us + 7200 * 10**6)])
    channel = channel_for(store, ScriptedSender(), clock)
    channel.deliver()
    assert states(store) == ["delivered"]


def test_several_alerts_go_into_one_message_where_a_channel_takes_text(store, clock):
    fire(store, "a", "b", "c", "d")
    sender = ScriptedSender([FAILED], most=3)
    until_idle(channel_for(store, sender, clock), clock)
    assert [[each.alert.words for each in sent] for sent in sender.sent] == [
        ["a", "b", "c"],
        ["a", "b", "c"],
        ["d"],
    ]
    assert sender.words == ["a", "b", "c", "a*", "b*", "c*", "d"]


def test_it_says_how_it_does(store, clock):
    fire(store, "a")
    channel = channel_for(store, ScriptedSender([FAILED, FAILED]), clock)
    clock.forward(channel.deliver())
    standing = channel.standing(1)
    assert (standing.failures_in_a_row, standing.last_error) == (1, FAILED.words)
    assert standing.state == "failing: it is tried again"
    assert (standing.kind, standing.source) == ("JSON webhook", "watch file")
    until_idle(channel, clock)
    after = channel.standing(0)
    assert (after.failures_in_a_row, after.last_error, after.state) == (0, "", "ready")
    assert after.last_delivered_us is not None
