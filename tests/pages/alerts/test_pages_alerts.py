"""The Alerts page as a script: rules and their form, log, silences, channels, the watch file."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from desk.script_page import START_US, said, shown
from streamlit.testing.v1 import AppTest

from analytics.alerts import AlertRule, RuleState
from ingest.settings import current_settings
from ingest.watch import (
    Alert,
    ChannelStanding,
    Delivery,
    MarketScanStatus,
    Silence,
    Watch,
    WatchedPair,
    WatchList,
    install_watch,
)
from ingest.watch.heartbeat import HeartbeatStanding
from pages.ui.alerts import body, editor, log, rules, silences, words
from pages.ui.state.page_choices import PAGE_CHOICES

PAIR = WatchedPair("ETHUSDT", "BTCUSDT")
WIDE = AlertRule("wide", level=2.0, rearm=1.0, channels=("desk",))


class ToldWatch(Watch):
    """A watch that evaluates nothing, with one channel whose service answers what it is told."""

    answer: str = "200 OK: taken"

    def channels(self) -> tuple[ChannelStanding, ...]:
        return (ChannelStanding("desk", "JSON", "secrets", "ready", waiting=2),)

    def test_channel(self, name: str) -> str:
        return f"{name}: {self.answer}"


@pytest.fixture
def watch(database: Path) -> Iterator[ToldWatch]:
    """This process's watch, of one list with one pair."""
    watch = ToldWatch(current_settings(), None)
    watch.store.save_list(WatchList("majors", (PAIR,)))
    install_watch(watch)
    yield watch
    install_watch(None)
    watch.stop()


def visit(project_root: Path, view: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "alerts.py"))
    page.query_params["alerts_view"] = view
    page.run()
    assert not page.exception, page.exception
    return page


def click(page: AppTest, key: str) -> None:
    page.button(key=key).click().run()
    assert not page.exception, page.exception


def text_of(page: AppTest) -> str:
    captions = "\n".join(each.value for each in page.caption)
    return unescape(f"{shown(page)}\n{captions}\n{said(page)}")


def alert(rule: str = "wide", **more: Any) -> Alert:
    plain = Alert(
        rule, "fired", START_US, START_US + 900_000, "ETHUSDT/BTCUSDT: z = +2.31", y="ETHUSDT",
        x="BTCUSDT", interval="1s", params="s1=ETHUSDT&s2=BTCUSDT&interval=1s", zscore=2.31,
        value=2.31, level=2.0, signal="SELL", channels=("desk",),
    )  # fmt: skip
    return replace(plain, **more)


def form_key(page: AppTest, field: str) -> str:
    """The key of a field of the form that is open."""
    key: str = page.session_state["alert_draft"].key(field)
    return key


def test_a_new_rule_is_written_and_saved(project_root, watch):
    page = visit(project_root, "Rules")
    assert "no rule yet" in said(page)
    click(page, "rule_new")
    page.text_input(key=form_key(page, "name")).input("far out").run()
    page.number_input(key=form_key(page, "level_zscore")).set_value(2.5).run()
    page.selectbox(key=form_key(page, "scope")).select(("majors", None, None)).run()
    page.multiselect(key=form_key(page, "channels")).select("desk").run()
    assert "z leaves ±2.5, again once inside ±1" in text_of(page)
    click(page, "rule_save")
    wanted = AlertRule("far out", level=2.5, rearm=1.0, list="majors", channels=("desk",))
    assert watch.store.rules() == (wanted,)
    assert "far out" in shown(page)
    assert "rule_save" not in {each.key for each in page.button}


def test_beside_the_level_of_beta_stands_what_noise_gives(project_root, watch):
    page = visit(project_root, "Rules")
    click(page, "rule_new")
    assert not page.number_input(key=form_key(page, "level_zscore")).help
    page.selectbox(key=form_key(page, "when")).select("beta").run()
    assert "unrelated walks" in page.number_input(key=form_key(page, "level_beta")).help


