"""The form that takes in files from the desk's own machine: dumps, folders, tick files."""

import ipaddress
from pathlib import Path

import streamlit as st

from ingest.binance import parse_symbols
from ingest.errors import IngestError
from ingest.history import ImportRequest, JobRunner, submit_import
from ingest.settings import Settings, current_settings
from pages.ui.data import words
from pages.ui.parts import plain


def show(root: Path, runner: JobRunner) -> None:
    """Show the form; what it asks for becomes a job."""
    settings = current_settings()
    plain.caption(words.IMPORT)
    if not serves_itself(settings):
        plain.caption(words.NOT_HERE)
    form = st.form("import_history", border=False)
    with form, st.container(horizontal=True, vertical_alignment="bottom"):
        path = st.text_input(
            "File or folder on the desk's machine",
            key="import_path",
            placeholder="data/BTCUSDT-aggTrades-2024-01.zip",
        )
        symbol = st.text_input("Symbol, where the file names none", key="import_symbol", width=240)
        is_asked = st.form_submit_button("Import")
    if is_asked:
        _submit(root, runner, settings, path.strip(), symbol.strip())


def serves_itself(settings: Settings) -> bool:
    """Whether only this machine's own browsers reach the desk."""
    try:
        return ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host == "localhost"


def may_read(path: Path, settings: Settings) -> bool:
    """Whether a reader of the page may have this file read: others only the data folder's."""
    if serves_itself(settings):
        return True
    return path.resolve().is_relative_to(settings.db.resolve().parent)


def _submit(root: Path, runner: JobRunner, settings: Settings, path: str, symbol: str) -> None:
    """Queue the import, or say in a line what does not fit."""
    if not path:
        plain.warning("Name a file or a folder.")
        return
    if not may_read(Path(path), settings):
        plain.warning(words.NOT_HERE)
        return
    try:
        name = parse_symbols(symbol)[0] if symbol else None
        request = ImportRequest((path,), settings.market, settings.stream, name)
        submit_import(runner, root, request)
    except IngestError as error:
        plain.error(f"{error}.")
        return
    st.rerun()
