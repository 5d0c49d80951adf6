"""Is a silent stream dead, or its market quiet? Decisions on the monotonic clock. Pure.

Ids here are those of raw trades: an aggregate carries the last one inside, the exchange's ticker
tells the newest one of many symbols in one cheap call. The ticker only raises a suspicion; a trade
that REST shows and the stream did not bring proves it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """How long silence is tolerated, in seconds.

    Attributes
    ----------
    silent_s
        A stream is given up after so long without a trade, not sooner.
    look_s
        After so long without a trade the exchange is asked about a symbol.
    round_s
        The exchange is asked about all such symbols together, so often: a stream that dies while
        its market trades is detected ``look_s + round_s + grace_s`` after its last trade, one that
        dies in the quiet ``round_s + grace_s`` after the first trade it did not bring, and the
        questions' own time.
    grace_s
        A trade that REST knows may still be on its way for so long.
    confirm_s
        After so long with the ticker ahead REST is asked for the trade.
    behind_s
        REST that does not know that trade yet is asked again after this long.
    store_s
        What was handed on is stored by then, or was lost on its way.
    most_s
        Given up again, without a trade in between, after at most this long.
    blind_s
        Silence of all streams that ends the connection when REST cannot be asked.
    """

    silent_s: float = 20.0
    look_s: float = 10.0
    round_s: float = 12.0
    grace_s: float = 5.0
    confirm_s: float = 1.0
    behind_s: float = 5.0
    store_s: float = 25.0
    most_s: float = 60.0
    blind_s: float = 60.0

    def patience_s(self, fruitless: int) -> float:
        """Silence that makes us give up, after so many reconnects that brought nothing."""
        return min(self.most_s, self.silent_s * 2.0 ** min(fruitless, 8))


MOST_CONFIRMATIONS = 3  # REST's trades lag behind its ticker by a little, not by 15 s


@dataclass(slots=True)
class SymbolWatch:
    """One symbol on one connection.

    Attributes
    ----------
    since_s
        Silence counts from here: the last trade, or the connection's opening.
    known_id
        Raw ids up to this prove nothing against the connection; None while none is known.
    has_traded
        Whether this connection ever brought a trade of the symbol.
    confirmed
        The newest answer was that nobody trades.
    unanswered
        The newest question had no answer.
    ticker_id
        The newest raw id of the exchange's ticker, where that is ahead; None otherwise.
    confirm_at_s
        When REST is to be asked for a trade beyond `known_id`.
    confirmations
        How often it was asked in vain.
    suspected_s
        When REST showed one; None while it has not.
    row_id
        Id of the newest trade, which was handed on where we do not hold it; -1 where there is
        none; None until it was asked for in this silence.
    row_at_s
        When it may be asked for, or handed on, again.
    """

    since_s: float
    known_id: int | None
    patience_s: float
    has_traded: bool = False
    confirmed: bool = False
    unanswered: bool = False
    ticker_id: int | None = None
    confirm_at_s: float = 0.0
    confirmations: int = 0
    suspected_s: float | None = None
    row_id: int | None = None
    row_at_s: float = 0.0


def watch_after_connecting(now_s: float, fruitless: int, limits: SilenceLimits) -> SymbolWatch:
    """Begin to watch a symbol that was subscribed just now, or whose connection is new.

    What the exchange has traded by its first answer proves nothing, only what comes after does.
    """
    return SymbolWatch(now_s, None, limits.patience_s(fruitless))


def watch_after_trade(now_s: float, raw_id: int | None, limits: SilenceLimits) -> SymbolWatch:
    """Begin again after a trade; `raw_id` None where it is not known."""
    return SymbolWatch(now_s, raw_id, limits.silent_s, has_traded=True)


def is_silent(watch: SymbolWatch, now_s: float, limits: SilenceLimits) -> bool:
    """Whether the exchange is to be asked about the symbol in the next round."""
    return watch.suspected_s is None and now_s - watch.since_s >= limits.look_s


def note_ticker_id(watch: SymbolWatch, ticker_id: int, now_s: float, limits: SilenceLimits) -> None:
    """Take in the ticker's newest raw id; -1: no trade within a day."""
    watch.unanswered = False
    if watch.known_id is None:
        watch.known_id = ticker_id
    elif ticker_id > watch.known_id:
        watch.confirmed = False
        if watch.ticker_id is None:
            watch.confirm_at_s, watch.confirmations = now_s + limits.confirm_s, 0
        watch.ticker_id = ticker_id
    elif ticker_id in {watch.known_id, -1}:
        watch.confirmed = True
    # Else the ticker lags behind the stream: it cannot say that the market is quiet.


def note_rest_id(watch: SymbolWatch, raw_id: int, now_s: float, limits: SilenceLimits) -> None:
    """Take in the newest raw id of REST's trades (-1: none is known) while the ticker is ahead."""
    watch.unanswered = False
    if watch.known_id is not None and raw_id > watch.known_id:
        watch.suspected_s = now_s
        return
    watch.confirmations += 1
    watch.confirm_at_s = now_s + limits.behind_s
    if watch.confirmations >= MOST_CONFIRMATIONS:  # what took up the id was no trade
        watch.known_id, watch.ticker_id = watch.ticker_id, None


def note_failure(watch: SymbolWatch, now_s: float, limits: SilenceLimits) -> None:
    """REST could not be asked."""
    watch.unanswered, watch.confirmed = True, False
    watch.confirm_at_s = watch.row_at_s = now_s + limits.behind_s


def is_to_be_confirmed(watch: SymbolWatch, now_s: float) -> bool:
    """Whether REST is to be asked for the trade that the ticker shows."""
    ahead = watch.ticker_id is not None and watch.suspected_s is None
    return ahead and now_s >= watch.confirm_at_s


def is_dead(watch: SymbolWatch, now_s: float, limits: SilenceLimits) -> bool:
    """Whether a trade that REST knew of has failed to come: the exchange trades, we get nothing.

    By our monotonic clock alone: neither side's wall clock has a say.
    """
    if watch.suspected_s is None or now_s - watch.since_s < watch.patience_s:
        return False
    return now_s - watch.suspected_s >= limits.grace_s