def test_what_cannot_be_saved_says_why_in_the_words_of_the_form(project_root, watch):
    page = visit(project_root, "Rules")
    click(page, "rule_new")
    page.number_input(key=form_key(page, "rearm_zscore")).set_value(3.0).run()
    assert "Again once back past must be at or below the level (2)" in said(page)
    assert page.button(key="rule_save").disabled
    page.number_input(key=form_key(page, "rearm_zscore")).set_value(1.0).run()
    page.text_input(key=form_key(page, "quiet_hours")).input("22-6").run()
    assert "Quiet hours (UTC) must be two times of the day" in said(page)
    page.text_input(key=form_key(page, "quiet_hours")).input("22:00-06:30").run()
    assert not page.button(key="rule_save").disabled


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (AlertRule("a", when="pvalue", crosses="below", level=2.0), "below 1 for a p-value"),
        (AlertRule("a", level=0.0), "above 0 where it leaves ± the level"),
        (AlertRule("a", level=2.0, rearm=-1.0), "above 0 where it leaves ± the level"),
        (AlertRule("a", when="stale", crosses="above", level=9.0, gated=True), "a leg without"),
        (AlertRule("a", for_bars=5_000_000), "a whole number from 1 to 1,000,000"),
        (AlertRule("a", cooldown_s=-1.0), "Cool-down (s) must be 0 or more seconds"),
        (AlertRule("a", quiet_hours="25:00-26:00"), "Quiet hours (UTC) must be"),
        (AlertRule("a", message="{zscore:"), "Words must be"),
    ],
)
def test_what_is_wrong_is_said_without_the_names_of_the_file(watch, rule, said):
    problem = editor.problem(rule, watch, is_new=True)
    assert said in problem
    assert not re.search(r"pvalue|stale|for outside", problem)


def test_a_large_level_is_written_as_the_message_writes_it():
    assert "leaves ±1000000000," in words.condition(AlertRule("a", level=1e9, rearm=1.0))


FULL = AlertRule(
    "full", crosses="above", level=2.25, rearm=1.5, list="majors", for_bars=3, hold_bars=4,
    cooldown_s=1.5, once=True, expires_us=START_US, quiet_hours="22:00-06:30", gated=True,
    forming=True, tells_resolved=True, channels=("desk", "gone"), message="{pair} {zscore}",
)  # fmt: skip


@pytest.mark.parametrize(
    "rule",
    [
        FULL,
        AlertRule("signals", when="signal", to=("SELL", "NEUTRAL"), y="SOLUSDT", x="BTCUSDT"),
        AlertRule("odd", when="correlation", crosses="outside", level=0.9, list="not there"),
        AlertRule("disk", when="disk", crosses="below", level=12.5, rearm=20.0, enabled=False),
        AlertRule("moved", when="beta", crosses="above", level=4.0),
    ],
    ids=lambda rule: rule.name,
)
def test_a_rule_goes_through_the_form_unchanged(project_root, watch, rule):
    watch.store.save_rule(rule)
    page = visit(project_root, "Rules")
    click(page, "rule_edit")
    assert not page.error, said(page)
    click(page, "rule_save")
    assert watch.store.rules() == (rule,)


def test_two_rules_cannot_have_one_name(project_root, watch):
    watch.store.save_rule(WIDE)
    page = visit(project_root, "Rules")
    click(page, "rule_new")
    assert page.text_input(key=form_key(page, "name")).value == "wide 2"
    page.text_input(key=form_key(page, "name")).input("wide").run()
    assert "There is a rule named wide" in said(page)
    assert page.button(key="rule_save").disabled


@pytest.mark.parametrize("when", words.KINDS)
def test_each_kind_of_rule_can_be_chosen_and_saved(project_root, watch, when):
    page = visit(project_root, "Rules")
    click(page, "rule_new")
    page.selectbox(key=form_key(page, "when")).select(when).run()
    assert not page.exception, page.exception
    assert not page.error, said(page)
    assert "It would say: " in text_of(page)
    click(page, "rule_save")
    assert [each.when for each in watch.store.rules()] == [when]


def test_a_rule_is_edited_turned_off_copied_and_removed(project_root, watch):
    watch.store.save_rule(WIDE)
    page = visit(project_root, "Rules")
    click(page, "rule_edit")
    assert page.text_input(key=form_key(page, "name")).disabled
    page.number_input(key=form_key(page, "for_bars")).set_value(3).run()
    click(page, "rule_save")
    assert watch.store.rules() == (replace(WIDE, for_bars=3),)
    assert ", for 3 bars" in shown(page)
    click(page, "rule_toggle")
    assert not watch.store.rules()[0].enabled
    click(page, "rule_copy")
    click(page, "rule_save")
    assert [each.name for each in watch.store.rules()] == ["wide", "wide 2"]


def test_a_rule_is_removed_when_that_was_asked_and_answered(project_root, watch):
    watch.store.save_rule(WIDE)
    page = visit(project_root, "Rules")
    click(page, "rule_remove")
    assert "Remove wide" in text_of(page)
    click(page, "rule_keep")
    assert "rule_remove_sure" not in {each.key for each in page.button}
    click(page, "rule_remove")
    assert watch.store.rules() == (WIDE,)
    click(page, "rule_remove_sure")
    assert watch.store.rules() == ()
    watch.store.save_rule(WIDE)
    page.run()
    assert "rule_remove_sure" not in {each.key for each in page.button}


