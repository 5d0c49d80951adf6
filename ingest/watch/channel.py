"""One channel's way out: strictly in order, at least once, and a second send said to be one."""

import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ingest.retry import Backoff
from ingest.watch.addresses import Address, Addresses
from ingest.watch.message import Outgoing
from ingest.watch.model import SECOND_US, Delivery, DeliveryState
from ingest.watch.sending import LONGEST_WAIT_S, Outcome, Sender, open_sender
from ingest.watch.store import WatchStore

_LOG: Final = logging.getLogger("pairdesk.watch")
DAY_US: Final = 86_400 * SECOND_US
# What a receiver refuses as a message is given up sooner: the rest waits behind it.
REFUSED_FOR_US: Final = 900 * SECOND_US
_REFUSED_TIMES: Final = 5
# Longest wait between two attempts, seconds, and after how many failures a longer one.
_CAP_S: Final = 60.0
_LATER_CAP_S: Final = 300.0
_MANY: Final = 60
# How often a channel looks whether it has got another address, and what is due.
LOOK_S: Final = 5.0
_NO_ADDRESS: Final = "no address: it waits for one"
_UNUSABLE: Final = "its address cannot be used"
_GONE: Final = "the alert is no longer in the database"
_AT_ONCE: Final = 100

OpenSender = Callable[[str], Sender | None]


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """How a channel does.

    Attributes
    ----------
    name, kind, source
        Its name, the service, and where its address stands: never the address.
    state
        In words.
    waiting
        Alerts that are not delivered yet.
    last_delivered_us
        On our clock; None before the first since the start.
    failures_in_a_row, last_error
        Attempts that failed since the last that did not, and why.
    """

    name: str
    kind: str
    source: str
    state: str
    waiting: int = 0
    last_delivered_us: int | None = None
    failures_in_a_row: int = 0
    last_error: str = ""


def _never() -> bool:
    return False


