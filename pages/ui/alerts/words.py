"""What a rule tells of, where it stands and what became of an alert, in plain words."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import pandas as pd

from analytics.alerts import AlertRule, RuleState
from analytics.alerts.rule import PAIR_WHENS, Crosses, When
from ingest.watch import Alert, Delivery, Silence
from pages.ui.parts import formats
from pages.ui.parts.notices import Notice

NO_WATCH: Final = Notice(
    "Nothing is watched here: the watch's database could not be opened",
    "The log of the app says why; it stands beside the database of the trades.",
)
NO_RULES: Final = Notice(
    "There is no rule yet",
    "Make one below: until it is saved, it can be tried on the bars at hand.",
    is_fault=False,
)
NO_ALERTS: Final = Notice(
    "No alert yet", "Rules are made under Rules, pairs are watched on the Watch page.",
    is_fault=False,
)  # fmt: skip
NONE_OF_THESE: Final = Notice(
    "No alert of this rule and pair among the newest",
    "Choose others, or all of them.",
    is_fault=False,
)
NO_CHANNELS: Final = Notice(
    "No channel is set up: alerts are shown on the open pages alone",
    "How to set one up stands below.",
    is_fault=False,
)
HOW_TO_SET_UP: Final = (
    (
        "A channel is a name and an address in the form of Apprise: Telegram, e-mail, Slack,"
        " Discord, ntfy, a webhook and a hundred more (github.com/caronc/apprise/wiki lists them)."
    ),
    (
        "In .streamlit/secrets.toml, below a line [channels], a line for each: desk ="
        ' "tgram://token/chat". Or in the environment of the app: PAIRDESK_CHANNEL_DESK. Or in the'
        " file that the app is started with: --watch FILE.json."
    ),
    "The secrets file is read again when it changes. An address is never shown, stored or logged.",
)

HEARTBEAT: Final = (
    "A service such as healthchecks.io raises the alarm when this desk falls silent: give its URL"
    " as PAIRDESK_HEARTBEAT_URL in the environment, or as heartbeat_url below [pairdesk] in the"
    " secrets file."
)


class Kind(NamedTuple):
    """What a rule can look at: as the form calls it, its unit, and a level to begin with."""

    label: str
    unit: str
    level: float
    crosses: tuple[Crosses, ...]


KINDS: Final[dict[When, Kind]] = {
    "zscore": Kind("z crosses a level", "", 2.0, ("outside", "above", "below", "inside")),
    "signal": Kind("the signal changes", "", 0.0, ()),
    "correlation": Kind("correlation crosses", "", 0.5, ("below", "above")),
    "pvalue": Kind("p-value crosses", "", 0.05, ("below", "above")),
    "half_life": Kind("half-life crosses", "bars", 60.0, ("above", "below")),
    "beta": Kind("β moves", "of its errors", 3.0, ("outside",)),
    "stale": Kind("a leg is stale", "s without a trade", 30.0, ("above",)),
    "gap": Kind("a gap is open", "s", 30.0, ("above",)),
    "recorder": Kind("the recorder stopped", "s without recording", 30.0, ("above",)),
    "disk": Kind("the disk is nearly full", "GB free", 5.0, ("below",)),
    "clock": Kind("the clock is wrong", "ms of skew", 500.0, ("outside",)),
    "engine": Kind("the engine is behind", "s", 5.0, ("above",)),
    "channel": Kind("a channel fails", "failures in a row", 3.0, ("above",)),
    "find": Kind("a scan finds a pair that holds", "", 0.0, ()),
}
BETA_NOISE: Final = (
    "The error is that of plain OLS, which takes bars for independent: β wanders by more. On two"
    " unrelated walks (1 s, 1,800 bars) β moves by 3 errors about 1,200 times a day, by 10 about"
    " 300 times."
)
CROSSING: Final[dict[Crosses, str]] = {
    "outside": "leaves ± the level",
    "inside": "comes back inside ± the level",
    "above": "rises to the level or above",
    "below": "falls to the level or below",
}
_VALUES: Final[dict[When, str]] = {
    "zscore": "z", "correlation": "correlation", "pvalue": "p", "half_life": "half-life",
}  # fmt: skip
# What a check of a rule names as the watch file does.
_PLAIN: Final = {
    "zscore": "z", "pvalue": "a p-value", "half_life": "a half-life", "beta": "β",
    "correlation": "a correlation", "stale": "a leg without trades", "gap": "a gap",
}  # fmt: skip
_STANDINGS: Final = ("firing", "pending", "normal", "no data")


def condition(rule: AlertRule) -> str:
    """Say when a rule fires: "z leaves ±2, again once back inside ±1"."""
    words = _condition(rule)
    if rule.for_bars > 1:
        words += f", for {formats.count(rule.for_bars, 'bar')}"
    if rule.forming:
        words += ", on the forming bar too"
    return words


def _condition(rule: AlertRule) -> str:
    kind = KINDS[rule.when]
    if rule.when == "signal":
        return f"the signal becomes {' or '.join(rule.to)}"
    if not kind.crosses:
        return kind.label
    level = f"{_figure(rule.level)} {kind.unit}".rstrip()
    value = _VALUES.get(rule.when)
    if value is None:
        return f"{kind.label}: {'under' if rule.crosses == 'below' else 'over'} {level}"
    crossed = {
        "outside": f"leaves ±{level}", "inside": f"comes back inside ±{level}",
        "above": f"rises to {level}", "below": f"falls to {level}",
    }[rule.crosses]  # fmt: skip
    return f"{value} {crossed}{_rearm(rule)}"


def _figure(value: float) -> str:
    """Write a level as it was given, a large one too: the alert's words do."""
    return formats.with_minus(f"{value:.15g}")


