"""What no list and no rule asks for any more, and so begins anew should it come back."""

import sqlite3
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Gone:
    """States by rule and pair's key, and keys of pairs whose last evaluated bar is forgotten."""

    states: frozenset[tuple[str, str]] = frozenset()
    pairs: frozenset[str] = frozenset()

    def __or__(self, other: "Gone") -> "Gone":
        return Gone(self.states | other.states, self.pairs | other.pairs)

    def delete(self, connection: sqlite3.Connection) -> None:
        """Delete them."""
        connection.executemany(
            "DELETE FROM rule_state WHERE rule = ? AND pair = ?", sorted(self.states)
        )
        connection.executemany(
            "DELETE FROM evaluated WHERE pair = ?", [(each,) for each in sorted(self.pairs)]
        )


NOTHING: Final = Gone()
