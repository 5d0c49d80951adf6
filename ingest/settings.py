"""What the user chose: command line over environment over defaults."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn, get_args

from ingest.binance import FINEST_KLINE, default_rest_url, default_ws_url, parse_symbols
from ingest.clock import now_us
from ingest.errors import SettingsError
from ingest.installation import COMMAND, DATA_FOLDER, shown
from ingest.log import LogLevel
from ingest.option_values import (
    base_path_value,
    choice_value,
    cluster_value,
    converted,
    host_names,
    http_url,
    moment_value,
    path_value,
    port_value,
    positive,
    speed_value,
    utc_day,
    venue_value,
    websocket_url,
    whole_days,
)
from ingest.tick import Market, StreamKind
from ingest.universe import UniverseRules, parse_universe
from ingest.venue import rest_url_of, venue_of
from ingest.version import VERSION

DEFAULT_DB = DATA_FOLDER / "tick_data.db"
REPLAY_DB = DEFAULT_DB.with_name("replay.db")
DEFAULT_HISTORY = DATA_FOLDER / "history"
_MOVED_WITHIN_DAYS = 3  # a day moves once it has ended so long ago as --lake-days says
DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT")

MOST_FETCHED = 1000  # symbols; more than any market has with one quote currency
_NAMES_IN_PYTHON = {"from": "first_day", "to": "last_day"}

BarName = Literal["1s", "1m", "5m", "1h"]  # as the exchange names its klines

_EPILOG = """\
Every option can also be given as an environment variable: PAIRDESK_SYMBOLS, PAIRDESK_DB and so on
(PAIRDESK_NO_BROWSER=1 for a switch); the command line wins. Under Streamlit's own command:
streamlit run app.py -- --symbols BTCUSDT,ETHUSDT"""


# name, what stands for its value in the help, default, help
_OPTIONS = (
    ("symbols", "A,B", "", "symbols to record (default: last run's, at first BTCUSDT,ETHUSDT)"),
    (
        "universe",
        "RULE",
        "",
        (
            "follow all symbols of a currency, USDT, or its top by volume, USDT:50, looked up once"
            " an hour; none ends it (default: last run's)"
        ),
    ),
    (
        "universe-depth",
        "NAME",
        "bars",
        "of these record bars as they close (default), or trades: at most 200 symbols",
    ),
    ("universe-bars", "LENGTH", "1m", "how long these bars are: 1m (default), on spot also 1s"),
    ("universe-days", "N", "", "only symbols listed for so many days"),
    ("universe-volume", "N", "", "only symbols with this volume in 24 h, in the quote currency"),
    ("universe-without", "A,B", "", "symbols that are left out"),
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
    (
        "history",
        "DIR",
        "",
        f"the folder of history, in Parquet (default: {shown(DEFAULT_HISTORY)})",
    ),
    ("lake-days", "N", "", "move trades older than this to the history (default: keep them)"),
    ("fetch", "A,B", "", "fetch the history of these symbols from the exchange, and end"),
    ("from", "DAY", "", "first day to fetch, UTC, e.g. 2024-01-01"),
    ("to", "DAY", "", "last day to fetch (default: yesterday)"),
    ("bars", "NAME", "", "fetch bars of this length: 1s, 1m (default), 5m or 1h"),
)
_IMPORT = "take files and folders of trades or bars into the history, and end"
_SWITCHES = (
    ("trades", "fetch trades (aggTrades), from which all bars are made, in place of bars"),
    ("no-browser", "do not open a browser"),
    ("verify", "compare the stored bars with the stored ticks, say what differs, and end"),
    ("no-ingest", "do not record: only show what the database holds"),
    ("universe-pegged", "follow stablecoins and wrapped twins, too, which are left out"),
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
    history: Path = DEFAULT_HISTORY
    lake_days: int | None = None
    imports: tuple[Path, ...] = ()
    fetch: "FetchOptions | None" = None
    universe: UniverseRules | None = None  # None: that of the last run
    no_universe: bool = False  # that of the last run is forgotten
    cluster: str = ""
    cluster_folder: str = ""

    @property
    def read_history(self) -> Path | None:
        """The folder of history that the database is read as one with; None of a replay's."""
        return self.history if self.replay is None else None

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

    @property
    def rest_venue(self) -> str:
        """The exchange that is asked for history: the name given, or that of the endpoint."""
        return self.venue_name or venue_of(self.rest_base)


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What `--fetch` is to bring: days `first` to `last`, UTC; bars, or trades where it is None."""

    symbols: tuple[str, ...]
    first: date
    last: date
    bars: BarName | None = "1m"


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line and leaves with status 2."""

    def error(self, message: str) -> NoReturn:
        """Raise where argparse would print its usage and exit."""
        raise SettingsError(f"{message} (see --help)")


