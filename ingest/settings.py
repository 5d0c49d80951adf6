"""What the user chose: command line over environment over defaults."""

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeVar, get_args

from ingest.binance import default_rest_url, default_ws_url, parse_symbols
from ingest.errors import IngestError, SettingsError
from ingest.installation import COMMAND, DATA_FOLDER, shown
from ingest.log import LogLevel
from ingest.tick import Market, StreamKind
from ingest.venue import rest_url_of, venue_of
from ingest.version import VERSION

DEFAULT_DB = DATA_FOLDER / "tick_data.db"
REPLAY_DB = DEFAULT_DB.with_name("replay.db")
DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT")

T = TypeVar("T")
Name = TypeVar("Name", bound=str)

_EPILOG = """\
Every option can also be given as an environment variable: PAIRDESK_SYMBOLS, PAIRDESK_DB and so on
(PAIRDESK_NO_BROWSER=1 for a switch); the command line wins. Under Streamlit's own command:
streamlit run app.py -- --symbols BTCUSDT,ETHUSDT"""


# name, what stands for its value in the help, default, help
_OPTIONS = (
    ("symbols", "A,B", "", "symbols to record (default: last run's, at first BTCUSDT,ETHUSDT)"),
    ("market", "NAME", "spot", "spot (default) or usdm, USD-M futures"),
    ("stream", "NAME", "aggTrade", "aggTrade (default) or trade"),
    (
        "db",
        "PATH",
        "",
        f"the SQLite database (default: {shown(DEFAULT_DB)}, of a replay {REPLAY_DB.name} there)",
    ),
    ("host", "ADDRESS", "127.0.0.1", "address to serve (default 127.0.0.1)"),
    ("port", "NUMBER", "8501", "port to serve (default 8501)"),
    ("base-path", "PATH", "", "serve under this path, for a proxy, e.g. desk"),
    ("allow-host", "A,B", "", "names under which a proxy serves it, e.g. desk.example.org"),
    ("ws-url", "URL", "", "another WebSocket endpoint, e.g. wss://stream.binance.us:9443"),
    ("rest-url", "URL", "", "another REST endpoint, e.g. https://api.binance.us"),
    ("venue", "NAME", "", "whose trades that endpoint passes on, if not its host's: binance.com"),
    ("backfill-hours", "H", "6", "fetch what was missed as far back as this (default 6)"),
    ("backfill-requests", "N", "2000", "with at most this many requests a gap (default 2000)"),
    ("keep-days", "N", "", "delete trades older than this (default: keep all)"),
    ("keep-gb", "N", "", "delete the oldest trades beyond this size (default: keep all)"),
    ("replay", "FILE", "", "play a tick file or another Pairdesk database instead of recording"),
    ("speed", "N", "1", "of the replay: market seconds a second, or max (default 1)"),
    ("replay-from", "TIME", "", "play from here, UTC, e.g. 2026-01-31T12:00 (default: all of it)"),
    ("replay-to", "TIME", "", "play up to here"),
    (
        "log-level",
        "NAME",
        "warning",
        "what to log: debug, info, warning (default) or error",
    ),
    ("watch", "FILE", "", "take up lists, channels and rules of alerts from this JSON file"),
    ("cluster", "URL", "", "do research on this Dask scheduler, e.g. tcp://scheduler:8786"),
    ("cluster-folder", "URL", "", "where its workers read closes, e.g. s3://desk/closes"),
    ("backup", "PATH", "", "write a copy of the database, also while it is recorded, and end"),
)
_SWITCHES = (
    ("no-browser", "do not open a browser"),
    ("verify", "compare the stored bars with the stored ticks, say what differs, and end"),
    ("no-ingest", "do not record: only show what the database holds"),
    ("allow-remote", "serve other machines although nobody has to sign in"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of one run. `symbols` is None where the user named none."""

    symbols: tuple[str, ...] | None = None
    market: Market = "spot"
    stream: StreamKind = "aggTrade"
    db: Path = DEFAULT_DB
    host: str = "127.0.0.1"
    port: int = 8501
    browser: bool = True
    ingest: bool = True
    ws_url: str = ""
    rest_url: str = ""
    venue_name: str = ""
    backfill_hours: float = 6.0
    backfill_requests: int = 2000
    keep_days: float | None = None
    keep_gb: float | None = None
    backup: Path | None = None
    verify: bool = False
    replay: Path | None = None
    speed: float = 1.0
    replay_from: datetime | None = None
    replay_to: datetime | None = None
    base_path: str = ""
    allow_remote: bool = False
    allow_hosts: tuple[str, ...] = ()
    log_level: LogLevel = "warning"
    watch: Path | None = None
    cluster: str = ""
    cluster_folder: str = ""

    @property
    def keep_bytes(self) -> int | None:
        """Most bytes of database to keep."""
        return None if self.keep_gb is None else int(self.keep_gb * 1e9)

    @property
    def ws_base(self) -> str:
        """WebSocket endpoint: the one given, or the market's."""
        return (self.ws_url or default_ws_url(self.market)).rstrip("/")

    @property
    def rest_base(self) -> str:
        """REST endpoint: the one given, that of the WebSocket's exchange, or the market's."""
        other = rest_url_of(venue_of(self.ws_base), self.market)
        return (self.rest_url or other or default_rest_url(self.market)).rstrip("/")

    @property
    def venue(self) -> str:
        """The exchange whose trades are recorded: the name given, or that of the endpoint."""
        return self.venue_name or venue_of(self.ws_base)


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line and leaves with status 2."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message} (see --help)")


def parse_settings(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> Settings:
    """Options from a command line, the environment and the defaults.

    Raises
    ------
    SettingsError
        An option is unknown or has a value that cannot be used; one line.
    """
    args = _parser(environ).parse_args(list(argv))
    return Settings(
        symbols=_value("--symbols", parse_symbols, args.symbols) if args.symbols else None,
        market=_choice("--market", args.market, get_args(Market)),
        stream=_choice("--stream", args.stream, get_args(StreamKind)),
        db=_path("--db", args.db) or (REPLAY_DB if args.replay else DEFAULT_DB),
        host=args.host,
        port=_value("--port", _port, args.port),
        browser=not args.no_browser,
        ingest=not args.no_ingest,
        ws_url=_value("--ws-url", _websocket_url, args.ws_url),
        rest_url=_value("--rest-url", _http_url, args.rest_url),
        venue_name=_value("--venue", _venue, args.venue),
        backfill_hours=_value("--backfill-hours", _positive, args.backfill_hours),
        backfill_requests=int(_value("--backfill-requests", _positive, args.backfill_requests)),
        keep_days=_value("--keep-days", _positive, args.keep_days) if args.keep_days else None,
        keep_gb=_value("--keep-gb", _positive, args.keep_gb) if args.keep_gb else None,
        backup=_path("--backup", args.backup),
        verify=args.verify,
        replay=_path("--replay", args.replay),
        speed=_value("--speed", _speed, args.speed),
        replay_from=_value("--replay-from", _time, args.replay_from),
        replay_to=_value("--replay-to", _time, args.replay_to),
        base_path=_value("--base-path", _base_path, args.base_path),
        allow_remote=args.allow_remote,
        allow_hosts=_value("--allow-host", _hosts, args.allow_host),
        log_level=_choice("--log-level", args.log_level.lower(), get_args(LogLevel)),
        watch=_path("--watch", args.watch),
        cluster=_value("--cluster", _cluster, args.cluster),
        cluster_folder=args.cluster_folder,
    )


def _parser(environ: Mapping[str, str]) -> _Parser:
    parser = _Parser(
        prog=COMMAND.removeprefix("python "),
        description="Pairdesk: record Binance trades and watch a pair of symbols.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, metavar, default, words in _OPTIONS:
        value = environ.get(_variable(name), default)
        # A folder's name may hold what argparse takes for a place to put a value in.
        parser.add_argument(
            f"--{name}", metavar=metavar, default=value, help=words.replace("%", "%%")
        )
    parser.add_argument("--version", action="version", version=f"Pairdesk {VERSION}")
    for name, words in _SWITCHES:
        on = environ.get(_variable(name), "").lower() in {"1", "true", "yes", "on"}
        parser.add_argument(f"--{name}", action="store_true", default=on, help=words)
    return parser


def _variable(name: str) -> str:
    """The environment variable of an option."""
    return f"PAIRDESK_{name.upper().replace('-', '_')}"


def _value(option: str, convert: Callable[[str], T], text: str) -> T:
    try:
        return convert(text)
    except (ValueError, IngestError) as error:
        raise SettingsError(f"{option}: {error}") from error


def _path(option: str, text: str) -> Path | None:
    """Give the path, ``~`` written out; None where none was given."""
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:  # there is no such home
        raise SettingsError(f"{option}: {text!r}: {error}") from error


def _choice(option: str, text: str, allowed: tuple[Name, ...]) -> Name:
    for each in allowed:
        if each == text:
            return each
    raise SettingsError(f"{option}: {text!r} is not one of {', '.join(allowed)}")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ValueError(f"{text!r} is not a port: a number from 1 to 65535")
    return int(text)


def _positive(text: str) -> float:
    number = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if number <= 0:
        raise ValueError(f"{text!r} is not a number above 0")
    return number


def _base_path(text: str) -> str:
    path = text.strip("/")
    if path and not all(
        re.fullmatch(r"[\w~-][\w.~-]*", part, re.ASCII) for part in path.split("/")
    ):
        raise ValueError(f"{text!r} is not a path like desk or tools/desk")
    return path


def _hosts(text: str) -> tuple[str, ...]:
    """Read names in the form in which a browser sends them."""
    names = [name.strip().lower().rstrip(".") for name in text.split(",") if name.strip()]
    for name in names:
        if not re.fullmatch(r"[\w.-]+|[0-9a-f:.]+", name):
            raise ValueError(f"{name!r} is not a name like desk.example.org, without port")
    return tuple(name.encode("idna").decode("ascii") for name in names)


def _speed(text: str) -> float:
    return math.inf if text == "max" else _positive(text)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time like 2026-01-31T12:00, UTC") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _venue(text: str) -> str:
    if text and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,62}", text.lower()):
        raise ValueError(f"{text!r} is not a name like binance.com")
    return text.lower()


def _cluster(text: str) -> str:
    if text and not re.fullmatch(
        r"(tcp|tls|ucx|wss?)://[^\s/:]+(:\d+)?|\w+://\[[0-9a-f:]+\]:\d+", text
    ):
        raise ValueError(f"{text!r} is no address of a Dask scheduler like tcp://scheduler:8786")
    return text


def _websocket_url(text: str) -> str:
    return _url(text, ("ws://", "wss://"))


def _http_url(text: str) -> str:
    return _url(text, ("http://", "https://"))


def _url(text: str, schemes: tuple[str, str]) -> str:
    if text and not text.startswith(schemes):
        raise ValueError(f"{text!r} does not begin with {schemes[0]} or {schemes[1]}")
    return text


def say(message: str) -> None:
    """One line on standard error, for the person at the terminal."""
    print(f"pairdesk: {message}", file=sys.stderr, flush=True)


_HOLDER = "_pairdesk_settings"


def current_settings() -> Settings:
    """Return the options this process was started with, or the defaults."""
    settings = sys.__dict__.get(_HOLDER)
    return settings if isinstance(settings, Settings) else Settings()


def install_settings(settings: Settings) -> None:
    """Make these the options that pages see."""
    sys.__dict__[_HOLDER] = settings
