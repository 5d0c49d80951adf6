"""Pages run as scripts, without a browser, on a database or a file made for the test."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from ingest.store import TickWriter
from ingest.tick import Tick

START_US = 1_754_000_000_000_000


SECONDS = 200


def ticks_of(symbol: str, base: float, seconds: int = SECONDS, seed: int = 5) -> list[Tick]:
    """One trade a second that wanders around `base`."""
    walk = np.random.default_rng(seed).normal(0, base * 1e-4, seconds).cumsum()
    return [
        Tick(
            market="spot",
            symbol=symbol,
            stream="aggTrade",
            trade_id=number + 1,
            price=round(base + float(move), 2),
            quantity=0.5,
            time_us=START_US + number * 1_000_000,
            received_us=START_US + number * 1_000_000 + 40_000,
            buyer_is_maker=bool(number % 2),
        )
        for number, move in enumerate(walk)
    ]


def store(path: Path, *legs: list[Tick]) -> None:
    writer = TickWriter(path)
    for leg in legs:
        writer.write(leg)
    writer.close()


def run_page(project_root: Path, **query: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def shown(page: AppTest) -> str:
    """All HTML of the page's body."""
    return "\n".join(element.proto.body for element in page.get("html"))


def said(page: AppTest) -> str:
    return "\n".join(box.value for box in (*page.error, *page.info, *page.warning))


def write_ndjson(path: Path, *legs: list[Tick]) -> None:
    rows = [
        {"symbol": t.symbol, "ts": t.time_us // 1_000, "price": t.price, "size": t.quantity}
        for leg in legs
        for t in leg
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


def file_choice_mode() -> str:
    return "NDJSON File"


def run_file(project_root: Path, name: str) -> AppTest:
    return run_page(project_root, mode=file_choice_mode(), file=name)


def frame_of(ticks: list[Tick]) -> pd.DataFrame:
    times = pd.DatetimeIndex(np.array([t.time_us for t in ticks], "M8[us]"), name="time")
    return pd.DataFrame(
        {
            "symbol": pd.Series([t.symbol for t in ticks], dtype="str").array,
            "price": [t.price for t in ticks],
            "quantity": [t.quantity for t in ticks],
            "trade_id": [t.trade_id for t in ticks],
        },
        index=times.tz_localize("UTC"),
    )
