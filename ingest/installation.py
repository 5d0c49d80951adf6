"""Where the program lies, where its data, and how it is started: in a checkout, and installed."""

import os
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PROGRAM: Final = Path(__file__).resolve().parent.parent
SAMPLE_NAME: Final = "sample_ticks.ndjson.gz"


def data_folder(
    program: Path = PROGRAM,
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Path:
    """Give ``data/`` beside ``app.py`` in a checkout, else the user's own data folder.

    A checkout has its requirements; what `pip install` made has not, and an upgrade may delete what
    lies there. A user without a home keeps it where he starts the program. The folder need not
    exist yet.
    """
    is_checkout = (program / "requirements.txt").is_file()
    return program / "data" if is_checkout else _of_user(environ, platform)


def _of_user(environ: Mapping[str, str], platform: str) -> Path:
    """Follow the platform's custom: XDG's base directories, Application Support, LOCALAPPDATA."""
    home = _home()
    if platform == "win32":
        parent = environ.get("LOCALAPPDATA", "") or _below(home, "AppData", "Local")
        return Path(parent, "Pairdesk")
    if platform == "darwin":
        return _below(home, "Library", "Application Support") / "Pairdesk"
    parent = environ.get("XDG_DATA_HOME", "")
    if not Path(parent).is_absolute():  # as XDG has it: a relative one is to be ignored
        parent = _below(home, ".local", "share")
    return Path(parent, "pairdesk")


def _home() -> Path | None:
    """Give the user's home; None where he has none, as a container's nameless user."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _below(home: Path | None, *names: str) -> Path:
    return Path.cwd() if home is None else home.joinpath(*names)


def tick_file(name: str, folder: Path) -> Path:
    """Give a tick file of the data folder by its name; the sample may come with the program."""
    path, bundled = folder / name, PROGRAM / SAMPLE_NAME
    return bundled if name == SAMPLE_NAME and not path.is_file() and bundled.is_file() else path


def shown(path: Path) -> str:
    """Write a path as short as it can be understood: from app.py, from home, or whole."""
    for start, prefix in ((PROGRAM, ""), (_home(), "~/")):
        if start is not None and path.is_relative_to(start):
            return prefix + path.relative_to(start).as_posix()
    return str(path)


DATA_FOLDER: Final = data_folder()
COMMAND: Final = "python app.py" if data_folder().parent == PROGRAM else "pairdesk"


def run() -> None:
    """Run app.py as a script is run, its folder first where modules are looked for.

    It is what the `pairdesk` command of an installed Pairdesk calls.
    """
    sys.path.insert(0, str(PROGRAM))
    runpy.run_path(str(PROGRAM / "app.py"), run_name="__main__")


if __name__ == "__main__":
    run()
