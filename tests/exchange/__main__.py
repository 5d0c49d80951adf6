"""The scripted exchange, started by hand: ``python tests/exchange --help``."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from exchange.cli import main

raise SystemExit(main())
