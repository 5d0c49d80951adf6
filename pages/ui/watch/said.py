"""What the reader's last step on the Watch page came to: shown until the next one."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from analytics.errors import AnalyticsError
from ingest.errors import IngestError
from pages.ui.parts import formats, plain
from pages.ui.parts.notices import sentence
from pages.ui.parts.plain import Tone
from pages.ui.watch.parsing import Parsed

SAID: Final = "watch_said"
BOXES: Final = {"success": st.success, "info": st.info, "warning": st.warning, "error": st.error}
MOST_REFUSED: Final = 10


def say(*said: tuple[Tone, str]) -> None:
    """Say these from now on, in place of what was said before."""
    st.session_state[SAID] = said


def show() -> None:
    """Show what was said; one place, empty or not, for the sake of what stands below."""
    with st.container():
        for tone, words in st.session_state.get(SAID, ()):
            _show(tone, words.split("\n"))


def _show(tone: Tone, lines: list[str]) -> None:
    """Show a sentence, or several as a list in one box."""
    if len(lines) == 1:
        plain.SAYS[tone](lines[0])
    else:
        BOXES[tone]("\n".join(f"- {plain.text(line)}" for line in lines))


def try_to(do: Callable[[], tuple[Tone, str] | None]) -> bool:
    """Do what the reader asked for, and say what it came to; whether it was done."""
    try:
        said = do()
    except (IngestError, AnalyticsError) as error:
        say(("error", f"{sentence(str(error))}."))
        return False
    say(*([] if said is None else [said]))
    return True


def refusals(parsed: Parsed) -> list[tuple[Tone, str]]:
    """Name what was not read of what the reader gave."""
    lines = [
        f"{formats.with_minus(sentence(formats.clipped(words, plain.LONGEST)))}."
        for words in parsed.refused[:MOST_REFUSED]
    ]
    more = len(parsed.refused) - MOST_REFUSED
    if more > 0:
        lines.append(f"… and {more:,} more.")
    said: list[tuple[Tone, str]] = [("warning", "\n".join(lines))] if lines else []
    if parsed.unread:
        said.append(("info", f"Columns that are not read: {', '.join(parsed.unread)}."))
    return said
