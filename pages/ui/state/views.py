"""Last settings and named views: one small JSON beside the database.

Written whole to a neighbour and renamed, so that a reader never meets half of it. A damaged file is
set aside with a note: nothing of it is worth stopping for.
"""

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pages.ui.state.choices import Value, valid

VERSION: Final = 1
MOST_VIEWS: Final = 100
LONGEST_NAME: Final = 60
_writing = threading.Lock()


@dataclass(frozen=True)
class Saved:
    """What the file holds; `damage` says in a sentence why it holds nothing."""

    last: dict[str, Value] = field(default_factory=dict)
    views: dict[str, dict[str, Value]] = field(default_factory=dict)
    damage: str = ""


class ViewError(ValueError):
    """A view cannot be saved, and why."""


def file_beside(database: Path) -> Path:
    """Name the file of a database."""
    return database.with_name(f"{database.stem}.views.json")


def read(path: Path) -> Saved:
    """Read what is saved; nothing where there is no file, and a note where it is damaged.

    Choices that no longer exist, or values out of range, are left out one by one.
    """
    try:
        document = _checked(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Saved()
    except (OSError, ValueError, RecursionError) as error:
        return Saved(damage=f"Saved settings in {path.name} were ignored: {error}.")
    views = {str(name): valid(view) for name, view in document.get("views", {}).items()}
    return Saved(valid(document.get("last")), views)


def _checked(document: object) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ValueError(f"it is not of version {VERSION}")
    if not isinstance(document.get("views", {}), dict):
        raise ValueError("its views are no names with settings")  # noqa: TRY004 - damaged content
    return document


def remember(path: Path, last: Mapping[str, Value]) -> None:
    """Keep the settings for the next start. Where nothing can be written, nothing is kept."""
    with _writing, suppress(OSError):
        _write(path, Saved(dict(last), _to_change(path).views))


def save(path: Path, name: str, view: Mapping[str, Value]) -> None:
    """Save a view under a name, in place of one of the same name.

    Raises
    ------
    ViewError
        The name is empty or too long, there are too many, or the file cannot be written.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ViewError(f"A view needs a name of 1 to {LONGEST_NAME} characters.")
    with _writing:
        saved = _to_change(path)
        if name not in saved.views and len(saved.views) >= MOST_VIEWS:
            raise ViewError(f"There are {MOST_VIEWS} views already: delete one first.")
        _write_or_say(path, Saved(saved.last, {**saved.views, name: dict(view)}))


def delete(path: Path, name: str) -> None:
    """Forget a view.

    Raises
    ------
    ViewError
        The file cannot be written.
    """
    with _writing:
        saved = _to_change(path)
        views = {each: view for each, view in saved.views.items() if each != name}
        _write_or_say(path, Saved(saved.last, views))


def _to_change(path: Path) -> Saved:
    """Read what is saved; a damaged file is kept under another name, not written over."""
    saved = read(path)
    if saved.damage:
        with suppress(OSError):
            path.replace(path.with_name(f"{path.name}.damaged"))
    return saved


def _write_or_say(path: Path, saved: Saved) -> None:
    try:
        _write(path, saved)
    except OSError as error:
        raise ViewError(f"{path.name} cannot be written: {error.strerror}.") from error


def _write(path: Path, saved: Saved) -> None:
    text = json.dumps(
        {"version": VERSION, "last": saved.last, "views": saved.views}, indent=1, ensure_ascii=False
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
