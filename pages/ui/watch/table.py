"""The table of a watch list: sorted, filtered and grouped in the browser, which is sent numbers.

It stands outside of what is drawn anew at each refresh: its script and what of the rows stands go
out once, a refresh sends what moves.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pages.ui.component import component
from pages.ui.methods import what

# Key of a column, its heading, what it means.
COLUMNS: Final = (
    ("pick", "Pick", "Picked rows can be compared, changed, grouped and removed; ★ pins a row."),
    ("pair", "Pair", "S1 / S2, and how they are looked at."),
    ("zscore", "z", (f"{what('z-score')} The line: the latest 40 bars between the thresholds, from "
     "−3 to 3. The bar below: z against SELL above and BUY below.")),
    ("signal", "Signal", ("By the row's thresholds and gates at its latest closed bar, and the bar "
     "since which it is so, as far as it was followed.")),
    ("trade", "Buy and sell", "What the signal comes to, for the capital chosen on Live."),
    ("half", "Half-life", what("half-life")),
    ("pvalue", "p", ("Of the test that Live's verdict goes by, of a basket that of the Baskets "
     "page, and how old it is: it is made now and then, not at every bar.")),
    ("correlation", "Correlation", what("correlation")),
    ("coverage", "Bar", "Whether both legs traded in the latest bar."),
    ("age", "Last trade", "How long ago each leg traded, S1 and S2."),
    ("alert", "Last alert", "The rule that spoke last on this pair, and the bar at which it did."),
)  # fmt: skip
_OPTIONS: Final = "".join(
    f'<option value="{value}">{label}</option>'
    for value, label in (("", "All signals"), ("S", "▼ SELL"), ("B", "▲ BUY"), ("N", "■ NEUTRAL"),
                         ("?", "No figures"))
)  # fmt: skip
_HTML: Final = f"""
<div class="pd-watch">
  <div class="pd-watch-bar">
    <input type="search" aria-label="Filter by text" placeholder="Filter: symbol, group, setting"
      maxlength="60">
    <select class="pd-watch-signal" aria-label="Filter by signal">{_OPTIONS}</select>
    <select class="pd-watch-by" aria-label="Group by">
      <option value="">Not grouped</option><option value="group">By group</option>
      <option value="signal">By signal</option><option value="interval">By interval</option>
    </select>
    <span class="pd-watch-count pd-muted" role="status"></span>
  </div>
  <div class="pd-watch-scroll" tabindex="-1">
    <table><caption></caption><thead><tr></tr></thead></table>
  </div>
</div>
"""
_HERE: Final = Path(__file__).parent
_mount = component(
    "pairdesk_watch_table",
    html=_HTML,
    css=(_HERE / "table.css").read_text(encoding="utf-8"),
    script=(_HERE / "table.js").read_text(encoding="utf-8"),
    folder=_HERE,
)
_mount_moves = component(
    "pairdesk_watch_moves", script=(_HERE / "moves.js").read_text(encoding="utf-8")
)


def show_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    on_open: Callable[[], None],
    on_pin: Callable[[], None],
    on_pick: Callable[[], None],
) -> None:
    """Show the table of these rows; what moves of them is sent by `show_moves`.

    A click or Enter on a row sets `open` to its name, its star `pin`, its box `picked` to the names
    of all picked rows; and calls what goes with it.
    """
    columns = [{"key": name, "label": label, "tip": tip} for name, label, tip in COLUMNS]
    _mount(
        key=key,
        data={"columns": columns, "rows": list(rows)},
        on_open_change=on_open,
        on_pin_change=on_pin,
        on_picked_change=on_pick,
    )


def show_moves(moves: Mapping[str, Sequence[str | float | None]], *, key: str) -> None:
    """Send what moves of the rows, by their names."""
    _mount_moves(key=key, data={"moves": dict(moves)})
