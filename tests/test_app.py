"""The whole program from outside: it starts, answers, refuses with one line, and ends with 0."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from exchange.server import ThreadedExchange

from ingest.store import TickReader, TickWriter
from ingest.version import VERSION
from pages.ui import streamlit_private

POSIX = os.name == "posix"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(root: Path, *words: object, streamlit: bool = False) -> list[str]:
    options = [str(word) for word in words]
    if not streamlit:
        return [sys.executable, str(root / "app.py"), "--no-browser", *options]
    port = options[options.index("--port") + 1]
    start = [sys.executable, "-m", "streamlit", "run", str(root / "app.py")]
    return [*start, f"--server.port={port}", "--", "--no-browser", *options]


def wait_for_page(process: subprocess.Popen[str], port: int, path: str = "") -> str:
    end_s = time.monotonic() + 30
    while time.monotonic() < end_s:
        assert process.poll() is None, process.communicate()[1]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.05)  # the process gives no event before it answers
    raise AssertionError("the app did not answer within 30 s")


@pytest.mark.parametrize("streamlit", [False, True], ids=["python app.py", "streamlit run"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.skipif(not POSIX, reason="signals to another process are POSIX")
def test_it_records_before_any_browser_and_ends_with_0(project_root, tmp_path, streamlit, number):
    port, db = free_port(), tmp_path / "ticks.db"
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        words = ["--port", port, "--db", db, "--ws-url", exchange.ws_url]
        words += ["--rest-url", exchange.rest_url]
        process = subprocess.Popen(
            command(project_root, *words, streamlit=streamlit),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        try:
            exchange.wait_for_subscribers(1, timeout_s=30)
            for n in range(50):
                exchange.push("BTCUSDT", 100 + n, 1)
            assert "streamlit" in wait_for_page(process, port).lower()
            started_s = time.monotonic()
            process.send_signal(number)
            out, errors = process.communicate(timeout=15)
            took_s = time.monotonic() - started_s
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert took_s < 5
    assert "Traceback" not in out + errors
    assert f"http://127.0.0.1:{port}" in out + errors
    with TickReader(db) as reader:
        assert len(reader.ticks("BTCUSDT")) == 50


@pytest.mark.skipif(not POSIX, reason="the browser here is a shell script")
def test_it_opens_the_browser_once_the_page_answers(project_root, tmp_path) -> None:
    port, opened, browser = free_port(), tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    words = ["--port", str(port), "--no-ingest", "--db", str(tmp_path / "ticks.db")]
    process = subprocess.Popen(
        [sys.executable, str(project_root / "app.py"), *words],
        env=os.environ | {"BROWSER": f"{browser} %s"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_page(process, port)
        end_s = time.monotonic() + 20
        while not (opened.exists() and opened.read_text()) and time.monotonic() < end_s:
            time.sleep(0.05)  # another process writes it
        assert opened.read_text().strip() == f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=15)
    assert process.returncode == 0


def test_a_second_recorder_on_the_same_database_is_refused(project_root, tmp_path) -> None:
    port, db = free_port(), tmp_path / "ticks.db"
    dead_end = ["--ws-url", "ws://127.0.0.1:9", "--rest-url", "http://127.0.0.1:9"]
    first = subprocess.Popen(
        command(project_root, "--port", port, "--db", db, *dead_end),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_page(first, port)
        second = run(command(project_root, "--port", free_port(), "--db", db))
        assert (second.returncode, second.stderr.count("\n")) == (2, 1)
        assert "another recorder" in second.stderr
        taken = run(command(project_root, "--port", port, "--db", tmp_path / "other.db"))
        assert (taken.returncode, taken.stderr.count("\n")) == (2, 1)
        assert "choose another --port" in taken.stderr
    finally:
        first.terminate()
        first.communicate(timeout=15)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--market", "forex"], "--market"),
        (["--symbols", "BTC+USDT"], "--symbols"),
        (["--db", "{file}/x.db"], "x.db"),
        (["--db", "{file}"], "not a database"),
        (["--watch", "{file}"], "file"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(project_root, tmp_path, words, said) -> None:
    file = tmp_path / "file"
    file.write_text("neither a folder nor a database, and long enough to be read as one " * 20)
    filled = [word.format(file=file) for word in words]
    found = run(command(project_root, "--port", free_port(), *filled))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1, found.stderr
    assert said in found.stderr
    assert found.stderr.startswith("pairdesk: ")


def test_the_backup_option_writes_a_copy_and_ends(project_root, tmp_path) -> None:
    db, copy = tmp_path / "ticks.db", tmp_path / "copy.db"
    TickWriter(db).close()
    found = run(command(project_root, "--db", db, "--backup", copy))
    assert (found.returncode, found.stderr) == (0, f"pairdesk: the copy is {copy}\n")
    with TickReader(copy) as reader:
        assert reader.symbols() == []
    again = run(command(project_root, "--db", db, "--backup", copy))
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "never overwrites" in again.stderr


@pytest.mark.parametrize("streamlit", [False, True], ids=["python app.py", "streamlit run"])
def test_the_terminal_has_one_line_and_names_a_few_symbols(project_root, tmp_path, streamlit):
    port, db = free_port(), tmp_path / "ticks.db"
    symbols = [f"COIN{n}USDT" for n in range(20)]
    words = ["--port", port, "--db", db, "--symbols", ",".join(symbols)]
    dead_end = ["--ws-url", "ws://127.0.0.1:9", "--rest-url", "http://127.0.0.1:9"]
    process = subprocess.Popen(
        command(project_root, *words, *dead_end, streamlit=streamlit),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        wait_for_page(process, port)
        assert process.stderr is not None
        line = process.stderr.readline()
        process.terminate()
        out, errors = process.communicate(timeout=15)
    finally:
        process.kill()
    assert line.startswith(f"pairdesk: http://127.0.0.1:{port} is up, recording COIN0USDT, ")
    assert f"{symbols[4]} and 15 more (spot) into {db}" in line
    assert (out, errors) == ("", "")


def test_the_version_is_that_of_the_one_place(project_root) -> None:
    found = run(command(project_root, "--version"))
    assert (found.returncode, found.stdout) == (0, f"Pairdesk {VERSION}\n")


def test_help_explains_every_option(project_root) -> None:
    found = run(command(project_root, "--help"))
    assert found.returncode == 0
    for option in (
        *("--symbols", "--market", "--stream", "--db", "--host", "--port"),
        *("--no-browser", "--no-ingest", "--ws-url", "--rest-url"),
    ):
        assert option in found.stdout


def test_the_private_names_of_streamlit_are_still_there() -> None:
    """When this fails, a new Streamlit has moved them: see pages/ui/streamlit_private.py."""
    from streamlit import config
    from streamlit.runtime import app_session
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.runtime.runtime import Runtime
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
    from streamlit.runtime.state.query_params import QueryParams
    from streamlit.web import bootstrap
    from streamlit.web.server.starlette import starlette_server, starlette_websocket

    assert hasattr(config, "_main_script_path")
    assert callable(bootstrap.load_config_options)
    assert hasattr(PagesManager, "uses_pages_directory")
    assert hasattr(starlette_server, "_bind_socket")
    assert hasattr(app_session.AppSession, "_call_soon_on_event_loop")
    assert hasattr(app_session, "_populate_theme_msg")
    assert hasattr(Runtime, "_enqueued_some_message")
    assert callable(get_script_run_ctx)
    assert callable(starlette_websocket._get_signed_cookie_with_chunks)
    cookie = starlette_websocket.USER_COOKIE_NAME  # type: ignore[attr-defined] # imported there
    assert cookie == "_streamlit_user"
    assert "<script>" in streamlit_private.shell_page()
    for name in (
        *("remove_param", "discard_param_no_forward_msg"),
        *("set_with_no_forward_msg", "_send_query_param_msg"),
    ):
        assert hasattr(QueryParams, name)
    assert ScriptRunContext.is_history_navigation is False
    assert ScriptRequests()._state.name == "CONTINUE"
    assert ScriptRequests()._rerun_data.widget_states is None
    streamlit_private.ignore_pages_folder()
    assert PagesManager.uses_pages_directory is False


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_no_component_is_registered_before_the_server_is_made(project_root) -> None:
    """Streamlit keeps it nowhere then, and only some versions make up for that in a page."""
    refuse = "import streamlit as st; st.components.v2.component = None; import app"
    done = subprocess.run(
        [sys.executable, "-c", refuse], cwd=project_root, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
