"""Is a silent stream dead, or its market quiet? Decisions on the monotonic clock. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """How long silence is borne, in seconds.

    Attributes
    ----------
    silent_s
        Without a trade for this long, REST is asked.
    first_look_s
        A connection that brought nothing yet is first compared with REST after this long: what
        REST has by then proves nothing, only what comes after does.
    grace_s
        A trade that REST knows may still be on its way for so long.
    behind_s
        REST that is behind the stream is asked again after this long.
    again_s
        REST that confirmed a quiet market is asked again after this long: a stream that dies in
        the quiet is then found `again_s` + `grace_s` after the first trade it did not bring.
    most_s
        Given up again, without a trade in between, after at most this long.
    blind_s
        Silence of all streams that ends the connection when REST cannot be asked.
    """

    silent_s: float = 20.0
    first_look_s: float = 10.0
    grace_s: float = 5.0
    behind_s: float = 5.0
    again_s: float = 25.0
    most_s: float = 60.0
    blind_s: float = 60.0

    def patience_s(self, fruitless: int) -> float:
        """Silence that makes us ask, after so many reconnects that brought nothing."""
        return min(self.most_s, self.silent_s * 2.0 ** min(fruitless, 8))


@dataclass(slots=True)
class SymbolWatch:
    """One symbol on one connection.

    Attributes
    ----------
    since_s
        Silence counts from here: the last trade, or the connection's opening.
    known_id
        Ids up to this prove nothing against the connection; None while none is known.
    ask_at_s
        When REST is to be asked next.
    asked
        Answers that found nothing since the silence began.
    heard
        Whether this connection ever brought a trade of the symbol.
    confirmed
        The newest answer was that nobody trades.
    unanswered
        The newest question had no answer.
    suspected_s
        When REST was found ahead; None while it is not.
    """

    since_s: float
    known_id: int | None
    ask_at_s: float
    patience_s: float
    asked: int = 0
    heard: bool = False
    confirmed: bool = False
    unanswered: bool = False
    suspected_s: float | None = None


def connected(now_s: float, fruitless: int, limits: SilenceLimits) -> SymbolWatch:
    """Begin to watch a symbol that was subscribed just now, or whose connection is new."""
    return SymbolWatch(now_s, None, now_s + limits.first_look_s, limits.patience_s(fruitless))


def heard(now_s: float, newest_id: int | None, limits: SilenceLimits) -> SymbolWatch:
    """Begin anew after a trade; `newest_id` None where its ids are not REST's."""
    ask_in_s = limits.silent_s if newest_id is not None else limits.first_look_s
    return SymbolWatch(now_s, newest_id, now_s + ask_in_s, limits.silent_s, heard=True)


def answered(watch: SymbolWatch, rest_id: int, now_s: float, limits: SilenceLimits) -> None:
    """Take REST's newest id in (-1: it has no trade at all)."""
    watch.unanswered = False
    if watch.known_id is None:
        watch.known_id = rest_id
        watch.ask_at_s = max(now_s, watch.since_s + watch.patience_s)
    elif rest_id > watch.known_id:
        watch.suspected_s = now_s
    elif rest_id < watch.known_id:  # REST lags: it cannot say that the market is quiet
        watch.ask_at_s = now_s + limits.behind_s
    else:
        watch.confirmed = True
        watch.asked += 1
        watch.ask_at_s = now_s + limits.again_s


def not_answered(watch: SymbolWatch, now_s: float, limits: SilenceLimits) -> None:
    """REST could not be asked."""
    watch.unanswered, watch.confirmed = True, False
    watch.ask_at_s = now_s + limits.behind_s


def is_due(watch: SymbolWatch, now_s: float) -> bool:
    """Whether REST is to be asked now."""
    return watch.suspected_s is None and now_s >= watch.ask_at_s


def is_dead(watch: SymbolWatch, now_s: float, limits: SilenceLimits) -> bool:
    """Whether a trade that REST knew of has failed to come: the exchange trades, we hear nothing.

    By our monotonic clock alone: neither side's wall clock has a say.
    """
    if watch.suspected_s is None or now_s - watch.since_s < watch.patience_s:
        return False
    return now_s - watch.suspected_s >= limits.grace_s
