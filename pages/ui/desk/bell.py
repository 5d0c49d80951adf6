"""The bell of the header: what fired since the last look, told on every page by the browser."""

from pathlib import Path
from typing import Final

from ingest.watch import current_watch
from pages.ui.component import component
from pages.ui.desk.bell_route import BELL_PATH, desk_name

HERE: Final = Path(__file__).parent

_HTML = """
<div class="pd-bell">
  <a class="pd-bell-link" href="alerts" target="_blank"
    title="Alerts since the last look. Opens the Alerts page.">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2a1.5 1.5 0 0 0-1.5 1.5v.7A6 6 0 0 0
6 10v5l-2 2v1h16v-1l-2-2v-5a6 6 0 0 0-4.5-5.8v-.7A1.5 1.5 0 0 0 12 2zM9.5 19.5a2.5 2.5 0 0 0 5
0z"/></svg>
    <span class="pd-bell-count" role="status"></span><span class="pd-unseen">Alerts</span>
  </a>
  <span class="pd-bell-silence"></span>
  <details class="pd-bell-ways">
    <summary aria-label="How this browser tells of alerts"><svg viewBox="0 0 12 12"
      aria-hidden="true"><path d="M2 4l4 4 4-4" fill="none" stroke="currentColor"
      stroke-width="1.6"/></svg></summary>
    <div class="pd-bell-menu">
      <label><input type="checkbox" name="sound"> Sound</label>
      <label><input type="checkbox" name="notify"> Desktop notification</label>
      <p>In this browser, while a page of the desk is open.</p>
      <p class="pd-bell-note" role="alert"></p>
    </div>
  </details>
</div>
"""

_mount = component(
    "pairdesk_bell",
    html=_HTML,
    css=(HERE / "bell.css").read_text(encoding="utf-8"),
    script=(HERE / "bell.js").read_text(encoding="utf-8"),
)


def show_bell() -> None:
    """Show how many alerts came since the log was last in sight."""
    watch = current_watch()
    if watch is not None:
        data = {"url": BELL_PATH.lstrip("/"), "desk": desk_name(watch.store)}
        _mount(key="bell", data=data)
