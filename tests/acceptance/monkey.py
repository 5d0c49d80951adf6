"""A user without a plan: acts on whatever control is in sight, and notes what it did."""

import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import ElementHandle
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from acceptance.desk_page import FILE_ERROR, FILES, PLOT, RESTING, TRACEBACK, Desk, content

ACTION_MS = 2_000
FILE_MS = 20_000
RUN_MS = 30_000
REST_MS = 60_000  # a sweep over a day of seconds, which the next choice waits for
# Streamlit's own menu (it prints); the file chooser of the system; what ends the recording of a
# symbol for good, after which there may be no pair left to look at.
LEFT_ALONE = re.compile(r"Main menu|^Browse|^Upload|Remove|Print|^Help for", re.IGNORECASE)
NUMBERS = ("5", "7", "30", "60", "500", "0", "-3", "1e309", "")
SIZES = ((1440, 900), (390, 844), (1024, 768), (2560, 1440))
# How Playwright says that a run has replaced what was to be operated.
GONE = re.compile(r"not attached|context was destroyed|disposed|no element", re.IGNORECASE)
# Brings this into sight; gives where a click on it goes, null where it has no place.
MIDDLE = """place => {
  place.scrollIntoView({block: 'center', behavior: 'instant'});
  const box = [...place.getClientRects()].find((each) => each.width * each.height > 1);
  return box ? [box.left + box.width / 2, box.top + box.height / 2] : null;
}"""
# What a click would meet in place of this: null where it meets this, "gone" once a run has replaced
# it, else what covers its middle and stays, while nothing moves, for so long (ms).
COVER = """(place, still_ms) => new Promise((resolve) => {
  const isMoving = () => document.getAnimations().some((each) =>
    each.playState === 'running' && Number.isFinite(each.effect?.getComputedTiming().endTime));
  const named = (each) => {
    const known = each?.closest('[data-testid], [role]');
    return known?.dataset.testid ?? known?.getAttribute('role') ?? each?.tagName ?? 'the edge';
  };
  let cover, since;
  const look = () => {
    if (!place.isConnected) return resolve('gone');
    const box = [...place.getClientRects()].find((each) => each.width * each.height > 1);
    const middle = box && [box.left + box.width / 2, box.top + box.height / 2];
    const top = middle ? document.elementFromPoint(...middle) : null;
    if (top && place.contains(top)) return resolve(null);
    const now = performance.now();
    if (since === undefined || top !== cover || isMoving()) [cover, since] = [top, now];
    if (now - since >= still_ms) return resolve(named(top));
    requestAnimationFrame(look);
  };
  look();
})"""
STILL_MS = 300
# Everything that can be operated, by role and name, with its place among those of that name.
CONTROLS = """() => {
  const roles = {BUTTON: 'button', A: 'link'};
  const kinds = {radio: 'radio', number: 'spinbutton', range: 'slider', checkbox: 'checkbox'};
  const seen = new Map();
  const found = [];
  for (const place of document.querySelectorAll('button, a[href], input, [role=tab]')) {
    const box = place.getBoundingClientRect();
    const label = place.closest('label');
    // Streamlit shows some only under the pointer (links to a heading, what folds the sidebar); a
    // sidebar that is folded lies to the left of the page.
    const shown = place.checkVisibility({visibilityProperty: true}) && (box.width > 1 || label)
      && (label ?? place).getBoundingClientRect().right > 0;
    const kind = place.getAttribute('role') || kinds[place.type] || roles[place.tagName];
    if (!shown || !kind || place.disabled) continue;
    const name = (place.getAttribute('aria-label') || place.innerText || label?.innerText || '')
      .trim().split('\\n')[0];
    const key = kind + '|' + name;
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    const isAway = place.tagName === 'A'
      && (place.target === '_blank' || !place.href.startsWith(location.origin));
    const isFile = place.classList.contains('pd-file') || Boolean(place.closest('.pd-file'));
    place.dataset.monkey = key + '|' + nth;
    found.push({kind, name, nth, is_away: isAway, is_file: isFile, mark: place.dataset.monkey});
  }
  return found;
}"""


@dataclass(frozen=True)
class Control:
    """Something to operate."""

    kind: str
    name: str
    nth: int
    is_away: bool
    is_file: bool
    mark: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}" + (f" ({self.nth + 1})" if self.nth else "")


class Covered(Exception):  # noqa: N818 - as StopIteration, no error
    """Something stands before what was to be operated: nobody could see it."""


class Gone(Exception):  # noqa: N818 - as StopIteration, no error
    """A run has replaced what was to be operated."""


