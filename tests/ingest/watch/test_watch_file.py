"""The watch file: what it may say, what is said of one that is wrong, and the way back."""

import json
import sqlite3
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts import CROSSES, PAIR_WHENS, AlertRule, RuleState, check_rule
from analytics.errors import ParameterError
from analytics.hedge import HEDGE_METHODS
from analytics.pair import Gates
from analytics.spread import SPREAD_KINDS
from ingest.errors import StoreError, WatchFileError
from ingest.watch import WatchedBasket, WatchedPair, WatchList, WatchStore, watch_file
from ingest.watch.watch_file import (
    MOST_BYTES,
    WatchFile,
    parse_watch,
    read_watch_file,
    take_up,
    take_up_once,
    write_watch,
)

EXAMPLE = """
{"lists": [{"name": "majors", "pairs": [{"y": "ETHUSDT", "x": "BTCUSDT", "interval": "1s",
                                         "window": 60, "spread": "log", "hedge": "ols"}]}],
 "channels": [{"name": "desk", "url": "json://127.0.0.1:9000/hook"}, {"name": "phone"}],
 "rules": [{"name": "wide", "list": "majors", "when": "zscore", "crosses": "outside", "level": 2.0,
            "rearm": 1.0, "channels": ["desk"], "expires": "2026-12-31T01:00:00+01:00"}]}
"""
PAIR = {"y": "ETHUSDT", "x": "BTCUSDT"}
END_OF_2026_US = 1_798_675_200_000_000


def watch_of(pair: dict[str, object], **of_list: object) -> str:
    return json.dumps({"lists": [{"name": "a", **of_list, "pairs": [{**PAIR, **pair}]}]})


def rules_of(*rules: dict[str, object]) -> str:
    return json.dumps({"rules": [{"name": f"r{i}", **each} for i, each in enumerate(rules)]})


def refusal(text: str) -> str:
    with pytest.raises(WatchFileError) as caught:
        parse_watch(text)
    return str(caught.value)


@pytest.fixture
def store(tmp_path: Path) -> WatchStore:
    return WatchStore(tmp_path / "t.watch.db")


def test_the_file_says_what_is_watched() -> None:
    file = parse_watch(EXAMPLE)
    assert file.lists == (WatchList("majors", (WatchedPair("ETHUSDT", "BTCUSDT", spread="log"),)),)
    assert file.channels == {"desk": "json://127.0.0.1:9000/hook", "phone": None}
    assert file.rules == (
        AlertRule("wide", list="majors", rearm=1.0, channels=("desk",), expires_us=END_OF_2026_US),
    )


def test_an_empty_file_watches_nothing() -> None:
    assert parse_watch("{}") == WatchFile()


def test_a_pair_takes_from_its_list_what_it_does_not_say_itself() -> None:
    text = watch_of(
        {"y": "eth/usdt", "x": "btc-usdt", "window": 30, "gates": {"stale_after_s": 5}},
        interval="5T",
        window=90,
        pinned=True,
        gates={"pvalue": True, "stale_after_s": 9},
    )
    [[pair]] = [each.pairs for each in parse_watch(text).lists]
    gates = Gates(pvalue=True, stale_after_s=5.0)
    assert pair == WatchedPair("ETHUSDT", "BTCUSDT", "5min", 30, gates=gates, is_pinned=True)


THREE = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def test_a_basket_takes_from_its_list_what_it_does_not_say_itself() -> None:
    row = {"symbols": ["btc/usdt", "ETHUSDT", "SOLUSDT"], "method": "box_tiao", "window": 30}
    text = watch_of({}, baskets=[row], interval="5T", window=90, spread="log", hedge="tls")
    [[basket]] = [each.baskets for each in parse_watch(text).lists]
    assert basket == WatchedBasket(THREE, "5min", 30, "box_tiao")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"symbols": THREE[:2]}, "symbols = "),
        ({"window": 60}, "lists[0].baskets[0]: 'symbols' is missing"),
        ({"symbols": THREE, "hedge": "ols"}, "lists[0].baskets[0]: unknown key 'hedge'"),
        ({"symbols": THREE, "method": "pca"}, 'method = "pca": must be one of johansen,'),
        ({"symbols": THREE, "lookback_s": 86_400}, "lookback_s = 86400: must be 20,000 bars at"),
        ({"symbols": [*THREE, "BTCUSDT"]}, "BTCUSDT stands twice"),
    ],
)
def test_a_mistake_in_a_basket_is_one_line(row: dict[str, object], words: str) -> None:
    said = refusal(watch_of({}, baskets=[row]))
    assert words in said
    assert "\n" not in said


