"""Tasks on a Dask cluster: a scheduler that hands them out, workers that may come and go.

Queue, hand-over, and doing again what a killed worker had are Dask's. Here: what a task takes with
it, what a worker must be, and the words where a cluster fails.
"""

import logging
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from analytics.frames import FloatArray
from analytics.research import Closes, Grid, ResearchSpec, Task, TaskResult, digest_of, run_task
from ingest.research.coming import Check, as_they_come
from ingest.research.saved import ResearchError, SavedResearch, closes_file
from ingest.version import VERSION

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S: Final = 10
WORKERS_S: Final = 30
# What the numbers depend on; of Python the first two places.
_PACKAGES: Final = ("numpy", "pandas", "scipy", "numba", "statsmodels", "arch")
# Of these a cluster's parts talk to each other.
_TALKING: Final = ("dask", "distributed")


class VersionsDifferError(ResearchError):
    """A worker has other versions than the desk."""


@dataclass(frozen=True, slots=True)
class OnCluster:
    """Does tasks on a cluster.

    Attributes
    ----------
    address
        Of the scheduler: ``tcp://host:8786``.
    folder
        A folder or fsspec URL that desk and workers share, for the closes; "" sends them through
        the scheduler, once a symbol.
    """

    address: str
    folder: str = ""
    connect_s: float = CONNECT_S
    workers_s: float = WORKERS_S

    @property
    def words(self) -> str:
        """Where the work is done."""
        return f"on the cluster at {self.address}"

    def results(
        self, saved: SavedResearch, closes: Closes, pending: Sequence[Task], check: Check
    ) -> Iterator[TaskResult]:
        """Give each task's result as it comes; closing the iterator takes the rest back.

        Raises
        ------
        ResearchError
            No scheduler, no worker, the scheduler gone, versions that differ. What came before is
            kept by whoever took it.
        """
        if self.folder:
            share_closes(self.folder, saved, closes)
        client = self._client()
        futures: list[Future[TaskResult]] = []
        try:
            futures = self._submit(client, saved, closes, pending)
            for future in as_they_come(futures, check):
                yield self._result(future)
        finally:
            with suppress(Exception):  # it may be gone; the reason is on its way already
                client.cancel(futures)
            client.close(timeout=2)

    def _client(self) -> "Client":
        from distributed import Client  # noqa: PLC0415 - a second, only where it is asked for

        # It logs a traceback where the connection ends: the words for that are ours.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        try:
            client = Client(self.address, timeout=self.connect_s, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ResearchError(
                f"no Dask scheduler answers at {self.address}: start one (dask scheduler), or "
                "leave --cluster out; what is done is kept"
            ) from error
        try:
            client.wait_for_workers(1, timeout=self.workers_s)
        except TimeoutError as error:
            client.close(timeout=2)
            raise ResearchError(
                f"the scheduler at {self.address} has no worker: start one "
                f"(dask worker {self.address}) in Pairdesk's folder; what is done is kept"
            ) from error
        return client

    def _submit(
        self, client: "Client", saved: SavedResearch, closes: Closes, pending: Sequence[Task]
    ) -> "list[Future[TaskResult]]":
        """Hand all tasks over; a symbol's closes are a task of their own, done again when lost."""
        columns = {
            symbol: client.submit(
                _read_closes, self.folder, digest, key=f"closes-{digest}-{saved.key}"
            )
            if self.folder
            else client.submit(_given, closes.by_symbol[symbol], key=f"closes-{digest}-{saved.key}")
            for symbol, digest in saved.digests.items()
        }
        wanted = versions()
        return [
            client.submit(
                _work, task, saved.spec, saved.grid, symbols,
                [columns[symbol] for symbol in symbols], wanted,
                key=f"research-{saved.key}-{task.number}", priority=-task.number,
            )
            for task in pending
            for symbols in [task.symbols(saved.spec)]
        ]  # fmt: skip

    def _result(self, future: "Future[TaskResult]") -> TaskResult:
        from distributed import CancelledError, KilledWorker  # noqa: PLC0415 - as above

        try:
            return future.result()
        except CancelledError as error:
            raise ResearchError(
                f"the scheduler at {self.address} is gone; what is done is kept: start it and "
                "resume, or resume without --cluster"
            ) from error
        except KilledWorker as error:
            raise ResearchError(
                f"several workers of {self.address} died at the same task: have they memory "
                "enough? What is done is kept"
            ) from error
        except ModuleNotFoundError as error:
            raise ResearchError(
                f"a worker of {self.address} has no {error.name}: start it in Pairdesk's folder, "
                "with its requirements installed; what is done is kept"
            ) from error


def versions() -> dict[str, str]:
    """Return what a task's numbers depend on, as it is installed here."""
    found = {"Pairdesk": VERSION, "Python": ".".join(platform.python_version_tuple()[:2])}
    for name in (*_PACKAGES, *_TALKING):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not there"
    return found


def check_versions(wanted: dict[str, str], here: dict[str, str], where: str) -> None:
    """Compare what a worker has with what the desk has.

    Raises
    ------
    VersionsDifferError
        Each difference named.
    """
    differ = [
        f"{name} {here.get(name, 'not there')} where the desk has {each}"
        for name, each in wanted.items()
        if here.get(name) != each
    ]
    if differ:
        raise VersionsDifferError(
            f"the worker {where} has {', '.join(differ)}: install the same on both; what is done "
            "is kept"
        )


def share_closes(folder: str, saved: SavedResearch, closes: Closes) -> None:
    """Put the closes where the workers read them, named by their content.

    Raises
    ------
    ResearchError
        A folder or store that cannot be written.
    """
    import fsspec  # noqa: PLC0415 - only with a cluster

    try:
        fs, root = fsspec.core.url_to_fs(folder)
        fs.makedirs(root, exist_ok=True)
        for symbol, digest in saved.digests.items():
            path = f"{root}/{closes_file(digest)}"
            if not fs.exists(path):
                beside = f"{root}/.{closes_file(digest)}.part"
                with fs.open(beside, "wb") as file:
                    np.save(file, closes.by_symbol[symbol])
                fs.mv(beside, path)
    except (OSError, ValueError, ImportError) as error:
        raise ResearchError(f"cannot write closes to {folder}: {error}") from error


def _given(values: FloatArray) -> FloatArray:
    """Take closes that came with the task."""
    return values


def _read_closes(folder: str, digest: str) -> FloatArray:
    """Read a column from the shared folder, on a worker."""
    import fsspec  # noqa: PLC0415 - only with a cluster

    try:
        with fsspec.open(f"{folder.rstrip('/')}/{closes_file(digest)}", "rb") as file:
            values: FloatArray = np.load(cast("Any", file), allow_pickle=False)
    except (OSError, ValueError, ImportError) as error:
        raise ResearchError(f"a worker cannot read closes in {folder}: {error}") from error
    if digest_of(values) != digest:
        raise ResearchError(f"a worker reads other closes in {folder} than the desk wrote")
    return values


def _work(
    task: Task,
    spec: ResearchSpec,
    grid: Grid,
    symbols: tuple[str, ...],
    columns: list[FloatArray],
    wanted: dict[str, str],
) -> TaskResult:
    """Do a task, on a worker."""
    check_versions(wanted, versions(), platform.node())
    closes = Closes(grid, dict(zip(symbols, columns, strict=True)))
    return run_task(task, spec, closes)
