"""Who may import whom: one table, checked over the code and against the READMEs of the rooms.

A row is a wing (a folder) or a single module; the nearest row holds. Everything it does not name
is refused, at any depth: first-party wings, third-party packages, and modules of the standard
library beyond the plain ones. A dotted name allows what lies below it and nothing beside it.
"""

from dataclasses import dataclass

# Values and text: no file, no clock, no thread, no socket, no other process. And the log, whose
# handler has one place.
PLAIN = frozenset(
    str.split(
        "abc bisect collections contextlib copy dataclasses datetime decimal difflib enum "
        "fractions functools hashlib heapq html itertools json logging math numbers operator "
        "random re reprlib statistics string struct textwrap types typing unicodedata warnings"
    )
)


@dataclass(frozen=True)
class Wall:
    """What one wing may import, beside itself and `PLAIN`.

    Attributes
    ----------
    first
        Wings of ours. ``ingest`` is the modules at that room's root, not its wings.
    third
        Packages from elsewhere.
    effects
        Modules of the standard library that touch the world.
    """

    first: frozenset[str]
    third: frozenset[str]
    effects: frozenset[str]


def wall(first: str = "", third: str = "", effects: str = "") -> Wall:
    return Wall(*(frozenset(each.split()) for each in (first, third, effects)))


NUMBERS = "numpy pandas"
# What pages know of the other rooms: results and readers, no kernels and no connection.
DATA = (
    "analytics analytics.backtest analytics.baskets analytics.evidence analytics.hedge "
    "analytics.pair analytics.research analytics.scanner analytics.stationarity analytics.alerts "
    "ingest ingest.binance ingest.files ingest.history ingest.recorder ingest.repair ingest.replay "
    "ingest.research ingest.store ingest.watch"
)
# In their order: each may import those before it.
UI = (
    "pages.charts pages.ui pages.ui.state pages.ui.parts pages.ui.chart pages.ui.methods "
    "pages.ui.desk"
)