def test_baskets_are_written_as_they_are_read() -> None:
    gates = Gates(pvalue=True)
    baskets = (
        WatchedBasket(THREE, "1min", 30, "min_half_life", 7_200, 1.5, -1.5, gates=gates),
        WatchedBasket((*THREE, "BNBUSDT"), group="majors", is_pinned=True),
    )
    lists = (WatchList("both", (WatchedPair("ETHUSDT", "BTCUSDT"),), baskets=baskets),)
    assert parse_watch(write_watch(lists, (), ())).lists == lists


def test_who_prints_a_file_prints_no_address() -> None:
    assert "hook" not in repr(parse_watch(EXAMPLE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1, column 2: not JSON: Expecting property name enclosed in double quotes"),
        (
            '{"lists": [],\n "rules": [}',
            "line 2, column 12: not JSON: Expecting value",
        ),
        ("[1, 2]", "the watch file = [1, 2]: must be an object with lists, channels, rules"),
        ('{"rule": []}', "the watch file: unknown key 'rule'; did you mean 'rules'?"),
        ('{"qqq": []}', "the watch file: unknown key 'qqq'; it may have lists, channels, rules"),
        ('{"lists": [], "lists": []}', "key 'lists' stands twice in one object"),
        ('{"lists": NaN}', "the watch file holds NaN, which JSON does not know"),
        ('{"lists": ' + "9" * 5_000 + "}", "the watch file holds a number with too many digits"),
        ('{"lists": ' + "[" * 100_000, "the watch file is nested too deeply"),
        ('{"lists": {}}', "lists = {}: must be an array"),
        (
            '{"lists": ["a"]}',
            (
                'lists[0] = "a": must be an object with name, pairs, baskets, interval, window,'
                " spread, hedge, lookback_s, sell_above, buy_below, correlation_on, level,"
                " hedge_window,"
                " gates, group, pinned"
            ),
        ),
        ('{"lists": [{"pairs": []}]}', "lists[0]: 'name' is missing"),
        (
            '{"lists": [{"name": ""}]}',
            ('lists[0]: name = "": must be 1 to 120 printable characters, no space at either end'),
        ),
        (
            '{"lists": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}',
            "lists[2]: the name 'a' is that of lists[0]",
        ),
        (
            '{"lists": [{"name": "a", "pairs": [{"y": "ETHUSDT"}]}]}',
            "lists[0].pairs[0]: 'x' is missing",
        ),
        (
            '{"lists": [{"name": "a", "windw": 9}]}',
            "lists[0]: unknown key 'windw'; did you mean 'window'?",
        ),
        (
            '{"lists": [{"name": "a", "window": "9"}]}',
            'lists[0]: window = "9": must be a whole number, 1,000,000,000 at most',
        ),
        (
            watch_of({"pined": True}),
            "lists[0].pairs[0]: unknown key 'pined'; did you mean 'pinned'?",
        ),
        (
            watch_of({"y": "E!"}),
            (
                "lists[0].pairs[0]: y: 'E!' is not a symbol: needs 2 to 20 letters"
                " and digits, as BTCUSDT or BTC/USDT"
            ),
        ),
        (
            watch_of({"x": "eth-usdt"}),
            'lists[0].pairs[0]: x = "ETHUSDT": must be another symbol than y (ETHUSDT)',
        ),
        (
            watch_of({"window": 1}),
            "lists[0].pairs[0]: window = 1: must be a whole number of bars, 2 or more",
        ),
        (
            watch_of({"window": 60.5}),
            "lists[0].pairs[0]: window = 60.5: must be a whole number, 1,000,000,000 at most",
        ),
        (
            watch_of({"window": 10**30}),
            (
                "lists[0].pairs[0]: window ="
                " 1000000000000000000000000000000: must be a whole number, 1,000,000,000 at most"
            ),
        ),
        (
            watch_of({"interval": "2s"}),
            (
                'lists[0].pairs[0]: interval = "2s": must be one of 1s, 5s,'
                " 15s, 30s, 1min, 5min, 15min, 1h"
            ),
        ),
        (
            watch_of({"spread": "lg"}),
            (
                'lists[0].pairs[0]: spread = "lg": must be one of price'
                " difference, hedged, log, ratio"
            ),
        ),
        (
            watch_of({"lookback_s": 0}),
            "lists[0].pairs[0]: lookback_s = 0: must be a whole number of seconds, 1 or more",
        ),
        (
            watch_of({"sell_above": -1}),
            (
                "lists[0].pairs[0]: sell_above = -1.0: must be not below"
                " buy_below (0): both would hold at once"
            ),
        ),
        (
            watch_of({"sell_above": True}),
            "lists[0].pairs[0]: sell_above = true: must be a finite number",
        ),
        (watch_of({"pinned": 1}), "lists[0].pairs[0]: pinned = 1: must be true or false"),
        (
            watch_of({"group": "\ud800"}),
            'lists[0].pairs[0]: group = "\\ud800": must be text of up to 2,000 characters',
        ),
        (
            watch_of({"gates": {"pvalu": True}}),
            "lists[0].pairs[0].gates: unknown key 'pvalu'; did you mean 'pvalue'?",
        ),
        (
            watch_of({"gates": {"least_traded": 2}}),
            "lists[0].pairs[0]: least_traded = 2.0: must be a share from 0 to 1",
        ),
        (
            watch_of({}, gates=[]),
            (
                "lists[0].gates = []: must be an object with leg_stale,"
                " window_covered, enough_bars, pvalue, half_life, stale_after_s, least_traded,"
                " least_bars"
            ),
        ),
        (rules_of({"cross": "above"}), "rules[0]: unknown key 'cross'; did you mean 'crosses'?"),
        (
            rules_of({}, {"crosses": "up"}),
            'rules[1]: crosses = "up": must be one of above, below, outside, inside',
        ),
        (
            rules_of({"when": ["zscore"]}),
            (
                'rules[0]: when = ["zscore"]: must be one of zscore,'
                " signal, correlation, pvalue, half_life, beta, stale, gap, recorder, disk, clock,"
                " engine,"
                " channel, find"
            ),
        ),
        (
            rules_of({"to": "BUY"}),
            'rules[0]: to = "BUY": must be an array of signals: SELL, BUY, NEUTRAL',
        ),
        (rules_of({"to": ["HOLD"]}), 'rules[0]: to = ["HOLD"]: must be one of SELL, BUY, NEUTRAL'),
        (
            rules_of({"expires": "tomorrow"}),
            ('rules[0]: expires = "tomorrow": must be a time in UTC, such as 2026-12-31T00:00:00Z'),
        ),
        (
            rules_of({"expires": "2026-12-31T00:00:00"}),
            (
                'rules[0]: expires = "2026-12-31T00:00:00":'
                " must be a time in UTC, such as 2026-12-31T00:00:00Z"
            ),
        ),
        (
            rules_of({"list": "majors"}),
            "rules[0]: no list is named 'majors'; the file has no lists",
        ),
        (
            '{"channels": [{"name": "a"}], "rules": [{"name": "r", "channels": ["c"]}]}',
            "rules[0]: no channel is named 'c'; there is a",
        ),
        (
            rules_of({"level": 0}),
            (
                "rules[0]: level = 0.0: must be above 0 for outside; take above or below for a"
                " level of one side"
            ),
        ),
        (
            rules_of({"y": "ETH/USDT"}),
            "rules[0]: x = null: must be given too: a pair has two legs",
        ),
        (
            rules_of({"expires": "1970-01-01T00:00:00Z"}),
            "rules[0]: expires = 0: must be after 1970, or left out for never",
        ),
        (rules_of({"name": "a"}, {"name": "a"}), "rules[1]: the name 'a' is that of rules[0]"),
        (
            '{"channels": [{"name": "a"}, {"name": "a"}]}',
            "channels[1]: the name 'a' is that of channels[0]",
        ),
    ],
)
def test_a_mistake_is_one_line_that_says_where(text: str, words: str) -> None:
    assert refusal(text) == words


