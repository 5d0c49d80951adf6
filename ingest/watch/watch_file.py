"""The watch file: what is watched, channels and rules as JSON, to start with and take along."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from analytics.alerts import CROSSES, WHENS, AlertRule, check_rule
from analytics.baskets import LEAST_SYMBOLS, METHODS, MOST_SYMBOLS
from analytics.errors import ParameterError
from analytics.frames import parse_interval
from analytics.pair import Gates
from analytics.signals import SIGNALS
from ingest.binance import valid_symbol
from ingest.errors import WatchFileError, printable
from ingest.watch import watch_keys as keys
from ingest.watch.model import Watched, WatchedBasket, WatchedPair, WatchList
from ingest.watch.store import WatchStore
from ingest.watch.watch_keys import Check, iso_time, read_array, read_object, shown

T = TypeVar("T")

MOST_BYTES: Final = 1_000_000
_WHOLE: Final = "the watch file"
# Fields that the file calls otherwise.
_KEY_OF_FIELD: Final = {"is_pinned": "pinned", "expires_us": "expires"}
_FIELD_OF_KEY: Final = {key: name for name, key in _KEY_OF_FIELD.items()}
# What is written even where it is the default, so that the file says what is watched.
_ALWAYS: Final = frozenset(
    ("interval", "window", "spread", "hedge", "method", "when", "crosses", "level")
)


@dataclass(frozen=True, slots=True)
class WatchFile:
    """What a watch file says.

    Attributes
    ----------
    lists, rules
        In the order of the file.
    channels
        Address of each channel by its name; None where the secrets or the environment have it.
        Not part of `repr`: whoever knows an address can send to it.
    """

    lists: tuple[WatchList, ...] = ()
    channels: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    rules: tuple[AlertRule, ...] = ()


def read_watch_file(path: Path) -> WatchFile:
    """Read a watch file.

    Raises
    ------
    WatchFileError
        It cannot be read, is larger than 1 MB, or says what it cannot: one line, with its name.
    """
    try:
        return parse_watch(_text_of(path))
    except WatchFileError as error:
        raise WatchFileError(f"{path}: {error}") from None


def parse_watch(text: str) -> WatchFile:
    """Read the text of a watch file.

    Raises
    ------
    WatchFileError
        One line that says what is wrong, where, and what it may be.
    """
    _check_size(len(text.encode("utf-8", "surrogatepass")))
    whole = read_object(_decode(text), _WHOLE, _WHOLE_KEYS)
    lists = tuple(_each(whole, "lists", _list))
    channels = tuple(_each(whole, "channels", _channel))
    rules = tuple(_each(whole, "rules", _rule))
    _check_names("lists", [each.name for each in lists])
    _check_names("channels", [name for name, _ in channels])
    _check_names("rules", [each.name for each in rules])
    file = WatchFile(lists, dict(channels), rules)
    _check_references(file)
    return file


def write_watch(
    lists: Sequence[WatchList], rules: Sequence[AlertRule], channel_names: Iterable[str]
) -> str:
    """Write what `parse_watch` reads back to equal values; of channels only the names.

    A channel or a list that only a rule names is written too, the list without pairs.
    """
    channels = dict.fromkeys([*channel_names, *(name for rule in rules for name in rule.channels)])
    known = {each.name for each in lists}
    absent = dict.fromkeys(
        rule.list for rule in rules if rule.list is not None and rule.list not in known
    )
    parts = {
        "lists": [*map(_list_text, lists), *(_list_text(WatchList(name)) for name in absent)],
        "channels": [_json({"name": name}) for name in channels],
        "rules": [_json(_document(rule)) for rule in rules],
    }
    written = (f'"{name}": [{_lines(texts)}]' for name, texts in parts.items())
    return "{" + ",\n".join(written) + "}\n"


def take_up(store: WatchStore, file: WatchFile) -> None:
    """Keep the lists and rules of a file, at once, in place of those that have their names.

    What is kept so already changes nothing, and where a rule stands stays.

    Raises
    ------
    StoreError
        The watch cannot be written; then nothing of the file is.
    """
    store.save_all(file.lists, file.rules)


def take_up_once(store: WatchStore, file: WatchFile) -> None:
    """Do the same at a start: not again while the file says what it said at the one before.

    What the reader has changed in between stays.

    Raises
    ------
    StoreError
        The watch cannot be written.
    """
    text = write_watch(file.lists, file.rules, tuple(file.channels))
    store.save_all(file.lists, file.rules, hashlib.sha256(text.encode()).hexdigest())


def _text_of(path: Path) -> str:
    try:
        if not path.is_file():
            raise WatchFileError("there is no such file")
        _check_size(path.stat().st_size)
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise WatchFileError("not UTF-8 text") from None
    except OSError as error:
        raise WatchFileError(f"cannot be read: {error.strerror}") from None


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise WatchFileError(f"{size:,} bytes are too many: {MOST_BYTES:,} at most")


def _decode(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise WatchFileError(
            f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise WatchFileError(f"{_WHOLE} is nested too deeply") from None
    except ValueError:  # of an integer, thousands of digits long
        raise WatchFileError(f"{_WHOLE} holds a number with too many digits") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise WatchFileError(f"key {printable(key)!r} stands twice in one object")
        members[key] = value
    return members


def _refuse_constant(constant: str) -> object:
    raise WatchFileError(f"{_WHOLE} holds {constant}, which JSON does not know")


def _each(whole: Mapping[str, object], key: str, read: Callable[[object, str], T]) -> Iterator[T]:
    """Read each object of an array of the file."""
    for place, node in enumerate(read_array(whole.get(key, []), key)):
        yield read(node, f"{key}[{place}]")


def _list(node: object, where: str) -> WatchList:
    given = _needed(read_object(node, where, _LIST_KEYS), where, "name")
    name, rows, baskets = str(given.pop("name")), given.pop("pairs", []), given.pop("baskets", [])
    defaults = {**given, "gates": _gates(given, where)}
    each = enumerate(read_array(rows, f"{where}.pairs"))
    pairs = tuple(_pair(row, f"{where}.pairs[{place}]", defaults) for place, row in each)
    of_basket = {key: value for key, value in defaults.items() if key in _BASKET_KEYS}
    each = enumerate(read_array(baskets, f"{where}.baskets"))
    return WatchList(
        name,
        pairs,
        baskets=tuple(_basket(row, f"{where}.baskets[{place}]", of_basket) for place, row in each),
    )


def _pair(node: object, where: str, defaults: Mapping[str, Any]) -> WatchedPair:
    given = _needed(read_object(node, where, _PAIR_KEYS), where, "y", "x")
    gates = {**defaults["gates"], **_gates(given, where)}
    try:
        pair = WatchedPair(**_by_field({**defaults, **given, "gates": Gates(**gates)}))
        _ = pair.params
    except ParameterError as error:
        raise _unfit(error, where) from None
    return pair


def _basket(node: object, where: str, defaults: Mapping[str, Any]) -> WatchedBasket:
    given = _needed(read_object(node, where, _BASKET_KEYS), where, "symbols")
    gates = {**defaults["gates"], **_gates(given, where)}
    try:
        basket = WatchedBasket(**_by_field({**defaults, **given, "gates": Gates(**gates)}))
        _ = basket.params
    except ParameterError as error:
        raise _unfit(error, where) from None
    return basket


def _gates(given: Mapping[str, object], where: str) -> dict[str, Any]:
    """Check the gates that a pair or a list gives; the others stay as they are."""
    return read_object(given.get("gates", {}), f"{where}.gates", _GATE_KEYS)


def _rule(node: object, where: str) -> AlertRule:
    given = _needed(read_object(node, where, _RULE_KEYS), where, "name")
    rule = AlertRule(**_by_field(given))
    try:
        check_rule(rule)
    except ParameterError as error:
        raise _unfit(error, where) from None
    return rule


def _unfit(error: ParameterError, where: str) -> WatchFileError:
    """Say what is wrong with a setting as the file names and writes it."""
    key = _KEY_OF_FIELD.get(error.name, error.name)
    return WatchFileError(f"{where}: {key} = {shown(error.value)}: must be {error.allowed}")


def _channel(node: object, where: str) -> tuple[str, str | None]:
    given = _needed(read_object(node, where, _CHANNEL_KEYS), where, "name")
    url = given.get("url")
    if url is not None and not (isinstance(url, str) and url.isprintable() and "://" in url):
        raise WatchFileError(f"{where}: url must be an address, such as json://127.0.0.1:9000/hook")
    return str(given["name"]), url


def _needed(given: dict[str, object], where: str, *names: str) -> dict[str, object]:
    for name in names:
        if name not in given:
            raise WatchFileError(f"{where}: {name!r} is missing")
    return given


def _check_names(key: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if (first := names.index(name)) < place:
            raise WatchFileError(f"{key}[{place}]: the name {name!r} is that of {key}[{first}]")


def _check_references(file: WatchFile) -> None:
    """Let a rule name only lists and channels that are there."""
    lists = [each.name for each in file.lists]
    for place, rule in enumerate(file.rules):
        if rule.list is not None and rule.list not in lists:
            raise WatchFileError(_unknown(f"rules[{place}]", "list", rule.list, lists))
        for channel in rule.channels:
            if channel not in file.channels:
                raise WatchFileError(
                    _unknown(f"rules[{place}]", "channel", channel, list(file.channels))
                )


def _unknown(where: str, kind: str, name: str, known: Sequence[str]) -> str:
    there = f"there is {', '.join(known)}" if known else f"the file has no {kind}s"
    return f"{where}: no {kind} is named {name!r}; {there}"


def _by_field(given: Mapping[str, object]) -> dict[str, Any]:
    return {_FIELD_OF_KEY.get(key, key): value for key, value in given.items()}


def _list_text(watched: WatchList) -> str:
    pairs = _lines([_json(_document(each)) for each in watched.pairs])
    text = f'"name": {_json(watched.name)}, "pairs": [{pairs}]'
    if watched.baskets:
        baskets = _lines([_json(_document(each)) for each in watched.baskets])
        text += f', "baskets": [{baskets}]'
    return f"{{{text}}}"


def _document(value: Watched | AlertRule | Gates) -> dict[str, object]:
    """Name what differs from the default, and what a reader wants to see anyway."""
    values = {each.name: getattr(value, each.name) for each in fields(value)}
    return {
        _KEY_OF_FIELD.get(each.name, each.name): _plain(each.name, values[each.name])
        for each in fields(value)
        if each.name in _ALWAYS or values[each.name] != each.default
    }


def _plain(name: str, value: object) -> object:
    if isinstance(value, Gates):
        return _document(value)
    return iso_time(value) if name == "expires_us" and isinstance(value, int) else value


def _lines(texts: Sequence[str]) -> str:
    return "\n" + ",\n".join(texts) + "\n" if texts else ""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _anything(value: object) -> object:
    """Leave it to who knows more of it."""
    return value


def _symbol(value: object) -> str:
    return valid_symbol(keys.text(value))


def _interval(value: object) -> str:
    try:
        return parse_interval(keys.text(value)).name
    except ParameterError as error:
        raise keys.UnfitError(error.allowed) from None


_SETTING_KEYS: Final[Mapping[str, Check]] = {
    "interval": _interval,
    "window": keys.whole_number,
    "spread": keys.text,
    "hedge": keys.text,
    "lookback_s": keys.optional(keys.seconds),
    "sell_above": keys.number,
    "buy_below": keys.number,
    "correlation_on": keys.text,
    "level": keys.number,
    "hedge_window": keys.optional(keys.whole_number),
    "gates": _anything,
    "group": keys.text,
    "pinned": keys.flag,
}
_OF_PAIRS_ALONE: Final = ("spread", "hedge", "hedge_window")
_PAIR_KEYS: Final = {"y": _symbol, "x": _symbol, **_SETTING_KEYS}
_BASKET_KEYS: Final[Mapping[str, Check]] = {
    "symbols": keys.tuple_of(_symbol, f"{LEAST_SYMBOLS} to {MOST_SYMBOLS} symbols"),
    "method": keys.one_of(METHODS),
    **{key: _SETTING_KEYS[key] for key in _SETTING_KEYS if key not in _OF_PAIRS_ALONE},
}
_LIST_KEYS: Final = {
    "name": keys.name,
    "pairs": _anything,
    "baskets": _anything,
    **_SETTING_KEYS,
}
_GATE_KEYS: Final[Mapping[str, Check]] = {
    "leg_stale": keys.flag,
    "window_covered": keys.flag,
    "enough_bars": keys.flag,
    "pvalue": keys.flag,
    "half_life": keys.flag,
    "stale_after_s": keys.number,
    "least_traded": keys.number,
    "least_bars": keys.optional(keys.whole_number),
}
_RULE_KEYS: Final[Mapping[str, Check]] = {
    "name": keys.name,
    "list": keys.optional(keys.name),
    "y": keys.optional(_symbol),
    "x": keys.optional(_symbol),
    "when": keys.one_of(WHENS),
    "crosses": keys.one_of(CROSSES),
    "level": keys.number,
    "rearm": keys.optional(keys.number),
    "to": keys.tuple_of(keys.one_of(SIGNALS), f"signals: {', '.join(SIGNALS)}"),
    "for_bars": keys.whole_number,
    "hold_bars": keys.whole_number,
    "cooldown_s": keys.number,
    "once": keys.flag,
    "expires": keys.optional(keys.time_us),
    "quiet_hours": keys.optional(keys.text),
    "gated": keys.flag,
    "forming": keys.flag,
    "tells_resolved": keys.flag,
    "channels": keys.tuple_of(keys.name, "names of channels"),
    "message": keys.optional(keys.text),
    "enabled": keys.flag,
}
_CHANNEL_KEYS: Final[Mapping[str, Check]] = {"name": keys.name, "url": _anything}
_WHOLE_KEYS: Final = dict.fromkeys(("lists", "channels", "rules"), _anything)
