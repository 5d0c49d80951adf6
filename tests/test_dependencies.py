"""What is installed: direct dependencies and their locks, and the wheel that serves the desk."""

import ast
import asyncio
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from desk.app_process import running_module
from desk.page_client import PageClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from places import skip_or_fail

from ingest import installation
from ingest.version import VERSION

ROOMS = ("analytics", "ingest", "pages")
OWN = {*ROOMS, "app"}
# Imported by another package where it is there, or read as data.
NOT_IMPORTED = {
    "authlib": "Streamlit's sign-in",
    "httpx": "Authlib's client",
    "tzdata": "zoneinfo, where the system has no zones",
}
LOCKS = ("requirements.txt", "tests/requirements.txt")
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?P<rest>(?:.*\\\n)*.*)", re.MULTILINE)


def project(root: Path) -> dict[str, Any]:
    read = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return dict(read["project"])


def direct(root: Path) -> dict[str, Requirement]:
    """The app's own requirements by name."""
    found = map(Requirement, project(root)["dependencies"])
    return {canonicalize_name(each.name): each for each in found}


def pins(path: Path) -> dict[str, str]:
    return {
        canonicalize_name(found["name"]): found["version"]
        for found in _PIN.finditer(path.read_text(encoding="utf-8"))
    }


def imported_roots(root: Path) -> set[str]:
    paths = [root / "app.py", *(path for room in ROOMS for path in (root / room).rglob("*.py"))]
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module).partition(".")[0])
    return names - sys.stdlib_module_names - OWN


def test_every_import_is_a_direct_dependency_and_every_one_is_imported(project_root) -> None:
    owners = packages_distributions()
    imported = {canonicalize_name(owners[name][0]) for name in imported_roots(project_root)}
    assert set(direct(project_root)) == imported | set(NOT_IMPORTED)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_direct_dependency_within_its_range(project_root, name) -> None:
    wanted = list(direct(project_root).values())
    if name.startswith("tests/"):
        tests = project(project_root)["optional-dependencies"]["test"]
        wanted += [Requirement(each) for each in tests]
    pinned = pins(project_root / name)
    for each in wanted:
        assert pinned[canonicalize_name(each.name)] in each.specifier, each


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_for_all_and_names_no_machine(project_root, name) -> None:
    text = (project_root / name).read_text(encoding="utf-8")
    for found in _PIN.finditer(text):
        assert "--hash=sha256:" in found["rest"], found["name"]
    options = [line for line in text.splitlines() if re.match(r"\s*--(?!hash=)", line)]
    assert options == []
    assert "://" not in text
    assert " /" not in text


def test_app_and_tests_are_locked_to_the_same_versions(project_root) -> None:
    app, tests = (pins(project_root / name) for name in LOCKS)
    assert app.items() <= tests.items()


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {}, Path.home() / ".local/share/pairdesk"),
        ("linux", {"XDG_DATA_HOME": "/data/of/me"}, Path("/data/of/me/pairdesk")),
        ("linux", {"XDG_DATA_HOME": "relative"}, Path.home() / ".local/share/pairdesk"),
        ("darwin", {}, Path.home() / "Library/Application Support/Pairdesk"),
        ("win32", {"LOCALAPPDATA": "/c/Local"}, Path("/c/Local/Pairdesk")),
        ("win32", {}, Path.home() / "AppData/Local/Pairdesk"),
    ],
)
def test_an_installed_program_keeps_its_data_with_the_user(tmp_path, platform, environ, folder):
    assert installation.data_folder(tmp_path, environ, platform) == folder


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_user_without_a_home_keeps_the_data_where_the_program_is_started(
    tmp_path, monkeypatch, platform
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert installation.data_folder(tmp_path, {}, platform).parent == Path.cwd()
    assert installation.shown(tmp_path) == str(tmp_path)


def test_a_checkout_keeps_its_data_beside_the_program(project_root) -> None:
    assert installation.data_folder(project_root) == project_root / "data"
    assert installation.COMMAND == "python app.py"


@pytest.fixture(scope="module")
def wheel(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without the network."""
    if "hatchling" not in packages_distributions():
        skip_or_fail("the build backend is not installed: run python3 tests/run.py once")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=project_root, check=True, capture_output=True, timeout=60)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_rooms(project_root, wheel) -> None:
    tracked = ["git", "ls-files", *ROOMS, "app.py", ".streamlit/config.toml"]
    listed = subprocess.run(tracked, cwd=project_root, capture_output=True, text=True, check=False)
    if listed.returncode:
        skip_or_fail("this is no git checkout")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {f"pairdesk/{name}" for name in listed.stdout.splitlines()}
    assert names == wanted | {f"pairdesk/{installation.SAMPLE_NAME}"}


def test_the_wheel_serves_the_desk_from_any_folder(wheel, tmp_path, monkeypatch) -> None:
    packages, elsewhere = tmp_path / "packages", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    for name in ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "user"))
    with running_module(elsewhere, "pairdesk.ingest.installation", "--no-ingest") as app:
        health = app.answer("healthz").decode()
        words = asyncio.run(text_of(app.url, "methods"))
        log = app.log()
    assert f'"version":"{VERSION}"' in health
    assert f"Pairdesk {VERSION}" in words
    assert str(tmp_path / "user") in log
    assert log.count("\n") == 1, log
    assert [each.name for each in elsewhere.iterdir()] == ["app.log"]


async def text_of(url: str, page: str) -> str:
    async with PageClient(url, page=page) as opened:
        return opened.text()
