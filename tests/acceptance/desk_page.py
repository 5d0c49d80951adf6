"""The desk as a user sees it: every selector and label that the scenarios know stands here."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pandas as pd
from desk.chromium import READY_MS, STEP_MS, until
from playwright.sync_api import Browser, BrowserContext, Download, Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

DEAD_WITHIN_MS = 5_000
REFRESH_MS = 1_000
LIST_MS, LIST_TRIES = 4_000, 3

PAGES = (
    "Live", "Watch", "Alerts", "Evidence", "Scanner", "Baskets", "Factors", "Backtest", "Research",
    "Data", "Feed", "Methods",
)  # fmt: skip
INTERVALS = ("1s", "5s", "15s", "30s", "1min", "5min", "15min", "1h")
TABS = ("Statistics", "β path", "Correlation", "Residuals")
LIVE, FILE, REPLAY = "Live Database", "NDJSON File", "Replay"
Y, X, INTERVAL, RANGE = "S1 (y)", "S2 (x)", "Interval", "Range"
WINDOW, SPREAD, HEDGE, RULE = "Rolling window (bars)", "Spread", "Hedge ratio β", "Signal rule"
SELL_ABOVE, BUY_BELOW = "SELL above", "BUY below"
REFRESH, PAUSE, SOURCE, SWAP = "Refresh every (seconds)", "Pause", "Source", "Swap"
CSV, PARQUET, REPORT, PNG = "Analytics (CSV)", "Parquet", "Report (HTML)", "PNG"
TICKS, TICKS_FILE = "Ticks (NDJSON)", re.compile(r"^Download about [\d,]+ ticks?$")
UPLOAD = "Upload a file"
# What each page other than Live lets one take home, beside its tables' own toolbars.
FILES_OF = {
    "scanner": ("All pairs (CSV)",),
    "baskets": ("Series (CSV)",),
    "factors": ("Symbols (CSV)",),
    "backtest": ("Trades (CSV)", "Bars (CSV)", REPORT),
    "feed": ("Ledger of gaps (CSV)",),
}
# Offered once there is something in them.
FILES_OF_THE_WATCH = ("Table (CSV)", "Alerts (CSV)", "Watch file (JSON)")
FILES_OF_HISTORY = ("Manifest (CSV)", "Parquet files of the series (zip)")
FILES = (
    CSV, PARQUET, REPORT, PNG, *FILES_OF_THE_WATCH, *FILES_OF_HISTORY,
    *(name for names in FILES_OF.values() for name in names),
)  # fmt: skip
FETCHES = re.compile("take|fetch", re.IGNORECASE)

REFUSED = re.compile(
    "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket|server endpoint"
    "|ERR_CONTENT_LENGTH_MISMATCH|ERR_INCOMPLETE_CHUNKED_ENCODING"  # it died while it answered
    "|server is not responding|when disconnected from server"
    # The next server is asked once for what the one before offered, before the page loads again.
    r"|404 \(Not Found\).*/pairdesk/chart/"
)

APP = ".stApp"
RESTING = f'{APP}[data-test-script-state="notRunning"]'
PLOT = ".pairdesk-plot"
HEAD, SIGNAL, FIGURE = ".pd-head", ".pd-signal", ".pd-figure"
FILE_ERROR = ".pd-file-error"
TRACEBACK = ".stException, [data-testid=stException]"
EMPTY_ENDLESS = "fills as trades arrive"

# What a user reads, all of it at one moment. The bar is when it opened, epoch ms.
READ = r"""() => {
  const words = (selector, place = document) => place.querySelector(selector)?.innerText ?? '';
  const figures = {};
  for (const card of document.querySelectorAll('.pd-figure')) {
    figures[words('dt', card).split('±')[0].trim()] =
      { value: words('.pd-value', card), note: words('.pd-note', card) };
  }
  const rows = {};
  for (const row of document.querySelectorAll('tr')) {
    const cells = [...row.cells].map((cell) => cell.innerText);
    rows[cells[0]] = cells.slice(1);
  }
  const bar = /Bar of (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/.exec(words('.pd-signal'));
  return {
    head: words('.pd-head'), signal: words('.pd-signal'), word: words('.pd-word'),
    z: words('.pd-signal-z'), bar: bar && Date.parse(`${bar[1]}T${bar[2]}Z`),
    pill: words('.pd-state'), figures, rows,
  };
}"""
# Of each drawn figure: its panels, and of each the lines with how many known values they have.
CHARTS = """() => [...document.querySelectorAll('.pairdesk-plot')].map((plot) => ({
  panels: [...plot.querySelectorAll('.nsewdrag')].map((panel) => panel.dataset.subplot),
  lines: (plot._fullData ?? []).map((line) => ({
    name: line.name, panel: line.xaxis + line.yaxis,
    known: [...(line.z ?? line.y ?? line.x ?? [])]
      .flatMap((value) => (ArrayBuffer.isView(value) ? [...value] : value))
      .filter((value) => value !== null && !Number.isNaN(Number(value))).length,
  })),
}))"""
# Resolves at the moment a run begins, or when that takes too long: a short one is over before the
# next frame, in which polling would look.
RUN_BEGINS = """longest_ms => new Promise((resolve) => {
  const app = document.querySelector('.stApp');
  const watch = new MutationObserver(() => look());
  const end = (begun) => { watch.disconnect(); resolve(begun); };
  const look = () => app.dataset.testScriptState === 'running' && end(true);
  watch.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
  setTimeout(() => end(false), longest_ms);
  look();
})"""
XRANGE = """() => {
  const axis = document.querySelector('.pairdesk-plot')?._fullLayout?.xaxis;
  return axis.range.map((edge) => axis.r2l(edge));
}"""


@dataclass(frozen=True)
class Reading:
    """What the Live page shows at one moment."""

    head: str
    signal: str
    word: str
    z: str
    bar: pd.Timestamp | None
    pill: str
    figures: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, list[str]]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Reading":
        bar = found["bar"]
        moment = None if bar is None else pd.Timestamp(bar, unit="ms", tz="UTC")
        return cls(**{**found, "bar": moment})

    @property
    def pair(self) -> tuple[str, str]:
        """The two legs, as the head names them."""
        y, _, x = self.head.partition("\n")[0].partition(" / ")
        return y.strip(), x.strip()

    @property
    def verdict(self) -> str:
        """SELL, BUY or NEUTRAL."""
        found = re.search("SELL|BUY|NEUTRAL", self.word)
        return found[0] if found else ""

    def value(self, figure: str) -> str:
        return self.figures[figure]["value"]

    def sample(self, figure: str) -> int:
        """Give the n that a figure says it rests on."""
        found = re.search(r"n = ([\d,]+)", self.figures[figure]["note"])
        assert found, f"{figure} says no n: {self.figures[figure]}"
        return int(found[1].replace(",", ""))


class Desk:
    """A page of the desk in a browser's tab."""

    def __init__(self, page: Page, url: str, errors: list[str]) -> None:
        self.page = page
        self.url = url
        self.errors = errors

    # --- going somewhere ---

    def open(self, path: str = "", **choices: object) -> "Desk":
        """Open a page by its address, and wait until it shows something."""
        query = f"?{urlencode(choices)}" if choices else ""
        self.page.goto(f"{self.url}/{path}{query}")
        return self.ready()

    def ready(self) -> "Desk":
        """Wait until a run has ended and the page shows its content."""
        self.page.wait_for_selector(f"{HEAD}, [data-testid=stAlert], h1", timeout=READY_MS)
        self.page.wait_for_selector(RESTING, timeout=READY_MS)
        until(self.page, "() => !document.querySelector('[data-testid=stSkeleton]')")
        return self

    def follow(self, name: str) -> "Desk":
        """Go to a page by its link."""
        self.page.get_by_role("link", name=name, exact=True).first.click()  # the bell is another
        address = "" if name == "Live" else name.lower()
        self.page.wait_for_url(re.compile(rf"/{address}(\?|$)"))
        return self.ready()

    def live(self, **choices: object) -> "Desk":
        """Open the Live page, its figures and its chart drawn, refreshed as often as can be."""
        self.open("", **choices)
        self.page.wait_for_selector(".pd-word", timeout=READY_MS)
        self.drawn()
        return self.hurry()

    def hurry(self) -> "Desk":
        """Have the page refresh each second."""
        slider = self.page.get_by_role("slider", name=REFRESH)
        slider.press("Home")
        until(
            self.page,
            "name => document.querySelector(`input[aria-label='${name}']`)?.value === '1'",
            arg=REFRESH,
        )
        return self

    def drawn(self) -> "Desk":
        """Wait until the chart is there."""
        self.page.wait_for_selector(f"{PLOT} .main-svg", timeout=READY_MS)
        return self

    # --- operating it ---

    def box(self, label: str) -> Locator:
        return self.page.get_by_role("combobox", name=label, exact=True)

    def choose(self, label: str, value: str) -> None:
        """Choose an option of a selection; a run that draws it anew closes its list."""
        option = self.page.get_by_role("option", name=value, exact=True)
        for _ in range(LIST_TRIES):
            self.box(label).click()
            try:
                option.click(timeout=LIST_MS)
            except PlaywrightTimeoutError:
                self.page.keyboard.press("Escape")
            else:
                break
        self.has(label, value)

    def has(self, label: str, value: str) -> None:
        """Wait until a selection shows this value."""
        until(
            self.page,
            "([label, value]) => document.querySelector(`input[aria-label='${label}']`)?.value"
            " === value",
            arg=[label, value],
        )

    def chosen(self, label: str) -> str:
        return self.box(label).input_value()

    def type_number(self, label: str, value: float) -> None:
        """Write a number into its field."""
        field = self.page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(f"{value:g}")
        field.press("Enter")

    def shows_window(self, bars: int) -> None:
        """Wait until the figures are those of this window."""
        self.reads(f"r.figures['z-score']?.note.includes('n = {bars} bars')", READY_MS)

    def choose_range(self, value: str) -> None:
        """Choose how far back to look, by a selection or by one button of several."""
        control = self.page.locator(".st-key-lookback")
        if control.get_by_role("combobox").count():
            self.choose(RANGE, value)
        else:
            control.get_by_role("radio", name=value, exact=True).click()

    def upload(self, file: Path) -> None:
        """Choose a file of one's own in NDJSON mode."""
        self.choose("File", UPLOAD)
        self.page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)

    def number(self, label: str) -> str:
        return self.page.get_by_role("spinbutton", name=label, exact=True).input_value()

    def pick(self, name: str) -> None:
        """Take one of several radio buttons."""
        self.page.locator("label", has_text=name).first.click()

    def pause(self) -> Reading:
        """Stop the refreshing, and read the page once it stands still."""
        self.page.locator("label", has_text=PAUSE).first.click()
        self.page.wait_for_selector(f"{HEAD}:has-text('Paused')", timeout=STEP_MS)
        return self.still()

    def resume(self) -> None:
        """Let it refresh again."""
        self.page.locator("label", has_text=PAUSE).first.click()
        self.page.wait_for_selector(f"{HEAD}:not(:has-text('Paused'))", timeout=STEP_MS)

    def still(self) -> Reading:
        """Read the page once two readings in a row are the same, and no run is under way."""
        before = None
        for _ in range(40):
            self.page.wait_for_selector(RESTING)
            now = self.read()
            if now == before:
                return now
            before = now
            self.page.wait_for_timeout(250)  # a drawing tells nobody that it is done
        raise AssertionError(f"the paused page goes on moving: {before}")

    def zoom(self, begin: float, end: float) -> list[float]:
        """Drag over these shares of the chart's width; gives the times then in sight."""
        before = self.xrange()
        box = self.page.locator(f"{PLOT} .nsewdrag").first.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] * begin, middle)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] * end, middle, steps=5)
        self.page.mouse.up()
        width = (before[1] - before[0]) * (abs(end - begin) + 0.1)
        until(
            self.page,
            f"width => {{ const [a, b] = ({XRANGE})(); return b - a < width; }}",
            arg=width,
        )
        return self.xrange()

    # --- reading it ---

    def read(self) -> Reading:
        return Reading.of(self.page.evaluate(READ))

    def reads(self, condition: str, timeout_ms: float = STEP_MS) -> Reading:
        """Wait until a condition on what is read, as JavaScript over `r`, holds."""
        found = until(
            self.page,
            f"() => {{ const r = ({READ})(); return ({condition}) && r; }}",
            timeout=timeout_ms,
        )
        return Reading.of(found.json_value())

    def refreshes(self) -> bool:
        """Whether this is a Live page that draws itself anew: one that shows no file."""
        return bool(self.page.locator(SIGNAL).count()) and "FILE" not in self.read().pill

    def refreshed(self, times: int = 1) -> None:
        """Wait until the live part was drawn anew, so many times."""
        for _ in range(times):
            before = self.page.inner_text(HEAD)
            until(
                self.page,  # while another pair comes there may be none
                f"before => (document.querySelector('{HEAD}')?.innerText ?? before) !== before",
                arg=before,
            )

    def run_begins(self, within_ms: float) -> bool:
        """Wait until a run is under way; False where none begins within the time."""
        begun: bool = self.page.evaluate(RUN_BEGINS, within_ms)
        return begun

    def moves(self) -> None:
        """Wait until a bar has closed: the signal says a later one."""
        bar = self.reads("r.bar !== null", READY_MS).bar
        assert bar is not None
        self.reads(f"r.bar > {bar.timestamp() * 1e3:.0f}", READY_MS)

    def xrange(self) -> list[float]:
        """Give the times in sight of the chart, epoch ms."""
        found: list[float] = self.page.evaluate(XRANGE)
        return found

    def charts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(CHARTS)
        return found

    def charts_hold_data(self, least: int) -> None:
        """Wait until so many figures are drawn, and each panel of each has known values."""
        empty = (
            "charts.filter((c) => !c.panels.length || c.panels.some((panel) =>"
            " !c.lines.some((line) => line.panel === panel && line.known > 0)))"
        )
        condition = f"charts.length >= {least} && !{empty}.length"
        try:
            until(
                self.page,
                f"() => {{ const charts = ({CHARTS})(); return {condition}; }}",
                timeout=READY_MS,
            )
        except PlaywrightTimeoutError:
            raise AssertionError(f"charts without data: {self.charts()}") from None

    def stays(self, seen: list[float]) -> None:
        """Fail where the chart shows other times than these, but for a bar at its edges."""
        now = self.xrange()
        room = 0.03 * (seen[1] - seen[0])
        assert max(abs(a - b) for a, b in zip(now, seen, strict=True)) <= room, (now, seen)

    def middle_of_chart(self) -> tuple[float, float]:
        box = self.page.locator(f"{PLOT} .nsewdrag").first.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def alerts(self) -> list[str]:
        return self.page.locator("[data-testid=stAlert]").all_inner_texts()

    def words(self) -> str:
        return self.page.inner_text("[data-testid=stMain]")

    def shows(self, name: str) -> None:
        """Wait for what makes this page itself; Live has a signal, the others their name."""
        if name == "Live":
            self.page.wait_for_selector(".pd-word", timeout=READY_MS)
        elif name == "Scanner":
            self.page.wait_for_selector(".pd-verdict, [data-testid=stDataFrame]", timeout=READY_MS)
        elif name == "Baskets":
            self.page.wait_for_selector("h1:has-text('Basket:')", timeout=READY_MS)
        else:
            self.page.wait_for_selector(f"h1:has-text('{name}')", timeout=READY_MS)

    def asked(self, key: str) -> str:
        """Give what the address says of a choice."""
        return parse_qs(urlsplit(self.page.url).query).get(key, [""])[0]

    def address_says(self, **choices: str) -> None:
        """Fail unless the address has these choices, first ones too."""
        said = {key: self.asked(key) for key in choices}
        assert said == choices, f"{self.page.url} leaves out what is shown"

    def comes_to(self, view: Mapping[str, str]) -> None:
        """Wait until page, range and these selections are as they were."""
        wanted = {key: value for key, value in view.items() if key not in {"path", "lookback"}}
        condition = """([path, lookback, boxes]) => location.pathname === path
          && (new URLSearchParams(location.search).get('lookback') ?? '') === lookback
          && Object.entries(boxes).every(([label, value]) =>
            document.querySelector(`input[aria-label='${label}']`)?.value === value)"""
        try:
            until(self.page, condition, arg=[view["path"], view["lookback"], wanted])
        except PlaywrightTimeoutError:
            message = f"it did not come to {view}, but stays on {self.page.url}"
            raise AssertionError(message) from None

    def signal_is_seen(self) -> bool:
        """Whether nothing covers the signal."""
        return bool(
            self.page.evaluate(
                """selector => {
                  const place = document.querySelector(selector);
                  const box = place.getBoundingClientRect();
                  const top = document.elementFromPoint(
                    box.left + box.width / 2, box.top + box.height / 2);
                  return place.contains(top);
                }""",
                SIGNAL,
            )
        )

    def forget_refused_connections(self) -> None:
        """Leave out of the console's errors that a server which was ended did not answer."""
        self.errors[:] = [error for error in self.errors if not REFUSED.search(error)]

    def awaits_server(self) -> None:
        """Wait until the page has found its server again."""
        self.awaits_dead(is_dead=False, within_ms=READY_MS)
        self.page.wait_for_selector(f'{APP}[data-test-connection-state="CONNECTED"]')

    def awaits_dead(self, *, is_dead: bool, within_ms: float) -> None:
        """Wait until the page looks as it does without its server, or as it does with it."""
        sign = "===" if is_dead else "!=="
        until(
            self.page,
            f"() => document.documentElement.dataset.pairdesk {sign} 'dead'",
            timeout=within_ms,
        )

    # --- taking files home ---

    def button(self, label: str | re.Pattern[str]) -> Locator:
        exact = isinstance(label, str)
        return self.page.get_by_role("button", name=label, exact=exact).first

    def download(self, label: str | re.Pattern[str], within_ms: float = STEP_MS) -> Download:
        """Click a button that gives a file, and wait for it."""
        try:
            with self.page.expect_download(timeout=within_ms) as waiting:
                self.button(label).click()
        except PlaywrightTimeoutError:
            said = self.page.locator(FILE_ERROR).all_inner_texts()
            where = self.page.url
            raise AssertionError(
                f"{label} gave no file within {within_ms / 1e3:g} s on {where}; "
                f"the page says {said or 'nothing'}"
            ) from None
        return waiting.value

    @contextmanager
    def files_fail(self, status: int) -> Iterator[None]:
        """Have the server refuse every file; what the console says of that is no error."""
        known = len(self.errors)
        self.page.route("**/pairdesk/file/**", lambda route: route.fulfill(status=status))
        yield
        self.page.unroute("**/pairdesk/file/**")
        refused = [error for error in self.errors[known:] if str(status) not in error]
        self.errors[known:] = refused

    def open_ticks(self) -> None:
        """Open what offers the ticks of a time range."""
        self.page.get_by_role("button", name=re.compile(f"^{re.escape(TICKS)}")).click()
        self.button(TICKS_FILE).wait_for(timeout=READY_MS)

    # --- what must never be seen ---

    def no_traceback(self) -> None:
        found = self.page.locator(TRACEBACK).all_inner_texts()
        assert found == [], f"{self.page.url} shows {found}"


