"""A recorder's status as tests need it."""

from typing import Any

from ingest.status import DiskStatus, RecorderStatus, SymbolStatus

NOW_US = 1_754_000_000_000_000


def status_of(**changes: Any) -> RecorderStatus:
    per_symbol = {
        "BTCUSDT": SymbolStatus(
            received=1_240, stored=1_234, duplicates=4, rejected=1, state="live", rate_per_s=12.34,
            last_trade_us=NOW_US - 300_000, last_received_us=NOW_US - 260_000,
            latencies_us=(44_400, 44_400, 1_253_400), skew_ms=-3.4, open_gaps=1, missing_ids=9,
        ),
        "ETHUSDT": SymbolStatus(),
    }  # fmt: skip
    values: dict[str, Any] = {
        "state": "live", "market": "spot", "stream": "aggTrade",
        "symbols": ("BTCUSDT", "ETHUSDT"), "received": 1_240, "stored": 1_234, "duplicates": 4,
        "conflicts": 2, "rejected": 1, "refused": 3, "reconnects": 5, "rotations": 1,
        "attempts": 7, "restarts": 0, "last_error": None, "last_rejected": None,
        "last_received_us": NOW_US - 260_000, "queue_depth": 12, "queue_capacity": 200_000,
        "retry_in_s": None, "commit_p50_ms": 1.3, "commit_p99_ms": 115.0, "skew_ms": -3.4,
        "per_symbol": per_symbol,
        "disk": DiskStatus(2_500_000_000, 3_300_000, 82_000_000_000, 4.1e9),
    }  # fmt: skip
    return RecorderStatus(**{**values, **changes})
