"""A recorder in a process of its own, to be killed: imports no more than it needs.

    python tests/fault_child.py DATABASE WS_URL REST_URL SYMBOLS BATCH_WAIT_S

Says ``ready`` when all is imported, begins at a line on standard input, says ``recording`` when
its threads run, and goes on until it is killed or its standard input ends.
"""

import sys
from pathlib import Path

from ingest import writing
from ingest.feed import FeedLimits
from ingest.link import LinkLimits
from ingest.recorder import Recorder
from ingest.settings import Settings


def main(database: str, ws_url: str, rest_url: str, symbols: str, batch_wait_s: str) -> int:
    writing.BATCH_WAIT_S = float(batch_wait_s)  # small: more commits to be killed in
    settings = Settings(
        symbols=tuple(symbols.split(",")), db=Path(database), ws_url=ws_url, rest_url=rest_url
    )
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 0
    recorder = Recorder(settings, feed_limits=FeedLimits(link=LinkLimits(close_s=0.5)))
    recorder.start()
    print("recording", flush=True)
    sys.stdin.readline()
    return 0 if recorder.stop() else 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
