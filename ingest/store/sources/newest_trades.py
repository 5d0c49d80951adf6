"""The newest trade of many streams, by one question for all of them."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from ingest.store.bars import SECOND_US
from ingest.store.future_rows import readable_until
from ingest.store.last_trade import read_last_trade
from ingest.store.sources.stream_tips import read_kline_tips, read_tips
from ingest.trade_times import AHEAD_UNKNOWN_US

# Of a stream with a trade since then nothing later is asked.
_QUIET_S: Final = 60


def newest_of(
    connection: sqlite3.Connection, stream_ids: Sequence[int], last_second: int
) -> int | None:
    """Find when the newest trade of some streams was, µs; in a transaction. None without any.

    Of a stream of the exchange's bars only it is the end of the last one; so it is of one that was
    recorded in trades before.

    Parameters
    ----------
    connection, stream_ids
        Where to look, and at which.
    last_second
        That a trade may be of, a day from now: those dated later are looked at one by one.
    """
    tips = read_tips(connection, stream_ids)
    newest = {each: tip.newest for each, tip in tips.items() if tip.newest is not None}
    latest = max((second for second in newest.values() if second <= last_second), default=0)
    quiet = last_second - AHEAD_UNKNOWN_US // SECOND_US - _QUIET_S
    still = [each for each in tips if newest.get(each, 0) < quiet]
    klines = read_kline_tips(connection, still).values()
    ends = [end * SECOND_US for each in klines for end in each.ends.values()]
    for stream_id, second in newest.items():
        if second == latest or second > last_second:
            trade = tips[stream_id].last
            if second > last_second:
                until = readable_until(connection, stream_id)
                trade = read_last_trade(connection, stream_id, until)
            ends.append(0 if trade is None else trade.time_us)
    return max(ends, default=0) or None
