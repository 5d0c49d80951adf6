"""Files that browsers fetch for themselves: what each session offers, made at the click.

A button of Streamlit's registers its file anew at each run of a fragment, under a place that others
take too: what a browser still shows may be gone. Here a session holds one token for as long as it
lives, and under it the newest maker of each file: a click gets it at any moment, in the midst of a
refresh too.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

FILES_PATH: Final = "/pairdesk/file"


@dataclass(frozen=True)
class MadeFile:
    """A file as it goes out: its name, what it is, its bytes."""

    name: str
    mime: str
    content: bytes


# Makes a file for whoever looks at the page of this address; any thread, outside any session.
MakeFile = Callable[[str], MadeFile]


class FileNotOfferedError(LookupError):
    """The session that offered the file is over, or it offers none of this name."""


class ServedFiles:
    """The files of one session by name; offered and made from several threads."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(18)
        self._lock = threading.Lock()
        self._makers: dict[str, MakeFile] = {}

    def offer(self, name: str, make: MakeFile) -> None:
        """Have clicks on the file of this name answered by `make` from now on."""
        with self._lock:
            self._makers[name] = make

    def make(self, name: str, address: str) -> MadeFile:
        """Make a file as it is at this moment.

        Raises
        ------
        FileNotOfferedError
            None of this name was offered.
        """
        with self._lock:
            make = self._makers.get(name)
        if make is None:
            raise FileNotOfferedError(name)
        return make(address)


# Sessions hold their files; a session that ends takes them along.
_SERVED: WeakValueDictionary[str, ServedFiles] = WeakValueDictionary()


def new_files() -> ServedFiles:
    """Make a session's place for files, found by its token, which cannot be guessed."""
    served = ServedFiles()
    _SERVED[served.token] = served
    return served


def find_files(token: str) -> ServedFiles:
    """Find the files of a session that still lives.

    Raises
    ------
    FileNotOfferedError
        It is over.
    """
    served = _SERVED.get(token)
    if served is None:
        raise FileNotOfferedError(token)
    return served