def test_where_a_rule_stands_is_counted(project_root, watch):
    watch.store.save_rule(WIDE)
    states = {
        ("wide", "a"): RuleState("firing", START_US, fired_us=START_US, fired=2),
        ("wide", "b"): RuleState("normal", START_US, fired_us=START_US - 60_000_000, fired=1),
        ("wide", "c"): RuleState("normal", START_US),
    }
    watch.store.record([], states, {})
    found = text_of(visit(project_root, "Rules"))
    assert "1 firing, 2 normal" in found
    assert "3, last 2025-07-31 22:13:20 UTC" in found


def test_the_words_follow_a_template_and_its_faults_are_said(project_root, watch):
    page = visit(project_root, "Rules")
    click(page, "rule_new")
    page.text_area(key=form_key(page, "message")).input("{pair} left at {zscore:+.1f}").run()
    assert "ETHUSDT/BTCUSDT left at +2.0" in text_of(page)
    page.text_area(key=form_key(page, "message")).input("{secret}").run()
    assert "Words must be one of {pair}" in text_of(page)


def test_the_log_says_what_became_of_each_alert(project_root, watch):
    fired, quiet, over = watch.store.record(
        [
            alert(),
            alert("night", suppressed="quiet hours"),
            alert(kind="resolved", channels=(), words="over: z = +0.90"),
        ],
        {},
        {},
    )
    watch.store.update_deliveries(
        [Delivery(fired.alert_id, "desk", "failed", 5, error="HTTP 500", is_repeated=True)]
    )
    found = text_of(visit(project_root, "Log"))
    assert "desk: failed after 5 attempts: HTTP 500, marked as repeated" in found
    assert "not sent: quiet hours" in found
    assert "open pages only" in found
    assert found.index("over: z = +0.90") < found.index("z = +2.31")
    href = re.search(r'href="\./\?(s1=ETHUSDT&[^"]*)"', found)
    assert href, found
    assert dict(parse_qsl(href[1])).items() >= {"s2": "BTCUSDT", "interval": "1s"}.items()
    assert (quiet.alert_id, over.alert_id) == (2, 3)


def test_the_log_is_in_the_order_of_the_times_that_it_shows(project_root, watch):
    late = alert("late", bar_us=START_US, fired_us=START_US + 9_000_000)
    soon = alert("soon", bar_us=START_US + 4_000_000, fired_us=START_US + 5_000_000)
    watch.store.record([soon, late], {}, {})
    found = shown(visit(project_root, "Log"))
    times = re.findall(r"<tr><td>(.*?)</td>", found)
    assert times == ["2025-07-31 22:13:29 UTC", "2025-07-31 22:13:25 UTC"]
    assert re.findall(r"<td>.*?</td><td [^>]*>(.*?)</td>", found) == [
        "22:13:20 UTC", "22:13:24 UTC",
    ]  # fmt: skip


def test_the_log_is_narrowed_to_a_rule_or_a_pair(project_root, watch):
    watch.store.record([alert(), alert("disk", y="", x="", words="disk free 2 GB")], {}, {})
    page = visit(project_root, "Log")
    page.selectbox(key="log_rule").select("disk").run()
    assert "disk free 2 GB" in shown(page)
    assert "z = +2.31" not in shown(page)
    page.selectbox(key="log_pair").select("ETHUSDT / BTCUSDT").run()
    assert "No alert of this rule and pair" in said(page)


def test_words_from_outside_are_text(project_root, watch):
    watch.store.record([alert("<b>x</b>", words="<img src=x onerror=alert(1)>")], {}, {})
    html = shown(visit(project_root, "Log"))
    assert "<img" not in html
    assert "<b>x" not in html
    assert "&lt;img src=x" in html


def test_an_empty_log_says_what_to_do(project_root, watch):
    assert "No alert yet" in said(visit(project_root, "Log"))


def test_the_csv_has_every_alert_with_its_figures_and_no_formula(watch):
    watch.store.record([alert(words="=1+1"), alert("night", suppressed="a silence")], {}, {})
    made = log._csv(watch.store, "")
    rows = list(csv.DictReader(io.StringIO(made.content.decode())))
    assert [row["id"] for row in rows] == [watch.store.public_id(each) for each in (1, 2)]
    assert rows[0]["words"] == "'=1+1"
    assert rows[0]["bar"] == "2025-07-31T22:13:20.000000Z"
    assert float(rows[0]["zscore"]) == 2.31
    assert rows[0]["deliveries"] == "desk: waiting, attempts 0"
    assert rows[1]["deliveries"] == "desk: suppressed, attempts 0: a silence"


