"""`/healthz` for monitors: 200 while the recording is as it should be, else 503 and why."""

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from ingest.recorder import current_recorder
from ingest.settings import current_settings
from ingest.status import RecorderStatus, SymbolStatus, UniverseStatus
from ingest.store import WARN_FREE_BYTES
from ingest.version import VERSION
from pages.ui.parts.status import unstored

HEALTH_PATH: Final = "/healthz"
OK: Final = 200
UNAVAILABLE: Final = 503

RECONNECT_WITHIN_S: Final = 60.0
SILENT_AFTER_S: Final = 120.0
UNSTORED_AFTER_S: Final = 30.0
US_PER_S: Final = 1_000_000

FAILED_STATES: Final = {
    "failed": "the recorder failed",
    "blocked": "the exchange refuses this address",
    "no data": "connected, but no data ever came",
    "stopped": "the recorder was stopped",
}

_STARTED_US: Final = time.time_ns() // 1_000


async def healthz(_: Request) -> JSONResponse:
    """Answer a monitor."""
    code, document = current_health(time.time_ns() // 1_000)
    return JSONResponse(document, status_code=code, headers={"Cache-Control": "no-store"})


def current_health(now_us: int) -> tuple[int, dict[str, object]]:
    """Judge the recorder of this process at this moment, as `health` does."""
    recorder = current_recorder()
    status = None if recorder is None else recorder.status()
    return health(status, now_us, _STARTED_US, records=current_settings().ingest)


def health(
    status: RecorderStatus | None, now_us: int, started_us: int, *, records: bool = True
) -> tuple[int, dict[str, object]]:
    """Judge a status.

    Parameters
    ----------
    status
        Of the recorder; None where there is none.
    now_us
        This moment, µs since the epoch.
    started_us
        When this process began: until the first trade, silence is counted from here.
    records
        Whether this process is meant to record.

    Returns
    -------
    code
        200 while the recording is live, or off because the user said so; else 503.
    document
        What goes out as JSON: version, state, cause (None when well), symbols, queue, gaps, disk,
        notices.
    """
    if status is None:
        cause = "there is no recorder" if records else None
        return _code(cause), {"version": VERSION, "state": "off", "cause": cause, "symbols": {}}
    cause = _cause(status, now_us, started_us)
    document: dict[str, object] = {
        "version": VERSION,
        "state": status.state,
        "cause": cause,
        "symbols": {name: _symbol(each, now_us) for name, each in status.per_symbol.items()},
        "queue_depth": status.queue_depth,
        "queue_capacity": status.queue_capacity,
        "open_gaps": sum(each.open_gaps for each in status.per_symbol.values()),
        "disk_free_bytes": status.disk.free,
        "last_error": status.last_error,
        "notices": list(status.notices),
    }
    if status.universe is not None:
        document["universe"] = _universe(status.universe, now_us)
    return _code(cause), document


def _code(cause: str | None) -> int:
    return OK if cause is None else UNAVAILABLE


def _cause(status: RecorderStatus, now_us: int, started_us: int) -> str | None:
    """Say what is wrong; None when nothing is, or when the user wants it so."""
    if (cause := _not_stored(status, now_us)) is not None:
        return cause
    if status.state in {"off", "paused"}:
        is_low = status.state == "paused" and 0 < status.disk.free < WARN_FREE_BYTES
        return "paused with little disk space" if is_low else None
    silent_s = _silent_s(status, now_us, started_us)
    if status.state == "reconnecting" and silent_s > RECONNECT_WITHIN_S:
        silence = f"reconnecting, and no trade for {silent_s:.0f} s"
        return silence if status.between is None else f"a {status.between} is in between: {silence}"
    late = _late_bars(status.universe, now_us, started_us)
    if late is not None or status.is_bars_only:
        return late
    is_quiet = all(each.state == "quiet" for each in status.per_symbol.values())
    if silent_s > SILENT_AFTER_S and not (status.state == "live" and is_quiet):
        return f"no trade for {silent_s:.0f} s"
    return None


def _not_stored(status: RecorderStatus, now_us: int) -> str | None:
    """Say why trades that may come are not stored, or that the recorder is at its end."""
    if status.refusal is not None:
        return f"{status.refusal.kind}: {status.refusal.sentence}"
    if status.state in FAILED_STATES:
        return FAILED_STATES[status.state]
    if status.write_error is not None:
        return f"nothing is stored: {status.write_error}"
    if (waiting := unstored(status, now_us, UNSTORED_AFTER_S)) is not None:
        symbol, waiting_s = waiting
        return f"trades of {symbol} come, and none was stored for {waiting_s:.0f} s"
    return None


def _silent_s(status: RecorderStatus, now_us: int, started_us: int) -> float:
    """How long nothing has come: no trade, or no word of a bar where bars alone are recorded."""
    received_us = status.last_received_us
    if status.is_bars_only and status.universe is not None:
        received_us = status.universe.last_received_us
    return (now_us - (received_us or started_us)) / US_PER_S


def _late_bars(universe: UniverseStatus | None, now_us: int, started_us: int) -> str | None:
    """Say for how long no bar has come, where bars are recorded and it is too long."""
    if universe is None or universe.depth != "bars" or not universe.symbols:
        return None
    late_s = (now_us - (universe.newest_us or started_us)) / US_PER_S
    return f"no bar for {late_s:.0f} s" if late_s > SILENT_AFTER_S else None


def _universe(universe: UniverseStatus, now_us: int) -> dict[str, object]:
    """Say how what is followed by rules stands; `records` are the words for what is kept of it."""
    age_s = None
    if universe.newest_us is not None:
        age_s = round((now_us - universe.newest_us) / US_PER_S, 3)
    is_bars = universe.depth == "bars"
    return {
        "symbols": len(universe.symbols),
        "records": f"bars only, {universe.length}" if is_bars else "trades",
        "state": universe.state,
        "bars_stored": universe.received + universe.fetched,
        "bars_missing": universe.missing,
        "symbols_behind": len(universe.behind),
        "newest_bar_age_s": age_s,
    }


def _symbol(status: SymbolStatus, now_us: int) -> dict[str, object]:
    age_s = None
    if status.last_trade_us is not None:
        age_s = round((now_us - status.last_trade_us) / US_PER_S, 3)
    return {"state": status.state, "last_trade_age_s": age_s, "open_gaps": status.open_gaps}