def content(download: Download) -> bytes:
    """Read a file that arrived; an empty one is a failure."""
    failure = download.failure()
    assert failure is None, f"{download.suggested_filename}: {failure}"
    found = Path(download.path()).read_bytes()
    assert found, f"{download.suggested_filename} is empty"
    return found


@contextmanager
def visit(browser: Browser, url: str) -> Iterator[Desk]:
    """A tab of somebody who was never here; fails on any error in its console."""
    with person(browser) as someone, tab(someone, url) as desk:
        yield desk


@contextmanager
def person(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody with a browser of their own, whose tabs share its cache and cookies."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, accept_downloads=True, timezone_id="UTC"
    )
    try:
        yield context
    finally:
        with suppress(PlaywrightTimeoutError):
            context.close()


@contextmanager
def tab(someone: BrowserContext, url: str) -> Iterator[Desk]:
    """A new tab of somebody; fails on any error in its console."""
    with tabs(someone, url, 1) as (desk,):
        yield desk


@contextmanager
def tabs(someone: BrowserContext, url: str, count: int) -> Iterator[list[Desk]]:
    """Several new tabs of somebody; fails on any error in their consoles, or a traceback."""
    desks = [_tab(someone, url) for _ in range(count)]
    try:
        yield desks
        for desk in desks:
            if not desk.page.is_closed():
                desk.no_traceback()
    finally:
        # What the server sends while the tab goes is nobody's error.
        errors = [error for desk in desks for error in desk.errors]
        for desk in desks:
            with suppress(PlaywrightTimeoutError):
                desk.page.close()
    assert errors == [], f"in the console: {errors}"


def _tab(context: BrowserContext, url: str) -> Desk:
    page = context.new_page()
    page.set_default_timeout(STEP_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda said: (
            errors.append(f"{said.text} ({said.location.get('url', '')}) on {page.url}")
            if said.type == "error"
            else None
        ),
    )
    return Desk(page, url, errors)
