"""The watch of this process, for whoever looks for it."""

import sys

from ingest.watch.watch import Watch

# Kept where neither a cleared cache nor a reloaded module can make a second one.
_HOLDER = "_pairdesk_watch"


def current_watch() -> Watch | None:
    """Return this process's watch, or None where its database could not be opened."""
    watch = sys.__dict__.get(_HOLDER)
    return watch if isinstance(watch, Watch) else None


def install_watch(watch: Watch | None) -> None:
    """Make a watch this process's, for the pages to find."""
    sys.__dict__[_HOLDER] = watch
