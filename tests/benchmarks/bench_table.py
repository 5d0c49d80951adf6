"""The benchmark rows as one table, and against an earlier run's."""

from collections.abc import Sequence

from bench_row import Row, figure

_HEADER = (
    "measure",
    "ours",
    "quartiles",
    "usual way",
    "ratio",
    "strongest way",
    "ratio to it",
    "bar",
    "met",
)


def table(rows: Sequence[Row]) -> str:
    """Lay all rows out as one table (Markdown), notes and floors below it by number."""
    notes: list[str] = []
    lines = [_HEADER, *(_cells(row, notes) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEADER))]
    rendered = [_joined(line, widths) for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    numbered = [f"[{number}] {note}" for number, note in enumerate(notes, 1)]
    return "\n".join([rendered[0], rule, *rendered[1:], *([""] if notes else []), *numbered])


def comparison(rows: Sequence[Row], earlier: Sequence[Row]) -> str:
    """Say of each measure that both runs have how ours changed."""
    before = {row.measure: row for row in earlier}
    lines = []
    for row in rows:
        old = before.get(row.measure)
        if old is None or not old.ours or row.ours is None:
            continue
        change = 100 * (row.ours / old.ours - 1)
        lines.append(
            f"{row.measure}: {figure(old.ours)} → {figure(row.ours)} {row.unit}"
            f" ({change:+.0f} %)".replace("-", "−")
        )
    return "\n".join(lines)


def _cells(row: Row, notes: list[str]) -> tuple[str, ...]:
    mark = ""
    note = ". ".join(text for text in (row.note, row.floor and f"Floor: {row.floor}") if text)
    if note:
        if note not in notes:
            notes.append(note)
        mark = f" [{notes.index(note) + 1}]"
    spread = "" if row.spread is None else "–".join(map(figure, row.spread))
    unit = row.unit and f" {row.unit}"
    return (
        row.measure + mark,
        "" if row.ours is None else figure(row.ours) + unit,
        spread,
        "" if row.alternative is None else figure(row.alternative) + unit,
        "" if row.ratio is None else f"{figure(row.ratio)} ×",
        "" if row.strongest is None else f"{row.strongest_way} {figure(row.strongest)}{unit}",
        "" if row.strongest_ratio is None else f"{figure(row.strongest_ratio)} ×",
        row.bar,
        {True: "yes", False: "NO", None: ""}[row.met],
    )


def _joined(cells: tuple[str, ...], widths: Sequence[int]) -> str:
    return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"