def parse_settings(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> Settings:
    """Options from a command line, the environment and the defaults.

    Raises
    ------
    SettingsError
        An option is unknown or has a value that cannot be used; one line.
    """
    args = _parser(environ).parse_args(list(argv))
    _check_kept(args)
    return Settings(
        symbols=converted("--symbols", parse_symbols, args.symbols) if args.symbols else None,
        market=choice_value("--market", args.market, get_args(Market)),
        stream=choice_value("--stream", args.stream, get_args(StreamKind)),
        db=path_value("--db", args.db) or (REPLAY_DB if args.replay else DEFAULT_DB),
        host=args.host,
        port=converted("--port", port_value, args.port),
        browser=not args.no_browser,
        ingest=not args.no_ingest,
        ws_url=converted("--ws-url", websocket_url, args.ws_url),
        rest_url=converted("--rest-url", http_url, args.rest_url),
        venue_name=converted("--venue", venue_value, args.venue),
        backfill_hours=converted("--backfill-hours", positive, args.backfill_hours),
        backfill_requests=int(converted("--backfill-requests", positive, args.backfill_requests)),
        keep_days=converted("--keep-days", positive, args.keep_days) if args.keep_days else None,
        keep_gb=converted("--keep-gb", positive, args.keep_gb) if args.keep_gb else None,
        backup=path_value("--backup", args.backup),
        verify=args.verify,
        replay=path_value("--replay", args.replay),
        speed=converted("--speed", speed_value, args.speed),
        replay_from=converted("--replay-from", moment_value, args.replay_from),
        replay_to=converted("--replay-to", moment_value, args.replay_to),
        base_path=converted("--base-path", base_path_value, args.base_path),
        allow_remote=args.allow_remote,
        allow_hosts=converted("--allow-host", host_names, args.allow_host),
        log_level=choice_value("--log-level", args.log_level.lower(), get_args(LogLevel)),
        watch=path_value("--watch", args.watch),
        history=path_value("--history", args.history) or DEFAULT_HISTORY,
        lake_days=converted("--lake-days", whole_days, args.lake_days) if args.lake_days else None,
        imports=tuple(
            Path(each) for each in map(partial(path_value, "--import"), args.imports) if each
        ),
        fetch=_fetch_options(args),
        universe=_universe(args),
        no_universe=args.universe.strip().lower() == "none",
        cluster=converted("--cluster", cluster_value, args.cluster),
        cluster_folder=args.cluster_folder,
    )


def _check_kept(args: argparse.Namespace) -> None:
    """Refuse to delete trades before they can have been moved to the history."""
    if not args.keep_days or not args.lake_days:
        return
    least = converted("--lake-days", whole_days, args.lake_days) + _MOVED_WITHIN_DAYS
    if converted("--keep-days", positive, args.keep_days) < least:
        raise SettingsError(
            f"--keep-days {args.keep_days} deletes trades before --lake-days {args.lake_days} has"
            f" moved them to the history: say {least} or more, or leave out --keep-days"
        )


def _fetch_options(args: argparse.Namespace) -> FetchOptions | None:
    first, last = (
        converted("--from", utc_day, args.first_day),
        converted("--to", utc_day, args.last_day),
    )
    if not args.fetch:
        given = {"--from": first, "--to": last, "--bars": args.bars, "--trades": args.trades}
        for option in (name for name, value in given.items() if value):
            raise SettingsError(f"{option} says what to fetch: it needs --fetch A,B")
        return None
    if first is None:
        raise SettingsError("--fetch needs --from, the first day, e.g. --from 2024-01-01")
    if args.trades and args.bars:
        raise SettingsError("--bars and --trades: one of the two can be fetched at a time")
    yesterday = datetime.fromtimestamp(now_us() // 1_000_000, UTC).date() - timedelta(days=1)
    for option, day in (("--from", first), ("--to", last)):
        if day is not None and day > yesterday:
            raise SettingsError(f"{option}: {day} is not over, UTC: {yesterday} is the latest day")
    if first > (last or yesterday):
        raise SettingsError(f"--from {first} is after --to {last}")
    bars = None if args.trades else choice_value("--bars", args.bars or "1m", get_args(BarName))
    if (
        bars == "1s"
        and FINEST_KLINE[choice_value("--market", args.market, get_args(Market))] != "1s"
    ):
        raise SettingsError("--bars 1s: futures have no bars finer than 1m (or fetch --trades)")
    symbols = converted("--fetch", partial(parse_symbols, most=MOST_FETCHED), args.fetch)
    return FetchOptions(symbols, first, last or yesterday, bars)


def _universe(args: argparse.Namespace) -> UniverseRules | None:
    """Rules of what is followed; None where the options name none."""
    if args.universe.strip().lower() in {"", "none"}:
        return None
    if args.universe_bars == "1s" and args.market == "usdm":
        raise SettingsError("--universe-bars: USD-M futures have no bars of 1s; say 1m")
    days, volume, without = args.universe_days, args.universe_volume, args.universe_without
    return converted(
        "--universe",
        lambda text: parse_universe(
            text,
            depth=args.universe_depth,
            bars=args.universe_bars,
            least_days=converted("--universe-days", positive, days) if days else 0.0,
            least_volume=converted("--universe-volume", positive, volume) if volume else 0.0,
            without=converted("--universe-without", _symbols, without) if without else (),
            with_pegged=args.universe_pegged,
        ),
        args.universe,
    )


def _symbols(text: str) -> tuple[str, ...]:
    return parse_symbols(text, most=10_000)


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
            f"--{name}",
            dest=_NAMES_IN_PYTHON.get(name),
            metavar=metavar,
            default=value,
            help=words.replace("%", "%%"),
        )
    paths = environ.get(_variable("import"), "").split(os.pathsep)
    parser.add_argument(
        "--import", dest="imports", metavar="PATH", nargs="+", default=paths, help=_IMPORT
    )
    parser.add_argument("--version", action="version", version=f"Pairdesk {VERSION}")
    for name, words in _SWITCHES:
        on = environ.get(_variable(name), "").lower() in {"1", "true", "yes", "on"}
        parser.add_argument(f"--{name}", action="store_true", default=on, help=words)
    return parser


def _variable(name: str) -> str:
    """The environment variable of an option."""
    return f"PAIRDESK_{name.upper().replace('-', '_')}"


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
