"""Saved scans, by name: the table with every digit, and the settings it came from, as JSON."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pandas as pd

from ingest.errors import IngestError
from pages.ui.desk.file_choice import DATA_FOLDER
from pages.ui.scanner.settings import ScanSettings

SCANS_FOLDER: Final = DATA_FOLDER / "scans"
SUFFIX: Final = ".json"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")
_FORMAT: Final = "pairdesk-scan-1"


class ScanFileError(IngestError):
    """A scan that cannot be saved or read, with the reason in a user's words."""


@dataclass(frozen=True, eq=False)
class ScanResult:
    """A scan's table, with what it came from.

    Attributes
    ----------
    source, span
        Where the bars are from, and which.
    """

    table: pd.DataFrame
    settings: ScanSettings
    source: str
    span: str
    is_synthetic: bool = False


def saved_names(folder: Path = SCANS_FOLDER) -> list[str]:
    """Names of the saved scans, in order of the alphabet."""
    if not folder.is_dir():
        return []
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(path.stem))


def save(scan: ScanResult, name: str, folder: Path = SCANS_FOLDER) -> Path:
    """Keep a scan under a name; one of that name is replaced.

    Raises
    ------
    ScanFileError
        A name that is none, or a folder that cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ScanFileError(
            f"{name!r} is no name for a scan: letters, digits, spaces, dots, - and _, at most 60"
        )
    record = {
        "format": _FORMAT,
        "settings": scan.settings.to_json(),
        "source": scan.source,
        "span": scan.span,
        "is_synthetic": scan.is_synthetic,
        "facts": scan.table.attrs,
        "columns": {column: scan.table[column].tolist() for column in scan.table.columns},
    }
    path = folder / f"{name}{SUFFIX}"
    beside = path.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # JSON knows no NaN: null stands for a number that is not there.
        beside.write_bytes(orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY))
        beside.replace(path)
    except OSError as error:
        raise ScanFileError(f"cannot keep the scan as {path.name}: {error.strerror}") from error
    return path


def load(name: str, folder: Path = SCANS_FOLDER) -> ScanResult:
    """Read a scan back, equal to the bit.

    Raises
    ------
    ScanFileError
        No such scan, or a file that is none.
    """
    if name not in saved_names(folder):
        raise ScanFileError(f"no scan is kept as {name!r}")
    try:
        record: dict[str, Any] = orjson.loads((folder / f"{name}{SUFFIX}").read_bytes())
        columns = {key: _with_nan(values) for key, values in record["columns"].items()}
        table = pd.DataFrame(columns)
        table.attrs = record["facts"]
        settings = ScanSettings.from_json(record["settings"])
        return ScanResult(
            table, settings, record["source"], record["span"], bool(record["is_synthetic"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScanFileError(f"{name}{SUFFIX} is no scan that this version can read") from error


def _with_nan(values: list[Any]) -> list[Any]:
    return [math.nan if value is None else value for value in values]
