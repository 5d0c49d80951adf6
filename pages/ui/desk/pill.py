"""The health pill of the header: it moves by itself, and asks no page to run for it."""

from dataclasses import asdict
from pathlib import Path

from pages.ui.component import component
from pages.ui.desk.pill_route import PILL_PATH, START, current_pill
from pages.ui.parts.status import FILE_PILL

_HTML = """
<div class="pd-pill">
  <a class="pd-state" href="feed" target="_blank"
    title="State of the recording. Opens the Feed page, which has the details.">
    <span class="pd-pill-sign" aria-hidden="true"></span>
    <span class="pd-pill-word" role="status"></span>
    <span class="pd-pill-number"></span>
  </a>
</div>
"""

_mount = component(
    "pairdesk_health_pill",
    html=_HTML,
    script=(Path(__file__).parent / "health_pill.js").read_text(encoding="utf-8"),
)


def show_pill(*, is_file: bool, is_replay: bool) -> None:
    """Show the state of the recording or of a replay, or that a file is looked at."""
    pill = FILE_PILL if is_file else current_pill(is_replay=is_replay)
    url = f"{PILL_PATH.lstrip('/')}{'?of=replay' if is_replay else ''}"
    # A file does not change, but the server that reads it may be gone.
    data = {"pill": asdict(pill), "url": url, "follows": not is_file, "start": START}
    _mount(key="health_pill", data=data)