def test_a_silence_begins_lasts_and_is_ended(project_root, watch):
    watch.store.save_rule(WIDE)
    page = visit(project_root, "Silences")
    page.selectbox(key="silence_rule").select("wide")
    page.selectbox(key="silence_pair").select(("ETHUSDT", "BTCUSDT"))
    page.selectbox(key="silence_for").select("4 h")
    page.text_input(key="silence_why").input("deploy")
    page.button(key="FormSubmitter:silence-Silence").click().run()
    assert not page.exception, page.exception
    (silence,) = watch.store.silences()
    assert (silence.rule, silence.y, silence.x, silence.why) == (
        "wide", "ETHUSDT", "BTCUSDT", "deploy",
    )  # fmt: skip
    assert "Rule wide, ETHUSDT / BTCUSDT: 4.0 h left" in text_of(page)
    click(page, f"silence_end_{silence.silence_id}")
    assert watch.store.silences() == ()


def test_an_equal_silence_is_prolonged_and_said_on_log_and_rules(project_root, watch):
    page = visit(project_root, "Silences")
    for length, why in (("4 h", "deploy"), ("1 h", "")):
        page.selectbox(key="silence_for").select(length)
        page.text_input(key="silence_why").input(why)
        page.button(key="FormSubmitter:silence-Silence").click().run()
    (silence,) = watch.store.silences()
    assert (silence.rule, silence.y, silence.x, silence.why) == (None, None, None, "deploy")
    assert "Every rule, every pair: 4.0 h left" in text_of(page)
    silences.begin(watch.store, Silence(0, silence.until_us + 1, rule="wide"), START_US)
    for view in ("Log", "Rules"):
        found = shown(visit(project_root, view))
        assert "Silenced: rule wide, every pair, until 20" in found
        assert "; every rule, every pair, until 20" in found


def test_a_silence_that_ran_out_is_not_listed(project_root, watch):
    watch.store.add_silence(Silence(0, START_US))
    assert "Nothing is silenced" in text_of(visit(project_root, "Silences"))


def test_a_channel_is_tested_with_the_service_s_own_answer(project_root, watch):
    page = visit(project_root, "Channels")
    assert "secrets" in shown(page)
    watch.answer = "404: no such hook <b>"
    click(page, "channel_test")
    assert "Test of desk: desk (404: no such hook" in said(page)


def test_the_heartbeat_is_told_of(project_root, watch, monkeypatch):
    assert "Heartbeat: not set up" in shown(visit(project_root, "Channels"))
    failing = HeartbeatStanding("secrets", "failing: it is tried again", START_US, 2, "HTTP 500")
    monkeypatch.setattr(ToldWatch, "heartbeat", lambda _: failing)
    assert (
        "Heartbeat (address from secrets): failing: it is tried again, last taken"
        " 2025-07-31 22:13:20 UTC; 2 failures in a row, HTTP 500."
    ) in shown(visit(project_root, "Channels"))


def test_without_a_channel_the_page_says_how_to_set_one_up(project_root, watch, monkeypatch):
    monkeypatch.setattr(ToldWatch, "channels", lambda _: ())
    page = visit(project_root, "Channels")
    assert "No channel is set up" in said(page)
    assert "PAIRDESK_CHANNEL_" in shown(page)


def test_without_a_watch_there_is_a_notice(project_root, database):
    assert "Nothing is watched here" in said(visit(project_root, "Log"))


def test_the_address_knows_the_views():
    assert PAGE_CHOICES["alerts_view"].options == body.VIEWS


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (MarketScanStatus(is_asked=True), "none yet; one follows each closed minute."),
        (MarketScanStatus(is_asked=True, error="needs 23 bars"), "market: needs 23 bars."),
        (
            MarketScanStatus(True, 1_700_000_040_000_000, 400, 79_800, 1, 0.94, 1.41),
            "400 symbols, 79,800 pairs tried, 1 found; it took 0.9 s, 1.4 s of processor time.",
        ),
    ],
    ids=["none yet", "failed", "scanned"],
)
def test_the_latest_scan_of_the_market_is_said(status: MarketScanStatus, said: str) -> None:
    assert rules.scan_words(status).endswith(said)
