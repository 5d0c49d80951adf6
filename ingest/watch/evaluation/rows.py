"""The board's rows, kept in the order of the lists and made anew where a pair has news."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingest.watch.board import Board, WatchRow
from ingest.watch.evaluation.bar_watch import BarWatch
from ingest.watch.model import Alert, Watched
from ingest.watch.store import WatchStore

# Alerts looked through for the last one of each pair.
_LAST_ALERTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Place:
    list: str
    row: int
    pair: Watched


class Rows:
    """Rows of all lists. The engine's thread.

    Parameters
    ----------
    board
        Where they are published.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._rows: dict[str, list[WatchRow]] = {}
        self._places: dict[str, list[_Place]] = {}

    def begin_anew(self) -> None:
        """Drop all rows: the lists are others."""
        self._rows, self._places = {}, {}

    def add_list(self, name: str) -> None:
        """Add a list without rows."""
        self._rows[name] = []

    def add(self, name: str, pair: Watched, key: str, problem: str = "") -> None:
        """Add a row to a list; of a pair with settings that cannot be, its problem."""
        place = _Place(name, len(self._rows[name]), pair)
        self._places.setdefault(key, []).append(place)
        self._rows[name].append(WatchRow(pair, problem=problem))

    def update(self, pairs: Iterable[BarWatch], newest_us: int) -> None:
        """Make the rows of these pairs anew, with the market's newest trade at a time."""
        for pair in pairs:
            for place in self._places.get(pair.key, ()):
                self._rows[place.list][place.row] = pair.row(place.pair, newest_us)

    def publish(self) -> None:
        """Show the rows as they are."""
        self._board.publish({name: tuple(rows) for name, rows in self._rows.items()})


def last_alerts(store: WatchStore) -> dict[str, Alert]:
    """Find the newest alert of each pair, by its link."""
    newest: dict[str, Alert] = {}
    for alert in store.alerts(limit=_LAST_ALERTS, newest_first=True):
        if alert.params:
            newest.setdefault(alert.params, alert)
    return newest