class Channel:
    """Delivers what waits for one channel. All but `standing` belongs to one thread.

    An attempt is in the database before it is made: what was under way when the process died is
    sent again, and says so.

    Parameters
    ----------
    name, store, addresses
        Whose deliveries, where they are kept, and where they go.
    now_us
        Our clock, µs since the epoch.
    opens
        Makes what sends to an address.
    rng
        Draws the waits.
    stops
        Asked between two attempts.
    clock
        Monotonic seconds: ours may be put forward by a day, and no alert is given up for that.
    """

    def __init__(
        self,
        name: str,
        store: WatchStore,
        addresses: Addresses,
        now_us: Callable[[], int],
        opens: OpenSender = open_sender,
        rng: random.Random | None = None,
        stops: Callable[[], bool] = _never,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._store, self._addresses, self._now_us = store, addresses, now_us
        self._opens, self._rng, self._stops = opens, rng or random.Random(), stops  # noqa: S311 - no secret
        self._clock, self._begun_s, self._begun_us = clock, clock(), now_us()
        self._unaddressed_s = -math.inf
        self._address: Address | None = None
        self._sender: Sender | None = None
        self._backoff = Backoff(base_s=1.0, cap_s=_CAP_S, floor_s=0.5)
        self._unwritten: list[Delivery] = []  # not in the database yet
        self._state, self._last_error = "ready", ""
        self._last_delivered_us: int | None = None

    def deliver(self) -> float | None:
        """Make the attempts that are due.

        Returns
        -------
        float or None
            Seconds until it wants to be called again; None where nothing waits.

        Raises
        ------
        StoreError
            The database cannot be read or written; nothing is sent that is not noted before.
        """
        self._write()
        waiting = self._store.unsent(self.name, _AT_ONCE)
        if not waiting:
            self._state = "ready"
            return None
        is_other = self._take_address()
        sender = self._sender
        if sender is None:
            return self._cannot_send(waiting)
        wait_s = 0.0 if is_other else self._wait_s(waiting[0])
        return min(wait_s, LOOK_S) if wait_s > 0 else self._send_due(sender, waiting)

    def standing(self, waiting: int) -> ChannelStanding:
        """Tell how it does, from any thread; `waiting` is counted by who asks."""
        kind = self._addresses.kind_of(self.name)
        return ChannelStanding(
            self.name,
            kind,
            self._addresses.source_of(self.name),
            self._state if kind else self._addresses.problem() or _NO_ADDRESS,
            waiting,
            self._last_delivered_us,
            self._backoff.failures,
            self._last_error,
        )

    @property
    def failures(self) -> int:
        """Attempts that failed since the last that did not; from any thread."""
        return self._backoff.failures

    def close(self) -> None:
        """Write what is over, and close the connection."""
        self._close_sender()
        self._write()

    def _take_address(self) -> bool:
        """Look where it goes now; whether that is another place than before."""
        address = self._addresses.address_of(self.name)
        if address == self._address:
            return False
        is_other = self._address is not None
        self._close_sender()
        self._address = address
        self._sender = None if address is None else self._opens(address.url)
        self._backoff.reset()
        return is_other

    def _close_sender(self) -> None:
        if self._sender is not None:
            self._sender.close()
        self._sender, self._address = None, None

    def _cannot_send(self, waiting: Sequence[Delivery]) -> float:
        self._state = self._last_error = _NO_ADDRESS if self._address is None else _UNUSABLE
        if self._clock() - self._unaddressed_s >= LOOK_S:  # called more often by new alerts
            self._unaddressed_s = self._clock()
            self._backoff.failures += 1
        for each in self._items(waiting):
            if not self._is_older(each, DAY_US):
                break
            self._end(each.delivery, "failed", self._state)
        self._write()
        return LOOK_S

    def _wait_s(self, head: Delivery) -> float:
        """Seconds until the next attempt; 0 where our clock was put back meanwhile."""
        wait_s = (head.next_us - self._now_us()) / SECOND_US
        return 0.0 if wait_s > LONGEST_WAIT_S + 1.0 else wait_s

    def _send_due(self, sender: Sender, waiting: Sequence[Delivery]) -> float:
        left = list(self._items(waiting))
        while left and not self._stops():
            count = sender.fitting([each.outgoing for each in left])
            now, left = left[:count], left[count:]
            if not self._attempt(sender, now):
                self._give_up(left)
                break
        self._write()
        return 0.0

    def _items(self, waiting: Sequence[Delivery]) -> "Iterator[_Item]":
        """Deliveries with their alerts; one whose alert is gone is over."""
        for each in waiting:
            alert = self._store.alert(each.alert_id)
            if alert is None:
                self._end(each, "failed", _GONE)
                continue
            # "Sending" was written by a process that did not come to write what became of it.
            repeated = each.is_repeated or each.state == "sending"
            outgoing = Outgoing(alert, self._store.public_id(each.alert_id), repeated)
            yield _Item(each, outgoing)

    def _attempt(self, sender: Sender, items: Sequence["_Item"]) -> bool:
        """Make one attempt, which is in the database before; whether all of it was delivered."""
        begun = [each.begun() for each in items]
        self._write(*(each.delivery for each in begun))
        self._state = "sending"
        outcome = self._send(sender, begun)
        if outcome.delivered:
            self._note_delivered(begun)
        else:
            self._note_failed(begun, outcome)
        return outcome.delivered

    def _send(self, sender: Sender, begun: Sequence["_Item"]) -> Outcome:
        try:
            return sender.send([each.outgoing for each in begun])
        except Exception as error:  # noqa: BLE001 - its words may hold an address
            words = f"it failed ({type(error).__name__})"
            if words != self._last_error:
                _LOG.warning("%s", f"channel {self.name}: {words}")
            return Outcome(False, words)

    def _note_delivered(self, begun: Sequence["_Item"]) -> None:
        for each in begun:
            self._end(each.delivery, "delivered", "")
        self._backoff.reset()
        self._state, self._last_error, self._last_delivered_us = "ready", "", self._now_us()

    def _note_failed(self, begun: Sequence["_Item"], outcome: Outcome) -> None:
        self._state, self._last_error = "failing: it is tried again", outcome.words
        next_us = self._now_us() + round(self._next_wait_s(outcome) * SECOND_US)
        for each in begun:
            repeated = each.delivery.is_repeated or outcome.may_have_arrived
            failed = replace(each.delivery, error=outcome.words, is_repeated=repeated)
            if self._is_over(each, outcome):
                self._end(failed, "failed", outcome.words)
            else:
                self._unwritten.append(replace(failed, state="waiting", next_us=next_us))

    def _next_wait_s(self, outcome: Outcome) -> float:
        self._backoff.cap_s = _CAP_S if self._backoff.failures < _MANY else _LATER_CAP_S
        wait_s = self._backoff.next_wait_s(self._rng)
        return wait_s if outcome.retry_after_s is None else outcome.retry_after_s

    def _is_over(self, item: "_Item", outcome: Outcome) -> bool:
        if outcome.is_final and item.delivery.attempts >= _REFUSED_TIMES:
            return self._is_older(item, REFUSED_FOR_US)
        return self._is_older(item, DAY_US)

    def _give_up(self, items: Sequence["_Item"]) -> None:
        """End what waits behind a failed attempt for more than a day."""
        for each in items:
            if self._is_older(each, DAY_US):
                self._end(each.delivery, "failed", self._last_error)

    def _is_older(self, item: "_Item", age_us: int) -> bool:
        """Whether it is by our clock, and by one that nobody sets, and was not tried in vain."""
        steady_us = self._begun_us + round((self._clock() - self._begun_s) * SECOND_US)
        now_us = min(self._now_us(), steady_us)
        is_tried = self._backoff.failures >= _REFUSED_TIMES
        return is_tried and now_us - item.outgoing.alert.fired_us > age_us

    def _end(self, delivery: Delivery, state: DeliveryState, words: str) -> None:
        ended = replace(delivery, state=state, error=words, ended_us=self._now_us())
        self._unwritten.append(ended)

    def _write(self, *begun: Delivery) -> None:
        """Write what is over together with what begins: one transaction an attempt."""
        deliveries = (*self._unwritten, *begun)
        if deliveries:
            self._store.update_deliveries(deliveries)
            self._unwritten.clear()


@dataclass(frozen=True, slots=True)
class _Item:
    delivery: Delivery
    outgoing: Outgoing

    def begun(self) -> "_Item":
        """The same as one more attempt, on its way."""
        delivery = replace(
            self.delivery,
            state="sending",
            attempts=self.delivery.attempts + 1,
            is_repeated=self.outgoing.is_repeated,
        )
        return replace(self, delivery=delivery)
