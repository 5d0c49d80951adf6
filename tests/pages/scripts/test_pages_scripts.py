"""The browser's scripts: their units under node, their types and format, and plotly's inside."""

import base64
import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from filelock import FileLock
from places import ROOT, skip_or_fail
from starlette.applications import Starlette

from pages.charts.fill import filled
from pages.charts.frame import UNKNOWN, Frame, coded, packed
from pages.ui.chart import plotly_library, script
from pages.ui.component import component, in_one_piece
from pages.ui.parts import formats

HERE = Path(__file__).parent
UI = ROOT / "pages" / "ui"
SCRIPTS = sorted(path for path in UI.rglob("*.js") if "vendor" not in path.parts)
INSTALL_S = 600.0
LOCKED = ("package.json", "package-lock.json", ".npmrc")
PRIVATE = UI / "chart" / "plotly_private.js"
# A name that begins with "_", or plotly's unpromised method of an axis.
PRIVATE_NAME = re.compile(r"[.{,]\s*(_[a-zA-Z]\w*|r2l\b)")
Ask = Callable[[str, Any], Any]


@functools.cache
def node() -> str:
    """The path of node; a machine without it skips, or fails where all is required."""
    found = shutil.which("node")
    if found is None:
        skip_or_fail("needs node")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the checkers' packages, as the lock has them; made once for each lock."""
    npm = shutil.which("npm")
    if npm is None:
        skip_or_fail("needs npm")
    mark = sha256(b"".join((HERE / name).read_bytes() for name in LOCKED)).hexdigest()[:12]
    folder = ROOT / ".cache" / f"scripts-{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "done").exists():
            for name in LOCKED:
                shutil.copy(HERE / name, folder)
            done = run(str(npm), "ci", "--ignore-scripts", folder=folder, timeout_s=INSTALL_S)
            if done.returncode:
                skip_or_fail(f"npm could not install the checkers: {done.stderr[-300:]}")
            (folder / "done").touch()
    return folder / "node_modules"


def run(
    *command: str, folder: Path = ROOT, given: str | None = None, timeout_s: float = 110.0
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, input=given, capture_output=True, text=True, encoding="utf-8",
        timeout=timeout_s, check=False,
    )  # fmt: skip


