"""A channel's address: three places to name it, in this order, and none to see it."""

import pytest

from ingest.watch.addresses import Address, Addresses, Secrets

TOML = """
[channels]
desk = "json://file.example/hook"
mail = "mailto://127.0.0.1?from=a@b.com&to=c@d.com"
"two words" = "ntfy://topic"
number = 7

[pairdesk]
heartbeat_url = "https://file.example/ping"
heartbeat_minutes = 2.5
"""


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "home.toml", tmp_path / "here.toml"]
    paths[1].write_text(TOML, "utf-8")
    return paths


def test_the_watch_file_comes_before_the_secrets_and_these_before_the_environment(files):
    environment = {
        "PAIRDESK_CHANNEL_DESK": "json://environment.example",
        "PAIRDESK_CHANNEL_TWO_WORDS": "json://environment.example",
        "PAIRDESK_CHANNEL_PAGER": "json://environment.example",
    }
    known = Addresses({"desk": "json://watch.example"}, Secrets(files), environment)
    assert {name: known.source_of(name) for name in known.names()} == {
        "desk": "watch file",
        "mail": "secrets file",
        "two words": "secrets file",
        "pager": "environment PAIRDESK_CHANNEL_PAGER",
    }
    assert known.address_of("desk") == Address("json://watch.example", "watch file")
    assert known.address_of("two words") == Address("ntfy://topic", "secrets file")


def test_a_name_of_any_spelling_finds_its_variable():
    known = Addresses({}, Secrets([]), {"PAIRDESK_CHANNEL_MY_DESK": "json://x"})
    assert known.source_of("My desk") == "environment PAIRDESK_CHANNEL_MY_DESK"
    assert known.source_of("other") == ""
    assert known.kind_of("other") == ""


def test_empty_and_odd_values_are_no_addresses(files):
    known = Addresses(
        {"a": ""}, Secrets(files), {"PAIRDESK_CHANNEL_B": "", "PAIRDESK_CHANNEL_": "x"}
    )
    assert known.names() == ("desk", "mail", "two words")
    assert known.address_of("number") is None


def test_the_secrets_file_is_read_again_when_it_changes(files):
    known = Addresses({}, Secrets(files), {})
    assert known.address_of("new") is None
    files[1].write_text('[channels]\nnew = "json://new.example"\n', "utf-8")
    assert known.names() == ("new",)
    files[1].unlink()
    assert known.names() == ()


def test_the_file_of_the_working_folder_replaces_sections_of_the_home_folder(files):
    files[0].write_text('[channels]\nold = "json://x"\n[other]\nkey = 1\n', "utf-8")
    secrets = Secrets(files)
    assert "old" not in secrets.section("channels")
    assert secrets.section("other") == {"key": 1}
    assert secrets.section("channels")["desk"] == "json://file.example/hook"


@pytest.mark.parametrize("text", [b'[channels]\ndesk = "MARKER', b"\xff\xfeMARKER"])
def test_a_file_that_cannot_be_read_says_so_without_a_word_of_it(files, text):
    files[1].write_bytes(text)
    known = Addresses({}, Secrets(files), {})
    assert known.names() == ()
    assert known.problem().endswith("is not TOML: its channels have no address")
    assert "MARKER" not in known.problem()
    files[1].write_text(TOML, "utf-8")
    assert known.problem() == ""


def test_a_file_that_cannot_be_opened_says_so(files):
    files[0].mkdir()
    assert "cannot be read" in Addresses({}, Secrets(files), {}).problem()


def test_the_heartbeat_has_its_address_and_its_minutes(files):
    in_file = Addresses({}, Secrets(files), {})
    assert in_file.heartbeat() == Address("https://file.example/ping", "secrets file")
    assert in_file.heartbeat_every_s() == 150.0
    set_here = {"PAIRDESK_HEARTBEAT_URL": "https://x", "PAIRDESK_HEARTBEAT_MINUTES": "5"}
    here = Addresses({}, Secrets(files), set_here)
    assert here.heartbeat() == Address("https://x", "environment PAIRDESK_HEARTBEAT_URL")
    assert here.heartbeat_every_s() == 300.0


@pytest.mark.parametrize("said", ["", "often", "nan", "inf", "0", "-1", "1e9"])
def test_minutes_that_make_no_sense_are_one(said):
    known = Addresses({}, Secrets([]), {"PAIRDESK_HEARTBEAT_MINUTES": said})
    assert known.heartbeat_every_s() == 60.0


def test_an_address_shows_itself_nowhere(files):
    known = Addresses({"desk": "json://MARKER"}, Secrets(files), {})
    shown = f"{known!r} {known.address_of('desk')!r} {known.address_of('desk')}"
    assert "MARKER" not in shown
