"""Which exchange a recording is of, and what is said of trades that are not of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from ingest.tick import Market, StreamKey

RefusalKind = Literal["other venue", "ids start over"]

LOOPBACK: Final = "loopback"
MAIN: Final = "binance.com"
TESTNET: Final = "binance-testnet"
DEMO: Final = "binance-demo"
US: Final = "binance.us"

# Domains of one exchange: its hosts share ids (data-stream.binance.vision, stream.binance.com).
_DOMAINS: Final = {
    "binance.com": MAIN,
    "binance.vision": MAIN,
    "binancefuture.com": TESTNET,
    "binance.us": US,
}
KNOWN: Final = {MAIN, TESTNET, DEMO, US}
_REST_URLS: Final[dict[tuple[str, Market], str]] = {
    (TESTNET, "spot"): "https://testnet.binance.vision",
    (TESTNET, "usdm"): "https://testnet.binancefuture.com",
    (DEMO, "spot"): "https://demo-api.binance.com",
    (DEMO, "usdm"): "https://demo-fapi.binance.com",
    (US, "spot"): "https://api.binance.us",
}


@dataclass(frozen=True, slots=True)
class Restart:
    """A stream whose ids start over: a stored one, and one that does not fit to it.

    `is_gap`: it was asked for to fill a gap, when what came after the gap was stored already.
    """

    last_id: int
    came_id: int
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why what comes is not stored: it is not of this recording. One line, with what to do."""

    kind: RefusalKind
    sentence: str


def venue_of(url: str) -> str:
    """The exchange behind an address: hosts with the same ids have the same venue.

    Binance's hosts go by their domain, its testnet, its demo and binance.us apart. Anything on this
    machine is one venue whatever its port, so that a gateway may come back on another one. Any
    other host is its own.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if _is_loopback(host):
        return LOOPBACK
    for domain, venue in _DOMAINS.items():
        if host == domain or host.endswith(f".{domain}"):
            first = host.partition(".")[0]
            if "testnet" in host.split("."):
                return TESTNET
            return DEMO if first == "demo" or first.startswith("demo-") else venue
    return host


def rest_url_of(venue: str, market: Market) -> str | None:
    """REST address of an exchange that is not the default one, where it is known."""
    return _REST_URLS.get((venue, market))


def venue_setting(market: Market) -> str:
    """Name under which a database remembers of which exchange its streams of a market are."""
    return f"venue {market}"


def other_venue(market: Market, stored: str, venue: str, ws_base: str) -> Refusal:
    """Say that a database holds another exchange's trades, and what to do."""
    host = urlsplit(ws_base).netloc or ws_base
    message = (
        f"the database holds {market} trades of {stored}, and {host} is another exchange ({venue}):"
        " nothing is recorded, and what is stored stays as it is. Start with another --db"
    )
    if not {stored, venue} <= KNOWN:  # somebody's gateway may pass on the same
        message += f"; if {host} passes on the trades of {stored}, add --venue {stored}"
    return Refusal("other venue", message)


def ids_start_over(restarts: Mapping[StreamKey, Restart]) -> Refusal:
    """Say of streams that their ids start over, and what to do."""
    symbols, first = [key[1] for key in restarts], next(iter(restarts.values()))
    names = " and ".join(symbols)
    if len(symbols) > 2:
        names = f"{symbols[0]} and {len(symbols) - 1} more symbols"
    how = f"{first.came_id} came after {first.last_id}, with a newer time"
    if first.is_gap:
        how = f"by their times {first.came_id} cannot follow {first.last_id}"
    more = "more " if first.is_gap else ""
    return Refusal(
        "ids start over",
        f"{names}: the exchange's trade ids start over ({how}): another exchange, or one that was"
        f" reset. Nothing {more}of it is stored, and what is stored stays as it is. Start with"
        " another --db to record it",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
