"""What the reader's last step on the Watch page came to: shown until the next one."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from analytics.errors import AnalyticsError
from ingest.errors import IngestError
from pages.ui.parts import plain
from pages.ui.parts.notices import sentence
from pages.ui.parts.plain import Tone
from pages.ui.watch.parsing import Parsed

SAID: Final = "watch_said"
MOST_REFUSED: Final = 8


def say(*said: tuple[Tone, str]) -> None:
    """Say these from now on, in place of what was said before."""
    st.session_state[SAID] = said


def show() -> None:
    """Show what was said; one place, empty or not, for the sake of what stands below."""
    with st.container():
        for tone, words in st.session_state.get(SAID, ()):
            plain.SAYS[tone](words)


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
    said: list[tuple[Tone, str]] = [
        ("warning", f"{sentence(words)}.") for words in parsed.refused[:MOST_REFUSED]
    ]
    more = len(parsed.refused) - MOST_REFUSED
    if more > 0:
        said.append(("warning", f"{more:,} more lines were refused."))
    if parsed.unread:
        said.append(("info", f"Columns that are not read: {', '.join(parsed.unread)}."))
    return said
