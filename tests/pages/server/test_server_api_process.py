"""The API of an app as its users start it: read with a stream open while the app ends."""

import http.client
import json
from contextlib import closing
from pathlib import Path

from desk.app_process import free_port, running_app

WATCHED = {
    "lists": [{"name": "majors", "window": 30, "pairs": [{"y": "eth/usdt", "x": "BTCUSDT"}]}],
    "channels": [{"name": "desk", "url": "json://127.0.0.1:9/s3cret"}],
    "rules": [{"name": "wide", "list": "majors", "channels": ["desk"]}],
}


def test_the_app_ends_at_once_though_somebody_listens(tmp_path: Path) -> None:
    file, port = tmp_path / "watch.json", free_port()
    file.write_text(json.dumps(WATCHED))
    options = ("--no-ingest", "--db", tmp_path / "t.db", "--watch", file)
    with running_app(tmp_path, *options, port=port, up_within_s=60) as app:
        [row] = json.loads(app.answer("api/v1/pairs"))["pairs"]
        assert (row["list"], row["y"], row["window"]) == ("majors", "ETHUSDT", 30)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", "/api/v1/stream")
            answer = connection.getresponse()
            assert answer.readline() == b"retry: 2000\n"
            assert app.stop(within_s=10) == 0
            assert answer.read().endswith(b": listening\n\n")  # whole: what is cut off raises
        assert "s3cret" not in app.log()
        assert "rror" not in app.log()
