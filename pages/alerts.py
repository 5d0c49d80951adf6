"""The alerts page: rules, what fired, what is silenced, and the channels it goes out by."""

from ingest.watch import current_watch
from pages.ui.alerts import body, words
from pages.ui.parts import notices


def main() -> None:
    """Show the alerts of this process's watch."""
    body.head()
    watch = current_watch()
    if watch is None:
        notices.show(words.NO_WATCH)
        return
    with notices.shown_in_place():
        body.show(watch)


main()