@pytest.mark.parametrize("url", ["s3cret", 'json://s3cret@host\n"', ["json://s3cret"], 3, ""])
def test_a_wrong_address_is_refused_unseen(url: object) -> None:
    words = refusal(json.dumps({"channels": [{"name": "desk", "url": url}]}))
    assert words == ("channels[0]: url must be an address, such as json://127.0.0.1:9000/hook")


@given(st.text(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(
        st.sampled_from(["lists", "rules", "channels", "name", "pairs", "y", "gates", "to"]), each
    ),
    max_leaves=12,
).map(json.dumps))  # fmt: skip
def test_any_text_is_a_watch_file_or_one_line(text: str) -> None:
    words = "nothing"
    try:
        parse_watch(text)
    except WatchFileError as error:
        words = str(error)
    assert words
    assert words.isprintable()


def can_be(rule: AlertRule) -> bool:
    with suppress(ParameterError):
        check_rule(rule)
        return True
    return False


NAMES = st.text(
    st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8
)  # fmt: skip
NUMBERS = st.floats(-1e6, 1e6)
SYMBOLS = st.sampled_from(["BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCUSDT_260925"])
GATES = st.builds(
    Gates,
    *[st.booleans()] * 5,
    st.floats(0.001, 1e6),
    st.floats(0, 1),
    st.none() | st.integers(1, 10_000),
)
PAIRS = st.builds(
    WatchedPair,
    y=SYMBOLS,
    x=st.just("BNBUSDT"),
    interval=st.sampled_from(["1s", "5min", "1h"]),
    window=st.integers(2, 10_000),
    spread=st.sampled_from(SPREAD_KINDS),
    hedge=st.sampled_from(HEDGE_METHODS),
    lookback_s=st.none() | st.integers(1, 10_000_000),
    sell_above=st.floats(0, 10),
    buy_below=st.floats(-10, 0),
    correlation_on=st.sampled_from(["returns", "prices"]),
    level=st.floats(0.001, 0.5),
    hedge_window=st.none() | st.integers(3, 10_000),
    gates=GATES,
    group=st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    is_pinned=st.booleans(),
)
LISTS = st.lists(
    st.builds(WatchList, NAMES, st.lists(PAIRS, max_size=3).map(tuple)),
    max_size=3,
    unique_by=lambda each: each.name,
)
RULES = st.lists(
    st.builds(
        AlertRule,
        name=NAMES,
        when=st.sampled_from(sorted(PAIR_WHENS - {"beta"})),
        crosses=st.sampled_from(CROSSES),
        level=st.floats(0.5, 1.0),
        rearm=st.none() | st.just(0.75),
        for_bars=st.integers(1, 100),
        hold_bars=st.integers(0, 100),
        cooldown_s=st.floats(0, 1e6),
        once=st.booleans(),
        expires_us=st.none() | st.integers(1, 250_000_000_000_000_000),
        quiet_hours=st.none() | st.just("22:00-06:30"),
        gated=st.booleans(),
        tells_resolved=st.booleans(),
        channels=st.lists(NAMES, max_size=2, unique=True).map(tuple),
        message=st.none() | st.just("{pair} is at {zscore}"),
        enabled=st.booleans(),
    ).filter(can_be),
    max_size=3,
    unique_by=lambda each: each.name,
)


