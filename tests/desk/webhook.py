"""A receiver of alerts, as anybody would write one: it keeps what it is sent."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """Receives on the loopback."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_port}/hook"

    def _take(self, alert: dict[str, Any]) -> None:
        with self._arrived:
            self.sent.append(alert)
            self._arrived.notify_all()

    def wait_for(
        self, count: int, is_it: Callable[[dict[str, Any]], bool], within_s: float
    ) -> list[dict[str, Any]]:
        """Wait until so many have come that are it; gives all of those."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: sum(map(is_it, self.sent)) >= count, within_s)
            assert came, f"{len(self.sent)} came within {within_s:g} s: {self.sent[-3:]}"
            return list(filter(is_it, self.sent))

    @contextmanager
    def serving(self) -> Iterator["Webhook"]:
        """Receive until the block ends."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
