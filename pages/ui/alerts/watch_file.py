"""The watch file on the page: lists, channels by name and rules as JSON, to take along."""

from functools import partial
from typing import Final

import streamlit as st

from ingest.errors import WatchFileError
from ingest.watch import Watch
from ingest.watch.watch_file import WatchFile, parse_watch, take_up, write_watch
from pages.ui.parts import files, formats, notices, plain
from pages.ui.parts.files import Offer
from pages.ui.parts.notices import Notice
from pages.ui.state.served_files import MadeFile

TAKEN: Final = "watch_file_taken"


def show(watch: Watch) -> None:
    """Offer the file of what is watched, and take one up."""
    st.caption(
        "Lists, rules and the names of channels; addresses stay where they are. The app takes the "
        "same file at its start: --watch FILE.json."
    )
    files.show([Offer("Watch file (JSON)", "watch-file", partial(_made, watch))], key="watch_file")
    uploaded = st.file_uploader("Take up a watch file", type="json", key="watch_file_upload")
    if uploaded is None:
        return
    try:
        file = parse_watch(uploaded.getvalue().decode("utf-8-sig"))
    except UnicodeDecodeError:
        notices.show(Notice("The file is not UTF-8 text", "Export one to see its form."))
    except WatchFileError as error:
        notices.show(Notice(notices.sentence(str(error)), "Nothing was taken up."))
    else:
        _offer(watch, file, str(uploaded.file_id))


def _offer(watch: Watch, file: WatchFile, file_id: str) -> None:
    """Say what a file holds, and take it up at a click."""
    if st.session_state.get(TAKEN) == file_id:
        plain.success(f"Taken up: {summary(file)}.")
        return
    plain.info(f"It holds {summary(file)}. What has the same name is replaced.")
    if any(file.channels.values()):
        st.caption(
            "Addresses in it are not kept: name them in the secrets or the environment, or start "
            "the app with the file."
        )
    st.button("Take it up", key="watch_file_take", on_click=_take, args=(watch, file, file_id))


def summary(file: WatchFile) -> str:
    """Count what a file holds."""
    lists = formats.count(len(file.lists), "list")
    pairs = formats.count(sum(len(each.pairs) for each in file.lists), "pair")
    return f"{lists} with {pairs}, {formats.count(len(file.rules), 'rule')}"


def _take(watch: Watch, file: WatchFile, file_id: str) -> None:
    take_up(watch.store, file)
    st.session_state[TAKEN] = file_id


def _made(watch: Watch, _: str) -> MadeFile:
    names = [each.name for each in watch.channels()]
    text = write_watch(watch.store.lists(), watch.store.rules(), names)
    return MadeFile("pairdesk-watch.json", "application/json", text.encode())