def _rearm(rule: AlertRule) -> str:
    if rule.rearm is None or rule.rearm == rule.level:
        return ""
    back = _figure(rule.rearm)
    past = {"outside": f"inside ±{back}", "inside": f"outside ±{back}", "above": f"below {back}",
            "below": f"above {back}"}[rule.crosses]  # fmt: skip
    return f", again once {past}"


def allowed(said: str) -> str:
    """Say what a field may be in the words of the form, where a check has those of the file."""
    said = said.replace("take above or below", f"take “{CROSSING['above']}” or the opposite")
    said = re.sub(rf"\bfor ({'|'.join(CROSSING)})\b", _where, said)
    return re.sub(rf"\b({'|'.join(_PLAIN)})\b", lambda match: _PLAIN[match[0]], said)


def _where(match: re.Match[str]) -> str:
    crosses: Any = match[1]
    return f"where it {CROSSING[crosses]}"


def scope(rule: AlertRule) -> str:
    """Say which pairs a rule looks at."""
    if rule.when not in PAIR_WHENS:
        return "the desk"
    if rule.y and rule.x:
        return f"{rule.y} / {rule.x}"
    return "all lists" if rule.list is None else f"list {formats.clipped(rule.list)}"


def standing(states: Iterable[RuleState]) -> str:
    """Count where a rule stands on its pairs: "1 firing, 3 normal"."""
    counts = Counter(state.name for state in states)
    named = [f"{counts[name]} {name}" for name in _STANDINGS if counts[name]]
    return ", ".join(named) or "not evaluated yet"


def pair_of(alert: Alert) -> str:
    """Name what an alert is of."""
    return " / ".join(filter(None, (alert.y, alert.x))) or "the desk"


def time_at(time_us: int) -> pd.Timestamp:
    """Turn µs since the epoch into a time."""
    return pd.Timestamp(time_us, unit="us", tz="UTC")


def delivery(each: Delivery) -> str:
    """Say how far an alert came on the way to one channel."""
    tries = formats.count(each.attempts, "attempt")
    why = f": {each.error}" if each.error else ""
    if each.state == "delivered":
        when = f" {formats.clock(time_at(each.ended_us))}" if each.ended_us else ""
        words = f"delivered{when}"
    elif each.state == "failed":
        words = f"failed after {tries}{why}"
    elif each.state == "suppressed":
        words = "not sent"
    elif each.attempts:
        words = f"waiting, next try {formats.clock(time_at(each.next_us))}, {tries}{why}"
    else:
        words = "waiting"
    return f"{each.channel}: {words}{', marked as repeated' if each.is_repeated else ''}"


def silenced(silence: Silence) -> str:
    """Say what a silence keeps quiet."""
    rule = "every rule" if silence.rule is None else f"rule {formats.clipped(silence.rule)}"
    is_pair = silence.y is not None and silence.x is not None
    return f"{rule}, {f'{silence.y} / {silence.x}' if is_pair else 'every pair'}"
