"""Compare the kept minutes and hours with the one-second bars, to the bit."""

import sqlite3
from typing import Final, NamedTuple

from ingest.store.connecting import utc_time
from ingest.store.rollups import HOUR_S, MINUTE_S

_SPAN = "SELECT rolled_low, rolled_high FROM stream WHERE stream_id = ?"
_NAMES: Final = {MINUTE_S: "minute", HOUR_S: "hour"}
# Half sums of the volumes cannot overflow. It is a float where the sum is past 2**63, or a part is.
_DIFFERING = """
SELECT r.second
FROM rollup AS r LEFT JOIN bar_1s AS b
     ON b.stream_id = r.stream_id AND b.second >= r.second AND b.second < r.second + r.length_s
WHERE r.stream_id = :stream AND r.length_s = :length AND r.second BETWEEN :low AND :high
GROUP BY r.second
HAVING NOT coalesce(
    count(b.second) > 0 AND sum(b.trades) = r.trades
    AND max(b.high) = r.high AND min(b.low) = r.low
    AND CASE WHEN max(typeof(b.volume) = 'real')
                  OR sum(b.volume >> 32) + (sum(b.volume & 0xFFFFFFFF) >> 32) >= 1 << 31
        THEN typeof(r.volume) = 'real'
        ELSE typeof(r.volume) = 'integer'
             AND r.volume = (sum(b.volume >> 32) << 32) + sum(b.volume & 0xFFFFFFFF) END
    AND r.open = (SELECT o.open FROM bar_1s AS o WHERE o.stream_id = r.stream_id
                  AND o.second >= r.second ORDER BY o.second LIMIT 1)
    AND r.close = (SELECT c.close FROM bar_1s AS c WHERE c.stream_id = r.stream_id
                   AND c.second < r.second + r.length_s ORDER BY c.second DESC LIMIT 1), 0)
"""
_LACKING = """
SELECT DISTINCT b.second / :length * :length
FROM bar_1s AS b LEFT JOIN rollup AS r ON r.stream_id = b.stream_id AND r.length_s = :length
     AND r.second = b.second / :length * :length
WHERE b.stream_id = :stream AND b.second BETWEEN :low AND :high AND r.second IS NULL
"""
_OUTSIDE = """
SELECT second FROM rollup WHERE stream_id = :stream AND length_s = :length
    AND second BETWEEN :low AND :high AND (second < :from OR second + length_s > :to)
"""


class WrongRollup(NamedTuple):
    """A minute or hour that is not as it should be, and in words how."""

    second: int
    length: int
    words: str

    def line(self) -> str:
        """Say it."""
        when = f"{utc_time(self.second * 1_000_000):%Y-%m-%d %H:%M:%S}"
        return f"{when} the {_NAMES[self.length]} {self.words}"


def wrong_rollups(
    connection: sqlite3.Connection, stream_id: int, low: int, high: int
) -> list[WrongRollup]:
    """Find which minutes and hours of ``low … high``, both inclusive, are not as they should be.

    Those that open there; of an hour that a part ends in the part that opens it looks at all.
    """
    span_low, span_high = connection.execute(_SPAN, (stream_id,)).fetchone()
    wrong: list[WrongRollup] = []
    for length in _NAMES:
        which = {"stream": stream_id, "length": length, "low": low, "high": high}
        span = {"from": span_low or 0, "to": span_high or 0}
        whole = {
            "low": max(low, -(-span["from"] // length) * length),
            "high": min(high, span["to"] // length * length - 1),
        }
        for sql, where, words in (
            (_DIFFERING, which, "is not that of its seconds"),
            (_LACKING, which | whole, "is missing"),
            (_OUTSIDE, which | span, "is outside of what is kept"),
        ):
            rows = connection.execute(sql, where)
            wrong += [WrongRollup(second, length, words) for (second,) in rows]
    return wrong
