"""What the engine has found and not written yet: alerts, states, and how far each pair came."""

from collections.abc import Collection

from analytics.alerts import RuleState
from ingest.watch.gone import NOTHING, Gone
from ingest.watch.model import Alert
from ingest.watch.store import WatchStore


class Journal:
    """Collects what follows from the bars, and writes what belongs together at once.

    The states of a pair are written together with how far it was evaluated, and never apart: a
    process that is killed goes on from there, and finds the same again. What cannot be written
    stays, and is written with what comes.
    """

    def __init__(self, store: WatchStore) -> None:
        self._store = store
        self._alerts: list[Alert] = []
        self._states: dict[tuple[str, str], RuleState] = {}
        self._evaluated: dict[str, int] = {}
        self._gone = NOTHING
        self._pairs = set(store.evaluated())

    @property
    def has_alerts(self) -> bool:
        """Whether there are alerts to write."""
        return bool(self._alerts)

    def note_alert(self, alert: Alert) -> None:
        """Keep an alert to be written."""
        self._alerts.append(alert)

    def note_state(self, rule: str, key: str, state: RuleState) -> None:
        """Keep where a rule stands now."""
        self._states[rule, key] = state

    def note_evaluated(self, key: str, bar_us: int) -> None:
        """Keep up to which bar a pair was evaluated."""
        self._evaluated[key] = bar_us
        self._pairs.add(key)

    def forget(self, gone: Gone) -> None:
        """Let go of states and pairs, here and with what is written next."""
        self._states = {key: at for key, at in self._states.items() if key not in gone.states}
        self._evaluated = {key: at for key, at in self._evaluated.items() if key not in gone.pairs}
        self._gone |= gone

    def keep_pairs(self, keys: Collection[str]) -> None:
        """Let go of how far all pairs but these came: they are no longer watched."""
        gone = self._pairs.difference(keys)
        self._pairs -= gone
        self.forget(Gone(pairs=frozenset(gone)))

    def write_alerts(self) -> tuple[Alert, ...]:
        """Write the alerts with the states they follow from; returns them with their ids.

        Raises
        ------
        StoreError
            The database cannot be written: all is kept.
        """
        changed = {key for _, key in self._states}
        return self._write({key: at for key, at in self._evaluated.items() if key in changed})

    def write_all(self) -> tuple[Alert, ...]:
        """Write everything; returns the alerts with their ids.

        Raises
        ------
        StoreError
            The database cannot be written: all is kept.
        """
        if not (self._alerts or self._states or self._evaluated or self._gone != NOTHING):
            return ()
        return self._write(dict(self._evaluated))

    def _write(self, evaluated: dict[str, int]) -> tuple[Alert, ...]:
        recorded = self._store.record(self._alerts, self._states, evaluated, self._gone)
        self._alerts, self._states, self._gone = [], {}, NOTHING
        for key in evaluated:
            del self._evaluated[key]
        return recorded
