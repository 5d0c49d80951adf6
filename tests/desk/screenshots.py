"""Makes the README's pictures: starts the app against the loopback exchange and looks at its pages.

    python tests/desk/screenshots.py [--out .assets] [--only NAME ...] [--walk]

With ``--walk`` the animated walk-through as well; with ``--only watch-light alerts-dark`` these two
pictures. Wants the test requirements and Chromium. What is
shown is synthetic: the exchange makes it up.
"""

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple, get_args

sys.path[:0] = map(str, Path(__file__).resolve().parents[1:3])

from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from desk.app_process import AppProcess, running_app

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "live": "",
    "watch": "watch",
    "alerts": "alerts",
    "evidence": "evidence",
    "scanner": "scanner",
    "backtest": "backtest",
    "feed": "feed",
    "methods": "methods",
}
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
VIEW = "?s1=ETHUSDT&s2=BTCUSDT&spread=log&hedge=kalman&rule=beyond+2+either+way"
# What Watch and Alerts show: three groups of pairs, and rules that a few minutes' market fires.
WATCHED = {
    "lists": [{
        "name": "majors",
        "interval": "5s",
        "spread": "log",
        "hedge": "kalman",
        "pairs": [
            {"y": "ETHUSDT", "x": "BTCUSDT", "group": "against BTC", "pinned": True},
            {"y": "SOLUSDT", "x": "BTCUSDT", "group": "against BTC"},
            {"y": "BNBUSDT", "x": "BTCUSDT", "group": "against BTC"},
            {"y": "SOLUSDT", "x": "ETHUSDT", "group": "against ETH"},
            {"y": "BNBUSDT", "x": "ETHUSDT", "group": "against ETH"},
            {"y": "SOLUSDT", "x": "BNBUSDT", "group": "others"},
        ],
    }],
    "rules": [
        {"name": "z beyond 1", "list": "majors", "when": "zscore", "crosses": "outside",
         "level": 1, "rearm": 0.5, "tells_resolved": True},
        {"name": "less correlated", "list": "majors", "when": "correlation", "crosses": "below",
         "level": 0.2},
    ],
}  # fmt: skip
SETTLED_MS = 5_000
FRAME_MS = 400
WALK_WIDTH = 1_000


def main() -> int:
    """Write one picture of each page in light and dark, and of the first at a phone's width."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / ".assets")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=tuple(pictures()))
    parser.add_argument("--walk", action="store_true")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with shown_desk() as app, chromium() as browser:
        for name, picture in pictures().items():
            if not chosen.only or name in chosen.only:
                _take(browser, app.url, chosen.out / f"{name}.png", picture)
        if chosen.walk:
            walk(browser, f"{app.url}/{VIEW}", chosen.out / "walk-through.webp")
    return 0


def pictures() -> dict[str, "Picture"]:
    """What there is to take, by the file's name."""
    of_pages: dict[str, Picture] = {
        f"{name}-{scheme}": Picture(path, scheme)
        for name, path in PAGES.items()
        for scheme in get_args(Scheme)
    }
    return of_pages | {"live-narrow": Picture("", "light", 390, 844)}


@contextmanager
def shown_desk() -> Iterator[AppProcess]:
    """Run the app beside an exchange that trades; an hour and a half of it is there already."""
    feed = LiveFeed(12, seed=7, history_s=5400, after_clients=1)
    with tempfile.TemporaryDirectory() as folder, ThreadedExchange(SYMBOLS, feed=feed) as exchange:
        options = ["--symbols", ",".join(SYMBOLS), "--db", f"{folder}/ticks.db"]
        watch_file = Path(folder, "watch.json")
        watch_file.write_text(json.dumps(WATCHED))
        options += [
            "--watch",
            str(watch_file),
            "--ws-url",
            exchange.ws_url,
            "--rest-url",
            exchange.rest_url,
        ]
        with running_app(Path(folder), *options) as app:
            yield app
            app.stop()


Scheme = Literal["light", "dark"]


class Picture(NamedTuple):
    """One page as it is shown: its path, its colours, the window in CSS pixels."""

    path: str
    scheme: Scheme
    width: int = 1440
    height: int = 900


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser that is installed here."""
    path = os.environ.get("PAIRDESK_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _take(browser: Browser, url: str, target: Path, picture: Picture) -> None:
    path, scheme, width, height = picture
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(f"{url}/{path}{VIEW}")
    _settle(page)
    page.screenshot(path=target)
    page.close()
    print(target)


def _settle(page: Page) -> None:
    for _ in range(2):  # the recorder's long work may show itself with the first refresh only
        for waiting in ("stSkeleton", "stSpinner", "stProgress"):
            expect(page.get_by_test_id(waiting)).to_have_count(0, timeout=120_000)
        page.wait_for_timeout(SETTLED_MS)  # a picture of a page that has refreshed


class Film:
    """Frames of a page, a few a second, as long as something is shown."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []

    def roll(self, seconds: float) -> None:
        """Film for a while."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            begun_s = time.monotonic()
            with Image.open(io.BytesIO(self._page.screenshot())) as shot:
                height = round(shot.height * WALK_WIDTH / shot.width)
                self._frames.append(shot.convert("RGB").resize((WALK_WIDTH, height)))
            self._page.wait_for_timeout(max(0.0, FRAME_MS - (time.monotonic() - begun_s) * 1000))

    def write(self, target: Path) -> None:
        """Write them as an animated WebP."""
        first, *others = self._frames
        first.save(
            target, save_all=True, append_images=others, duration=FRAME_MS, loop=0,
            quality=60, method=6,
        )  # fmt: skip
        print(target, f"{target.stat().st_size / 1e6:.1f} MB, {len(self._frames)} frames")


def walk(browser: Browser, url: str, target: Path) -> None:
    """Film a look at the signal, a zoom, the figures' meaning, and each page in turn."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page.goto(url)
    _settle(page)
    film = Film(page)
    film.roll(3)
    for look in (_zoom, _swap, *(_opener(name) for name in PAGES if name != "live")):
        look(page)
        film.roll(3)
    film.write(target)
    page.close()


def _zoom(page: Page) -> None:
    box = page.locator(".pairdesk-plot .main-svg").first.bounding_box()
    assert box is not None
    y = box["y"] + 120
    page.mouse.move(box["x"] + box["width"] * 0.45, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, y, steps=8)
    page.mouse.up()


def _swap(page: Page) -> None:
    _point_at_nothing(page)
    page.get_by_role("button", name="Swap").click()


def _point_at_nothing(page: Page) -> None:
    """Leave what was clicked last: its tooltip covers what is clicked next."""
    assert page.viewport_size is not None
    page.mouse.move(page.viewport_size["width"] / 2, page.viewport_size["height"] - 5)
    expect(page.get_by_test_id("stTooltipContent")).to_have_count(0)


def _opener(name: str) -> Callable[[Page], None]:
    def look(page: Page) -> None:
        _point_at_nothing(page)
        page.get_by_role("link", name=name.capitalize(), exact=True).first.click()
        page.wait_for_timeout(2_500)

    return look


if __name__ == "__main__":
    sys.exit(main())