@pytest.fixture
def ask() -> Ask:
    """What the scripts answer: `answer.js` names the questions."""

    def answer(question: str, of: Any) -> Any:
        told = json.dumps({"ask": question, "of": of})
        done = run(node(), str(HERE / "answer.js"), given=told)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return answer


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.js")), ids=lambda path: path.name)
def test_units(path):
    done = run(node(), "--test", str(path))
    assert not done.returncode, done.stdout
    passed = re.search(r"pass (\d+)", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 0


@pytest.mark.timeout(INSTALL_S)
def test_types(tools):
    done = run(node(), str(tools / "typescript" / "bin" / "tsc"), "-p", str(HERE))
    assert not done.returncode, done.stdout


@pytest.mark.timeout(INSTALL_S)
def test_a_wrong_type_or_none_is_an_error(tools, tmp_path):
    config = json.loads((HERE / "tsconfig.json").read_text("utf-8"))
    wrong = ('export const half = "twelve" / 2;', "export const same = (value) => value;",
             'export const html = document.querySelector("p").innerHTML;')  # fmt: skip
    (tmp_path / "wrong.js").write_text("\n".join(wrong))
    (tmp_path / "tsconfig.json").write_text(json.dumps({**config, "include": ["wrong.js"]}))
    done = run(node(), str(tools / "typescript" / "bin" / "tsc"), "-p", str(tmp_path))
    assert re.findall(r"wrong\.js\((\d)", done.stdout) == ["1", "2", "3"]


@pytest.mark.timeout(INSTALL_S)
def test_format_and_lint(tools):
    biome = str(tools / "@biomejs" / "biome" / "bin" / "biome")
    done = run(node(), biome, "ci", "--colors=off", str(UI), ".", folder=HERE)
    assert not done.returncode, done.stdout + done.stderr


def test_the_checkers_are_pinned_and_their_lock_names_no_host():
    wanted = json.loads((HERE / "package.json").read_text("utf-8"))["devDependencies"]
    lock = (HERE / "package-lock.json").read_text("utf-8")
    packages = json.loads(lock)["packages"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in package for name, package in packages.items() if name)
    assert "://" not in lock


def test_an_age_reads_as_the_server_writes_it(ask):
    ages = [0.0, 0.31, 9.94, 11.6, 119.4, 121.0, 7_100.0, 7_300.0, 172_000.0, 400_000.0]
    assert ask("ages", ages) == [formats.age(age) for age in ages]


def test_frames_come_back_as_the_server_packed_them(ask):
    generator = np.random.default_rng(1)
    frames, sent, old = [], [], None
    for number in range(1, 6):
        rows = int(generator.integers(0, 60))
        times = np.sort(generator.choice(200, size=rows, replace=False)) * 1_000.0
        values = generator.normal(size=rows).cumsum() * 10.0 ** int(generator.integers(0, 9))
        values[generator.random(rows) < 0.2] = np.nan
        decimals = int(generator.integers(-2, 4))
        bars = {"time": coded(times, 0), "value": coded(values, decimals)}
        frame = Frame(number, {"bars": bars})
        sent.append(base64.b64encode(packed(frame, old, {})).decode())
        frames.append(frame)
        old = frame
    for got, frame in zip(ask("frames", sent), frames, strict=True):
        for name, column in frame.tables["bars"].items():
            step = 10.0 ** abs(column.decimals)
            codes = np.where(column.codes == UNKNOWN, np.nan, column.codes.astype(float))
            wanted = codes / step if column.decimals >= 0 else codes * step
            np.testing.assert_array_equal(np.array(got["bars"][name], dtype=float), wanted)


def test_traces_are_filled_as_the_server_fills_them(ask):
    count = 40
    generator = np.random.default_rng(2)
    time = np.arange(count) * 1_000.0
    close, start = (100.0 + generator.normal(size=count).cumsum() for _ in range(2))
    table = {
        "time": time, "end": time + 900.0, "open": start, "close": close,
        "high": np.maximum(start, close) + 1.0, "low": np.minimum(start, close) - 1.0,
        "mean": close, "std": np.abs(generator.normal(size=count)),
        "held": generator.integers(-1, 2, size=count).astype(float),
    }  # fmt: skip
    table["std"][[5, 6, 20]] = np.nan
    traces = [
        {"draws": {"table": "bars", **draws}, "fillcolor": "#102030", "fade": 0.5}
        for draws in (
            {"kind": "line", "column": "close", "words": {"-1": "SELL", "1": "BUY"}},
            {"kind": "rebased", "column": "close"},
            {"kind": "band", "times": 2.0},
            {"kind": "level", "at": 1.5},
            {"kind": "marks", "is": 1, "column": "close"},
            {"kind": "stretches", "is": -1},
            {"kind": "stack", "columns": ["open", "close"]},
            {"kind": "candles", "rises": True},
            {"kind": "candles", "rises": False},
        )
    ]
    bases = {"close": 97.0}
    sent = {name: [None if np.isnan(each) else each for each in values]
            for name, values in table.items()}  # fmt: skip
    got = ask("filled", {"traces": traces, "tables": {"bars": sent}, "bases": bases})
    for made, trace in zip(got, traces, strict=True):
        wanted = filled(trace, {"bars": table}, bases)
        assert made.keys() == wanted.keys()
        for name, values in wanted.items():
            if name in {"text", "fillcolor"}:
                assert made[name] == values
                continue
            numbers = np.array(made[name], dtype=float)
            np.testing.assert_allclose(numbers, np.array(values, dtype=float), rtol=1e-12)


async def test_every_module_is_served_for_good_and_finds_the_others():
    transport = httpx.ASGITransport(Starlette(routes=script.script_routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        wanted = {script.script_path("stream"), script.script_path("figure")}
        for path in script.HERE.glob("*.js"):
            answer = await client.get(f"{script.FOLDER}/{path.name}")
            assert answer.content == path.read_bytes()
            assert answer.headers["content-type"].startswith("text/javascript")
            assert "immutable" in answer.headers["cache-control"]
            names = re.findall(r'from "\./([^"]+)"', answer.text)
            wanted |= {f"{script.FOLDER}/{name}" for name in names}
        for address in wanted:
            assert (await client.get(address)).status_code == 200, address


def test_the_library_waits_for_no_other_script():
    early = script.early_script()
    assert early.index("chart_base.js") < early.index(script.ENTRIES["stream"])
    assert "import" not in (script.HERE / "chart_base.js").read_text("utf-8")


def test_the_private_names_of_plotly_stand_in_one_file():
    others = {
        f"{path.name}: {name}"
        for path in SCRIPTS
        for name in PRIVATE_NAME.findall(path.read_text("utf-8"))
        if path != PRIVATE
    }
    assert others == set()
    assert set(PRIVATE_NAME.findall(PRIVATE.read_text("utf-8"))) == {
        "_fullLayout", "_fullData", "_size", "r2l",
    }  # fmt: skip


DRAWN = """async () => {
  const inside = await import('/plotly_private.js');
  const plot = document.querySelector('#plot');
  const before = [inside.isDrawn(plot), inside.shownView(plot) === undefined,
                  inside.zoomedTime(plot), inside.hiddenTraces(plot).size];
  const x = ['2026-01-01T00:00:00', '2026-01-01T02:00:00'];
  const traces = [{ uid: 'a', x, y: [1, 2] }, { uid: 'b', x, y: [2, 1], visible: 'legendonly' }];
  const margin = { l: 50, r: 30, t: 20, b: 40, autoexpand: false };
  const layout = { width: 480, height: 360, margin, uirevision: 'view', xaxis: { type: 'date' } };
  await Plotly.newPlot(plot, traces, { ...layout, showlegend: false });
  const whole = inside.zoomedTime(plot);
  const drawn = [inside.isDrawn(plot), inside.shownView(plot), [...inside.hiddenTraces(plot)]];
  const range = ['2026-01-01T00:30:00', '2026-01-01T01:00:00'];
  await Plotly.relayout(plot, { 'xaxis.range': range });
  return { before, whole, drawn, box: inside.panelBox(plot),
           zoomed: inside.zoomedTime(plot), range: inside.timeRange(plot) };
}"""


@pytest.fixture
def plotly_page(browser) -> Iterator[Any]:
    """A page with the library that is served and the script that knows its inside."""
    page = browser.new_page(timezone_id="America/New_York")
    bodies = {
        "/": '<div id="plot"></div><script src="plotly.js"></script>',
        "/plotly.js": plotly_library.script(),
        f"/{PRIVATE.name}": PRIVATE.read_text("utf-8"),
    }

    def answer(route: Any) -> None:
        path = "/" + route.request.url.rpartition("/")[2]
        kind = "text/javascript" if path.endswith(".js") else "text/html"
        route.fulfill(body=bodies.get(path, ""), content_type=kind)

    page.route("**/*", answer)
    page.goto("http://desk.test/")
    yield page
    page.close()


@pytest.mark.browser
def test_the_library_that_is_served_has_what_we_know_of_its_inside(plotly_page):
    found = plotly_page.evaluate(DRAWN)
    assert found["before"] == [False, True, None, 0]
    assert found["whole"] is None
    assert found["drawn"] == [True, "view", ["b"]]
    assert found["box"] == {"l": 50, "r": 30, "t": 20, "b": 40, "w": 400, "h": 300}
    midnight_ms = 1_767_225_600_000
    half_hour_ms = 1_800_000
    assert found["zoomed"] == [midnight_ms + half_hour_ms, midnight_ms + 2 * half_hour_ms]
    assert found["range"] == found["zoomed"]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's search path")
def test_a_machine_without_node_skips_or_fails_where_all_is_required(project_root, tmp_path):
    named = "tests/pages/scripts/test_pages_scripts.py::test_units"
    for required, word in (("", "skipped"), ("1", "required here: needs node")):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", named],
            cwd=project_root, env={"PATH": str(tmp_path), "PAIRDESK_REQUIRE_ALL": required},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert word in done.stdout
        assert bool(done.returncode) == bool(required)


def test_a_component_without_the_rule_for_unwanted_calls_is_refused():
    with pytest.raises(ValueError, match="settled"):
        component("pairdesk_none", script="export default function () {}")


_LATE_CHART = """
globalThis.document = { baseURI: "file://FOLDER/" };
const { default: call } = await import("./loader.mjs");
const parentElement = { isConnected: true };
const [early] = ["old", "new"].map((data) => call({ data, parentElement }));
await new Promise((resolve) => setTimeout(resolve, 100));
early();
console.log(JSON.stringify(globalThis.drawn));
"""


def test_of_the_data_that_comes_before_the_charts_script_the_last_is_drawn(tmp_path):
    chart = tmp_path / script.script_path("stream").lstrip("/")
    chart.parent.mkdir(parents=True)
    # It comes when both calls wait for it.
    chart.write_text(
        "await new Promise((resolve) => setTimeout(resolve, 30)); globalThis.drawn = [];"
        "export default ({ data }) => { drawn.push(data); return () => drawn.push(`-${data}`); };"
    )
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "loader.mjs").write_text(in_one_piece(script.loader("stream")))
    (tmp_path / "late.mjs").write_text(_LATE_CHART.replace("FOLDER", str(tmp_path)))
    done = run(node(), "late.mjs", folder=tmp_path)
    assert json.loads(done.stdout) == ["new"], done.stderr