class Monkey:
    """Acts as a seed has it."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.random = random.Random(f"{seed} monkey")
        self.log: list[str] = []
        self.missed = 0
        self._beside: dict[str, Callable[[], None]] = {
            "back": self._back,
            "forward": self._forward,
            "reload": self._reload,
            "resize": self._resize,
            "zoom": self._zoom,
        }

    def act(self) -> None:
        """Do one thing, wait until the page has answered, and look whether it is whole."""
        if self.random.random() < 0.12:
            what = self.random.choice(sorted(self._beside))
            self.log.append(f"{what} on {self.desk.page.url}")
            self._beside[what]()
        else:
            self._operate()
        self._look()

    def _operate(self) -> None:
        """Operate something that nothing covers: over a narrow page, say, lies its sidebar."""
        controls = self._controls()
        begun = len(self.log)
        while controls:
            control = self._draw(controls)
            self.log.append(f"{control} on {self.desk.page.url}")
            if self._has_reached(control):
                return
            controls.remove(control)
            self.desk.page.keyboard.press("Escape")  # closes a list or a menu
        raise AssertionError(f"nothing can be operated: {self.log[begun:]}")

    def _has_reached(self, control: Control) -> bool:
        """Operate it; False where something covers it. One that a run took away is a miss."""
        try:
            self._use(control, self._place(control))
        except Covered as cover:
            self.log[-1] += f": behind {cover}"
            return False
        except (Gone, PlaywrightError) as error:
            if isinstance(error, PlaywrightError) and not _is_miss(error):
                raise
            self.missed += 1
            self.log[-1] += ": gone"
            self.desk.page.keyboard.press("Escape")
        return True

    def _draw(self, controls: list[Control]) -> Control:
        """A kind first: a page has ten times as many buttons as tabs."""
        kind = self.random.choice(sorted({each.kind for each in controls}))
        return self.random.choice([each for each in controls if each.kind == kind])

    def _place(self, control: Control) -> ElementHandle:
        """Give the element itself: what replaces it is another one, not waited for."""
        place = self.desk.page.query_selector(f"[data-monkey='{_quoted(control.mark)}']")
        if place is None:
            raise Gone
        return place

    def _click(self, place: ElementHandle) -> None:
        middle = place.evaluate(MIDDLE)
        if middle is None:
            raise Gone
        self.desk.page.mouse.move(*middle)  # some show themselves only under the pointer
        cover = place.evaluate(COVER, STILL_MS)
        if cover == "gone":
            raise Gone
        if cover:
            raise Covered(cover)
        place.click(timeout=ACTION_MS)

    def _controls(self) -> list[Control]:
        found: list[dict[str, Any]] = self.desk.page.evaluate(CONTROLS)
        controls = [Control(**each) for each in found]
        return [each for each in controls if each.name and not LEFT_ALONE.search(each.name)]

    def _use(self, control: Control, place: ElementHandle) -> None:
        match control.kind:
            case "combobox":
                self._select(place)
            case "spinbutton":
                place.fill(self.random.choice(NUMBERS), timeout=ACTION_MS)
                place.press("Enter", timeout=ACTION_MS)
            case "textbox":
                words = self.random.choice(("DOGEUSDT", "a name", "**bold**"))
                place.fill(words, timeout=ACTION_MS)
            case "slider":
                key = self.random.choice(("ArrowRight", "ArrowLeft", "Home", "End"))
                place.press(key, timeout=ACTION_MS)
            case "radio" | "switch" | "checkbox":
                label = place.evaluate_handle("place => place.closest('label') ?? place")
                self._click(label.as_element() or place)
            case "link" if control.is_away:
                with self.desk.page.context.expect_page(timeout=RUN_MS) as opening:
                    self._click(place)
                opening.value.close()
            case "button" if control.is_file or control.name in FILES:
                self._take_home(place)
            case _:
                self._click(place)

    def _select(self, place: ElementHandle) -> None:
        self._click(place)
        options = self.desk.page.get_by_role("option")
        options.first.wait_for(timeout=ACTION_MS)
        option = options.nth(self.random.randrange(options.count()))
        self.log[-1] += f": {option.inner_text(timeout=ACTION_MS)}"
        option.click(timeout=ACTION_MS)

    def _take_home(self, place: ElementHandle) -> None:
        self.desk.page.keyboard.press("Escape")  # a list that is open takes the first click
        is_clicked = False
        try:
            with self.desk.page.expect_download(timeout=FILE_MS) as waiting:
                self._click(place)
                is_clicked = True
        except PlaywrightTimeoutError:
            if not is_clicked:
                raise
            raise AssertionError(f"{self.log[-1]}: no file came") from None
        content(waiting.value)

    def _back(self) -> None:
        with suppress(PlaywrightError):
            self.desk.page.go_back(timeout=RUN_MS)
        self._come_home()

    def _forward(self) -> None:
        with suppress(PlaywrightError):
            self.desk.page.go_forward(timeout=RUN_MS)
        self._come_home()

    def _come_home(self) -> None:
        if not self.desk.page.url.startswith(self.desk.url):
            self.desk.open()

    def _reload(self) -> None:
        self.desk.page.reload()

    def _resize(self) -> None:
        width, height = self.random.choice(SIZES)
        self.log[-1] += f" to {width} x {height}"
        self.desk.page.set_viewport_size({"width": width, "height": height})

    def _zoom(self) -> None:
        box = None
        panel = self.desk.page.locator(f"{PLOT} .nsewdrag").first
        if panel.count():
            box = panel.bounding_box()
        if box is None:
            return
        begin, end = sorted((self.random.random(), self.random.random()))
        middle, mouse = box["y"] + box["height"] / 2, self.desk.page.mouse
        mouse.move(box["x"] + box["width"] * begin, middle)
        mouse.down()
        mouse.move(box["x"] + box["width"] * end, middle, steps=3)
        mouse.up()

    def _look(self) -> None:
        """Fail where the page does not come to rest, or shows what nobody may see."""
        page = self.desk.page
        try:
            page.wait_for_selector(RESTING, timeout=REST_MS)
        except PlaywrightTimeoutError:
            raise AssertionError(f"{self.log[-1]}: the page never comes to rest") from None
        seen = page.locator(f"{TRACEBACK}, {FILE_ERROR}").all_inner_texts()
        assert [each for each in seen if each.strip()] == [], self.log[-1]
        assert self.desk.errors == [], f"{self.log[-1]}: {self.desk.errors}"


def _is_miss(error: PlaywrightError) -> bool:
    return isinstance(error, PlaywrightTimeoutError) or bool(GONE.search(error.message))


def _quoted(words: str) -> str:
    return words.replace("\\", "\\\\").replace("'", "\\'")
