"""The version of Pairdesk: the one place that has it."""

from typing import Final

VERSION: Final = "0.1.0"
