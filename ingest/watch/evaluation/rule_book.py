"""The rules as they are now, where each stands, and the alerts that come of a sample."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from analytics.alerts import (
    PAIR_WHENS,
    AlertRule,
    RuleState,
    Sample,
    Step,
    level_of,
    rested,
    step,
    words,
)
from ingest.watch.evaluation.journal import Journal
from ingest.watch.gone import Gone
from ingest.watch.model import Alert, Silence, Watched
from ingest.watch.pair_link import link_of
from ingest.watch.store import WatchStore

_NEW: Final = RuleState()


class RuleBook:
    """Steps rules from sample to sample and notes what comes of it. The engine's thread.

    Parameters
    ----------
    store, journal
        Where the rules are from, and where alerts and states go.
    now_us
        Our clock, µs since the epoch.
    """

    def __init__(self, store: WatchStore, journal: Journal, now_us: Callable[[], int]) -> None:
        self._store, self._journal, self._now_us = store, journal, now_us
        evaluated = store.evaluated()
        self._states = {
            key: replace(state, seen_us=max(state.seen_us, evaluated.get(key[1], 0)))
            for key, state in store.states().items()
        }
        self._forgotten = store.times_forgotten()
        self._silences: tuple[Silence, ...] = ()
        self.rules: tuple[AlertRule, ...] = ()

    def take_up_changes(self) -> None:
        """Read rules and silences.

        A rule that is gone, or looks at something else than before, is forgotten with where it
        stood; one that was removed and made again in between as well. One that is off begins anew
        when it is on again.
        """
        forgotten = self._store.times_forgotten()
        self.rules = self._store.rules()
        self._silences = self._store.silences()
        left = {each.name for each in self.rules}
        anew = {name for name, times in forgotten.items() if self._forgotten.get(name, 0) != times}
        self._forget(key for key in self._states if key[0] not in left or key[0] in anew)
        self._forgotten = forgotten
        off = {rule.name: rule for rule in self.rules if not rule.enabled}
        for key, state in self._states.items():
            if key[0] in off:
                self._keep(key, rested(off[key[0]], state))

    def keep_pairs(self, rules_of: Mapping[str, Collection[AlertRule]]) -> None:
        """Forget all other pairs, and where rules stood on those they no longer look at.

        Parameters
        ----------
        rules_of
            Of each pair that is watched, by its key.
        """
        self._journal.keep_pairs(rules_of)
        looked_at = {(rule.name, key) for key, rules in rules_of.items() for rule in rules}
        of_pairs = {rule.name for rule in self.rules if rule.when in PAIR_WHENS}
        self._forget(
            key
            for key in self._states
            if key not in looked_at and (key[0] in of_pairs or key[1] in rules_of)
        )

    def _forget(self, keys: Iterable[tuple[str, str]]) -> None:
        gone = frozenset(keys)
        if gone:
            self._states = {key: at for key, at in self._states.items() if key not in gone}
            self._journal.forget(Gone(states=gone))

    def set_back(self, names: Collection[str], now_us: int) -> None:
        """Let where these rules stand be of now, where it is of a time that is still to come."""
        for key, state in self._states.items():
            if key[0] in names:
                since_us, fired_us = min(state.since_us, now_us), min(state.fired_us, now_us)
                seen_us = min(state.seen_us, now_us - 1)
                now = replace(state, since_us=since_us, fired_us=fired_us, seen_us=seen_us)
                self._keep(key, now)

    def of_pair(self, pair: Watched, lists: Collection[str]) -> tuple[AlertRule, ...]:
        """Rules that look at a pair, which is in those lists."""
        of_pairs = (rule for rule in self.rules if rule.when in PAIR_WHENS)
        return tuple(rule for rule in of_pairs if _looks_at(rule, pair, lists))

    def step(
        self,
        rule: AlertRule,
        key: str,
        sample: Sample,
        pair: Watched | None = None,
        *,
        about: str = "",
        remark: str = "",
    ) -> None:
        """Move a rule on by a sample, and note the alert and the state that come of it.

        Parameters
        ----------
        rule, sample
            What looks at what.
        key
            Of the pair or of what of the desk it is about.
        pair
            None of the desk.
        about
            What of the desk it is about, in a word.
        remark
            Added to the words.
        """
        before = self._states.get((rule.name, key), _NEW)
        moved = step(rule, before, sample)
        if moved.event is not None:
            self._journal.note_alert(self._alert(rule, sample, moved, pair, about, remark))
        self._keep((rule.name, key), moved.state)

    def _keep(self, key: tuple[str, str], state: RuleState) -> None:
        """Keep where a rule stands, and note it where there is something to store."""
        before = self._states.get(key, _NEW)
        self._states[key] = state
        if state != before:
            self._journal.note_state(*key, state)

    def _alert(
        self,
        rule: AlertRule,
        sample: Sample,
        moved: Step,
        pair: Watched | None,
        about: str,
        remark: str,
    ) -> Alert:
        assert moved.event is not None
        y, x = (pair.y, pair.x) if pair else ("", "")
        reading = sample.reading
        return Alert(
            rule=rule.name,
            kind=moved.event,
            bar_us=sample.bar_us,
            fired_us=self._now_us(),
            words=words(rule, sample, moved, y=y, x=x, about=about) + remark,
            y=y,
            x=x,
            interval=pair.interval if pair else "",
            params=link_of(pair) if pair else "",
            zscore=reading.zscore if reading else float("nan"),
            value=moved.value,
            level=level_of(rule),
            signal=reading.signal if reading else "",
            suppressed=moved.suppressed or self._silenced(rule, y, x, sample),
            channels=rule.channels,
            is_forming=sample.is_forming,
        )

    def _silenced(self, rule: AlertRule, y: str, x: str, sample: Sample) -> str:
        for each in self._silences:
            if each.until_us > sample.known_us and _covers(each, rule.name, y, x):
                return f"silenced: {each.why}" if each.why else "silenced"
        return ""


def _looks_at(rule: AlertRule, pair: Watched, lists: Collection[str]) -> bool:
    if rule.list is not None and rule.list not in lists:
        return False
    return rule.y in (None, pair.y) and rule.x in (None, pair.x)


def _covers(silence: Silence, rule: str, y: str, x: str) -> bool:
    wanted = ((silence.rule, rule), (silence.y, y), (silence.x, x))
    return all(chosen in (None, is_now) for chosen, is_now in wanted)