WALLS = {
    "app": wall(
        "ingest ingest.history ingest.recorder ingest.replay "
        "ingest.store ingest.watch pages.ui pages.ui.server",
        "starlette streamlit",
        "asyncio ctypes gc os pathlib platform signal socket sys webbrowser",
    ),
    # Numbers only: no clock, no file, no Streamlit.
    "analytics": wall("analytics.kernels", NUMBERS),
    "analytics.warm": wall(
        "analytics analytics.backtest analytics.evidence analytics.hedge analytics.kernels "
        "analytics.pair analytics.scanner analytics.stationarity",
        NUMBERS,
        "importlib",
    ),
    "analytics.kernels": wall("analytics", "numba numpy"),
    "analytics.stationarity": wall(
        "analytics analytics.kernels", f"{NUMBERS} arch scipy statsmodels"
    ),
    "analytics.hedge": wall(
        "analytics analytics.kernels analytics.stationarity", f"{NUMBERS} scipy"
    ),
    "analytics.pair": wall(
        "analytics analytics.hedge analytics.kernels analytics.stationarity", NUMBERS
    ),
    "analytics.alerts": wall("analytics analytics.pair"),
    "analytics.evidence": wall(
        "analytics analytics.hedge analytics.kernels analytics.pair analytics.stationarity",
        f"{NUMBERS} scipy statsmodels",
    ),
    "analytics.scanner": wall(
        "analytics analytics.kernels analytics.stationarity",
        f"{NUMBERS} scipy",
        "concurrent.futures os threading",
    ),
    "analytics.factors": wall("analytics analytics.scanner", f"{NUMBERS} scipy"),
    "analytics.backtest": wall(
        "analytics analytics.hedge analytics.kernels analytics.pair analytics.stationarity",
        f"{NUMBERS} arch scipy",
        "concurrent.futures os",
    ),
    "analytics.baskets": wall(
        "analytics analytics.backtest analytics.kernels analytics.pair analytics.stationarity",
        f"{NUMBERS} scipy",
    ),
    "analytics.research": wall(
        "analytics analytics.backtest analytics.hedge analytics.kernels analytics.pair "
        "analytics.scanner",
        f"{NUMBERS} scipy",
    ),
    # The vocabulary of ingest. What has a thread, a clock or the user's options has a row.
    "ingest": wall("", "msgspec", "email.utils http.HTTPStatus ipaddress urllib.parse"),
    "ingest.clock": wall("", "", "time"),
    "ingest.event_queue": wall("ingest ingest.store", "", "threading time"),
    "ingest.installation": wall("", "", "os pathlib runpy sys"),
    "ingest.log": wall("", "", "threading time"),
    "ingest.option_values": wall("ingest", "", "pathlib"),
    "ingest.settings": wall("ingest ingest.binance", "", "argparse os pathlib sys"),
    "ingest.universe": wall("ingest ingest.binance", "msgspec"),
    # Pure: no socket, no clock, no state.
    "ingest.binance": wall("ingest", "msgspec", "urllib.parse"),
    "ingest.feed": wall("ingest ingest.binance", "websockets", "asyncio urllib.parse"),
    "ingest.rest": wall(
        "ingest ingest.binance",
        "httpx msgspec",
        "asyncio os ssl urllib.parse urllib.request zlib",
    ),
    "ingest.store": wall(
        "ingest ingest.binance",
        f"{NUMBERS} filelock msgspec pyarrow",
        "asyncio calendar concurrent.futures ctypes os pathlib platform shutil sqlite3 subprocess "
        "threading time weakref",
    ),
    "ingest.files": wall(
        "ingest ingest.binance",
        f"{NUMBERS} msgspec numba",
        "csv ctypes gzip io lzma os pathlib platform threading time zipfile zlib",
    ),
    "ingest.history": wall(
        "ingest ingest.binance ingest.files ingest.rest ingest.store ingest.store.lake",
        f"{NUMBERS} msgspec numba",
        "asyncio calendar concurrent.futures csv hashlib os pathlib shlex shutil signal sqlite3 "
        "sys threading time zipfile zlib",
    ),
    "ingest.repair": wall(
        "ingest ingest.binance ingest.feed ingest.rest ingest.store", "", "asyncio pathlib"
    ),
    "ingest.recorder": wall(
        "ingest ingest.binance ingest.feed ingest.history ingest.repair ingest.rest ingest.store",
        "msgspec",
        "asyncio concurrent.futures pathlib sqlite3 sys threading time",
    ),
    "ingest.replay": wall(
        "ingest ingest.feed ingest.files ingest.recorder ingest.repair ingest.store",
        NUMBERS,
        "pathlib sys threading time",
    ),
    # Jobs over the statistics: tasks in threads or on a Dask cluster, what they come to on disk.
    "ingest.research": wall(
        "analytics analytics.research ingest ingest.store",
        f"{NUMBERS} distributed filelock fsspec orjson",
        "concurrent.futures importlib.metadata os pathlib platform queue shutil threading zipfile",
    ),
    # The background side: beside research it alone of ingest knows the statistics.
    "ingest.watch": wall(
        "analytics analytics.alerts analytics.baskets analytics.pair analytics.scanner "
        "analytics.stationarity ingest ingest.binance ingest.recorder ingest.store",
        f"apprise filelock httpx msgspec {NUMBERS}",
        "asyncio concurrent.futures errno http os pathlib secrets smtplib socket sqlite3 ssl sys "
        "threading time tomllib urllib.parse urllib.request zlib",
    ),
    # Results in, a figure out.
    "pages.charts": wall("", "numpy orjson plotly"),
    "pages.ui": wall("", "streamlit", "asyncio pathlib socket threading"),
    "pages.ui.state": wall(
        f"{DATA} pages.ui",
        f"{NUMBERS} streamlit",
        "os pathlib secrets shutil tempfile threading weakref zoneinfo",
    ),
    "pages.ui.parts": wall(
        f"{DATA} pages.charts pages.ui pages.ui.state",
        f"{NUMBERS} markupsafe orjson plotly streamlit",
        "pathlib time urllib.parse",
    ),
    "pages.ui.chart": wall(
        "pages.charts pages.ui pages.ui.parts pages.ui.state",
        "orjson plotly starlette streamlit",
        "gzip pathlib secrets threading weakref",
    ),
    "pages.ui.methods": wall("pages.ui pages.ui.parts pages.ui.state"),
    "pages.ui.desk": wall(
        f"{DATA} {UI}",
        f"{NUMBERS} starlette streamlit",
        "io pathlib secrets threading time urllib.parse",
    ),
    **{
        f"pages.ui.{page}": wall(
            f"{DATA} {UI}",
            f"{NUMBERS} orjson plotly streamlit",
            "csv io pathlib time weakref",
        )
        for page in ("live", "evidence", "scanner", "backtest", "feed")
    },
    "pages.ui.research": wall(f"{DATA} {UI}", "pandas streamlit", "pathlib"),
    "pages.ui.baskets": wall(f"{DATA} {UI}", f"{NUMBERS} plotly streamlit", "pathlib time"),
    "pages.ui.alerts": wall(f"{DATA} {UI}", f"{NUMBERS} plotly streamlit", "time"),
    "pages.ui.watch": wall(f"{DATA} {UI}", f"{NUMBERS} streamlit", "csv io pathlib"),
    "pages.ui.factors": wall(
        f"{DATA} analytics.factors {UI}", f"{NUMBERS} streamlit", "pathlib time"
    ),
    "pages.ui.data": wall(
        f"{DATA} ingest.history ingest.store.lake {UI}",
        f"{NUMBERS} plotly streamlit streamlit_autorefresh",
        "calendar csv io ipaddress pathlib zipfile",
    ),
    "pages.ui.server": wall(
        f"{DATA} analytics.warm {UI}",
        "starlette streamlit",
        "asyncio base64 gc hmac http importlib ipaddress os pathlib subprocess sys threading "
        "time urllib.parse",
    ),
    "pages": wall(
        f"{DATA} {UI} pages.ui.live pages.ui.evidence pages.ui.scanner pages.ui.backtest "
        "pages.ui.baskets pages.ui.factors pages.ui.feed pages.ui.research pages.ui.data "
        "pages.ui.watch pages.ui.alerts pages.ui.server",
        "streamlit streamlit_autorefresh",
        "pathlib",
    ),
}