@settings(max_examples=60)
@given(LISTS, RULES, st.lists(NAMES, max_size=3))
def test_what_is_written_is_read_back(
    lists: list[WatchList], rules: list[AlertRule], channels: list[str]
) -> None:
    rules = [replace(each, list=lists[0].name) if lists else each for each in rules]
    file = parse_watch(write_watch(lists, rules, channels))
    assert (file.lists, file.rules) == (tuple(lists), tuple(rules))
    assert {*channels} <= {*file.channels}
    assert {*file.channels.values()} <= {None}


@pytest.mark.parametrize("kind", [WatchedPair, AlertRule, Gates])
def test_every_setting_can_be_written(kind: type) -> None:
    """Whoever adds a field to the vocabulary is told here that the file does not know it."""
    tables = {WatchedPair: watch_file._PAIR_KEYS, AlertRule: watch_file._RULE_KEYS,
              Gates: watch_file._GATE_KEYS}  # fmt: skip
    known = {watch_file._FIELD_OF_KEY.get(key, key) for key in tables[kind]}
    assert known == {each.name for each in fields(kind)}


def test_a_rule_whose_list_is_gone_is_read_back_with_an_empty_list() -> None:
    rule = AlertRule("wide", list="gone", channels=("desk",))
    file = parse_watch(write_watch([], [rule], []))
    assert (file.lists, file.rules) == ((WatchList("gone"),), (rule,))
    assert file.channels == {"desk": None}


