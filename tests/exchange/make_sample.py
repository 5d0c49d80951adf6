"""Write ``data/sample_ticks.ndjson.gz``: two hours of two symbols that do not exist.

Run ``python tests/exchange/make_sample.py`` from the project's root. The same seed gives the
same lines.
"""

import gzip
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from exchange.synthetic import E8, SyntheticMarket, SyntheticSymbol

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample_ticks.ndjson.gz"
SEED = 20250106
START = datetime(2025, 1, 6, 12, tzinfo=UTC)
DURATION_S = 2 * 60 * 60
HALF_LIFE_S = 90.0
BETA = 1.3
FIRST_IDS = (1_000_001, 5_000_001)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SYMBOLS = (
    SyntheticSymbol(
        "SYNAUSDT", 186.4, beta=BETA, deviation_std=0.0009, median_size=1.2, trades_per_s=4.0
    ),
    SyntheticSymbol(
        "SYNBUSDT", 42.75, tick_e8=E8 // 1000, lot_e8=E8 // 100, median_size=6.0, trades_per_s=4.5
    ),
)


def sample_lines() -> list[str]:
    """Give the sample's lines, one trade each, in order of time."""
    market = SyntheticMarket(
        SYMBOLS,
        seed=SEED,
        start_us=(START - EPOCH) // timedelta(microseconds=1),
        half_life_s=HALF_LIFE_S,
    )
    trades = market.advance(DURATION_S)
    next_ids = list(FIRST_IDS)
    lines = []
    for row in range(len(trades)):
        leg = int(trades.symbol[row])
        record = {
            "symbol": SYMBOLS[leg].name,
            "ts": _iso_ms(int(trades.time_us[row])),
            "price": int(trades.price_e8[row]) / E8,
            "size": int(trades.quantity_e8[row]) / E8,
            "id": next_ids[leg],
            "m": bool(trades.buyer_is_maker[row]),
        }
        next_ids[leg] += 1
        lines.append(json.dumps(record, separators=(",", ":")))
    return lines


def packed(lines: list[str]) -> bytes:
    """Give the file: no time stamp and no name in the gzip header, so equal lines are equal."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write("".join(line + "\n" for line in lines).encode())
    return buffer.getvalue()


def _iso_ms(time_us: int) -> str:
    moment = EPOCH + timedelta(milliseconds=time_us // 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    data = packed(sample_lines())
    SAMPLE.write_bytes(data)
    print(f"{SAMPLE}: {len(data):,} bytes")
