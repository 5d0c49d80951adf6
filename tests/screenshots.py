"""Makes the README's pictures: starts the app against the loopback exchange and looks at its pages.

    python tests/screenshots.py [--out .assets]

Wants the test requirements and Chromium. What is shown is synthetic: the exchange makes it up.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from exchange import ThreadedExchange
from exchange_feeds import LiveFeed
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"live": "", "evidence": "evidence", "feed": "feed"}
SYMBOLS = ("BTCUSDT", "ETHUSDT")


def main() -> int:
    """Write one picture of each page in light and dark, and of the first at a phone's width."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / ".assets")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    feed = LiveFeed(12, seed=7, history_s=5400, after_clients=1)
    with tempfile.TemporaryDirectory() as folder, ThreadedExchange(SYMBOLS, feed=feed) as exchange:
        port = _free_port()
        words = ["--no-browser", "--port", str(port), "--db", f"{folder}/ticks.db"]
        words += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        app = subprocess.Popen([sys.executable, str(ROOT / "app.py"), *words])
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz")
            _take_all(f"http://127.0.0.1:{port}/", out)
        finally:
            app.terminate()
            app.wait(timeout=15)
    return 0


def _take_all(url: str, out: Path) -> None:
    chromium = os.environ.get("PAIRDESK_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, path in PAGES.items():
            for scheme in ("light", "dark"):
                _take(browser, url + path, out / f"{name}-{scheme}.png", scheme, 1440, 1000)
        _take(browser, url, out / "live-narrow.png", "light", 390, 844)
        browser.close()


def _take(browser: Browser, url: str, target: Path, scheme: str, width: int, height: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(url)
    page.wait_for_selector("[data-testid=stSkeleton]", state="detached")
    page.wait_for_timeout(6000)  # a picture of a page that has refreshed, with its figures settled
    page.screenshot(path=target)
    page.close()
    print(target)


def _wait_for(url: str) -> None:
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)  # the process gives no event before it answers
        else:
            return
    raise TimeoutError(url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