def test_the_file_is_named_in_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "watch.json"
    path.write_text('{"rule": []}')
    with pytest.raises(WatchFileError, match=r"watch\.json: the watch file: unknown key 'rule'"):
        read_watch_file(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"\xff\xfe{}", "not UTF-8 text"),
        (b" " * (MOST_BYTES + 1), "1,000,001 bytes are too many: 1,000,000 at most"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "watch.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WatchFileError) as caught:
        read_watch_file(path)
    assert str(caught.value) == f"{path}: {words}"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "watch.json"
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.encode())
    assert read_watch_file(path) == parse_watch(EXAMPLE)


def test_taking_up_twice_changes_nothing_the_second_time(store: WatchStore) -> None:
    file = parse_watch(EXAMPLE)
    take_up(store, file)
    assert (store.lists(), store.rules(), store.revision()) == (file.lists, file.rules, 1)
    take_up(store, file)
    assert store.revision() == 1


def test_a_start_leaves_what_the_reader_made_of_the_file_before(store: WatchStore) -> None:
    file = parse_watch(EXAMPLE)
    take_up_once(store, file)
    longer = replace(file.lists[0], pairs=(*file.lists[0].pairs, WatchedPair("SOLUSDT", "BNBUSDT")))
    store.save_list(longer)
    store.remove_rule(file.rules[0].name)
    take_up_once(store, parse_watch(EXAMPLE))
    assert (store.lists(), store.rules()) == ((longer, *file.lists[1:]), file.rules[1:])
    changed = replace(file, rules=(replace(file.rules[0], level=3.0),))
    take_up_once(store, changed)
    assert (store.lists(), store.rules()[0]) == (file.lists, changed.rules[0])


def test_taking_up_replaces_by_name_and_keeps_where_a_rule_stands(store: WatchStore) -> None:
    file = parse_watch(EXAMPLE)
    other = WatchList("mine", (WatchedPair("SOLUSDT", "BTCUSDT"),))
    store.save_list(other)
    take_up(store, file)
    firing = RuleState("firing", since_us=5, is_armed=False)
    store.record((), {("wide", "ETHUSDT/BTCUSDT"): firing}, {})
    changed = replace(file, rules=(replace(file.rules[0], level=3.0),))
    take_up(store, changed)
    assert (store.lists(), store.rules()) == ((other, *file.lists), changed.rules)
    [state] = store.states().values()
    assert state.name == "firing"


def test_what_cannot_be_taken_up_whole_is_not_at_all(store: WatchStore) -> None:
    with sqlite3.connect(store.path) as other:
        other.execute(
            "CREATE TRIGGER no_rules BEFORE INSERT ON rule BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(StoreError):
        take_up(store, parse_watch(EXAMPLE))
    assert (store.lists(), store.revision()) == ((), 0)
