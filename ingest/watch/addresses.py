"""Where each channel goes: an address by its name, kept in memory and shown to nobody.

A channel is named in the watch file of this process, in section ``[channels]`` of Streamlit's
secrets file, or in the environment as ``PAIRDESK_CHANNEL_<NAME>``; the first of these wins.
"""

import os
import re
import threading
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.watch.sending import kind_of_address

PREFIX: Final = "PAIRDESK_CHANNEL_"
HEARTBEAT: Final = "PAIRDESK_HEARTBEAT_URL"
_EVERY: Final = "PAIRDESK_HEARTBEAT_MINUTES"
_EVERY_S: Final = 60.0
_LEAST_MINUTES: Final = 0.1
_MOST_MINUTES: Final = 1440.0
_SECTION: Final = "channels"
_FILE: Final = Path(".streamlit", "secrets.toml")
_IN_FILE: Final = "secrets file"
_NOT_IN_NAMES: Final = re.compile(r"[^A-Z0-9]")

Kept = tuple[int, int]  # time of change and size of a file


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """An address with where it stands. It has no `repr`: that may end in a log."""

    url: str
    source: str


class Secrets:
    """Streamlit's secrets file, of the home folder and of the working folder, read as it changes.

    A section of the second replaces that of the first, as Streamlit has it. Any thread.
    """

    def __init__(self, paths: Sequence[Path] | None = None) -> None:
        self._paths = (Path.home() / _FILE, Path.cwd() / _FILE) if paths is None else paths
        self._lock = threading.Lock()
        self._seen: tuple[Kept | None, ...] | None = None
        self._sections: dict[str, object] = {}
        self._problem = ""

    def section(self, name: str) -> Mapping[str, object]:
        """Return a section; empty without one."""
        with self._lock:
            self._read_changed()
            section = self._sections.get(name)
        return section if isinstance(section, dict) else {}

    def problem(self) -> str:
        """Why a file cannot be read, without a word of what it holds; "" where all can."""
        with self._lock:
            self._read_changed()
            return self._problem

    def _read_changed(self) -> None:
        seen = tuple(map(_kept, self._paths))
        if seen == self._seen:
            return
        self._sections, self._problem = {}, ""
        for path, kept in zip(self._paths, seen, strict=True):
            if kept is not None:
                self._read(path)
        self._seen = seen

    def _read(self, path: Path) -> None:
        try:
            self._sections |= tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:  # whose words may show what stands in it
            why = "is not TOML" if isinstance(error, ValueError) else "cannot be read"
            self._problem = f"the secrets file {path} {why}: its channels have no address"


class Addresses:
    """Names of channels with their addresses. Any thread.

    Parameters
    ----------
    watch_file
        Addresses of this process's watch file, by name: kept in memory only.
    secrets
        The secrets file; None for Streamlit's.
    environment
        None for that of the process.
    """

    def __init__(
        self,
        watch_file: Mapping[str, str] | None = None,
        secrets: Secrets | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._watch_file = _texts(watch_file or {})
        self._secrets = Secrets() if secrets is None else secrets
        self._environment = os.environ if environment is None else environment

    def take_up(self, channels: Mapping[str, str]) -> None:
        """Take the addresses of a watch file besides: name to address."""
        self._watch_file = self._watch_file | _texts(channels)

    def names(self) -> tuple[str, ...]:
        """Names that have an address; one of the environment in lower case."""
        names = list(dict.fromkeys((*self._watch_file, *self._in_file())))
        known = set(map(_variable, names))
        return (*names, *(name.lower() for name in self._in_environment() if name not in known))

    def address_of(self, name: str) -> Address | None:
        """Return where a channel goes; None without an address."""
        if url := self._watch_file.get(name):
            return Address(url, "watch file")
        if url := self._in_file().get(name):
            return Address(url, _IN_FILE)
        variable = _variable(name)
        if url := self._in_environment().get(variable):
            return Address(url, f"environment {PREFIX}{variable}")
        return None

    def source_of(self, name: str) -> str:
        """Say where the address of a channel stands; "" without one."""
        address = self.address_of(name)
        return "" if address is None else address.source

    def kind_of(self, name: str) -> str:
        """Say what kind of service a channel is; "" without an address."""
        address = self.address_of(name)
        return "" if address is None else kind_of_address(address.url)

    def heartbeat(self) -> Address | None:
        """Return where the heartbeat goes; None without an address."""
        if url := self._environment.get(HEARTBEAT):
            return Address(url, f"environment {HEARTBEAT}")
        url = _texts(self._secrets.section("pairdesk")).get("heartbeat_url")
        return Address(url, _IN_FILE) if url else None

    def heartbeat_every_s(self) -> float:
        """Seconds between two heartbeats: a minute, where nothing else is said."""
        said: object = self._environment.get(_EVERY)
        if said is None:
            said = self._secrets.section("pairdesk").get("heartbeat_minutes")
        try:
            minutes = float(str(said))
        except ValueError:
            return _EVERY_S
        return 60.0 * minutes if _LEAST_MINUTES <= minutes <= _MOST_MINUTES else _EVERY_S

    def problem(self) -> str:
        """Why addresses are missing that should be there; "" where none is."""
        return self._secrets.problem()

    def _in_file(self) -> dict[str, str]:
        return _texts(self._secrets.section(_SECTION))

    def _in_environment(self) -> dict[str, str]:
        """Addresses by what follows the prefix."""
        return {
            name.removeprefix(PREFIX): url
            for name, url in self._environment.items()
            if url and len(name) > len(PREFIX) and name.startswith(PREFIX)
        }


def _variable(name: str) -> str:
    """Name a channel as the environment does: "my desk" is MY_DESK."""
    return _NOT_IN_NAMES.sub("_", name.upper())


def _texts(section: Mapping[str, object]) -> dict[str, str]:
    return {name: url for name, url in section.items() if isinstance(url, str) and url}


def _kept(path: Path) -> Kept | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
