"""A dump as blocks of whole lines: its zip or csv, unpacked as it is read, and its checksum."""

import hashlib
import zipfile
import zlib
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple, TypeVar

from ingest.errors import FileError

Item = TypeVar("Item")

_BLOCK_BYTES: Final = 4 << 20
_HASHED_BYTES: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 16


class Block(NamedTuple):
    """Whole lines; how many bytes of text are read with them, and which line is its first."""

    text: bytes
    done: int
    line: int


class DumpText(NamedTuple):
    """An open dump: its text, and how long that is in bytes."""

    file: IO[bytes]
    size: int


@contextmanager
def open_dump(path: Path) -> Iterator[DumpText]:
    """Open a dump, packed or not.

    Raises
    ------
    FileError
        It cannot be read, or the zip holds something else than one csv.
    """
    try:
        if path.suffix == ".csv":
            with path.open("rb") as file:
                yield DumpText(file, path.stat().st_size)
            return
        with zipfile.ZipFile(path) as archive:
            inside = archive.infolist()
            if len(inside) != 1 or not inside[0].filename.endswith(".csv"):
                raise FileError(f"{path.name} must hold one csv file, has {len(inside)} files")
            with archive.open(inside[0]) as file:
                yield DumpText(file, inside[0].file_size)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(f"{path.name} cannot be read ({reason}): fetch it again") from error


def blocks(dump: DumpText) -> Iterator[Block]:
    """Its text in blocks of whole lines, the last line ended too."""
    rest, done, line = b"", 0, 1
    while text := dump.file.read(_BLOCK_BYTES):
        done += len(text)
        cut = text.rfind(b"\n") + 1
        if not cut and len(rest) > _LONGEST_LINE:
            raise FileError(f"line {line} is longer than a dump's can be")
        if cut:
            yield (block := Block(rest + text[:cut], done, line))
            line += block.text.count(b"\n")
            rest = b""
        rest += text[cut:]
    if rest.strip():
        yield Block(rest + b"\n", done, line)


def ahead(items: Iterator[Item], most: int = 3) -> Generator[Item, None, None]:
    """The same items, made in a thread of their own, so many before they are asked for."""
    pool = ThreadPoolExecutor(1)
    try:
        waiting = deque(pool.submit(next, items, None) for _ in range(most))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, items, None))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)


def checksum_of(path: Path) -> tuple[str, bool]:
    """SHA-256 of a file, and whether the ``.CHECKSUM`` file beside it says the same.

    False where there is none.

    Raises
    ------
    FileError
        It says another one, or cannot be read.
    """
    digest = hashlib.sha256()
    beside = path.with_name(f"{path.name}.CHECKSUM")
    try:
        with path.open("rb") as file:
            while piece := file.read(_HASHED_BYTES):
                digest.update(piece)
        said = beside.read_text("ascii").split()[:1] if beside.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path.name} or its .CHECKSUM cannot be read: {error}") from error
    found = digest.hexdigest()
    if said is not None and said != [found]:
        raise FileError(
            f"{path.name} is not what {beside.name} says (SHA-256 {found[:12]}…): fetch it again;"
            " nothing was imported"
        )
    return found, said is not None
