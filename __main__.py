"""The `pairdesk` command, and ``python -m pairdesk``: runs the app.py beside this file."""

import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run app.py as a script is run: its folder comes first where modules are looked for."""
    app = Path(__file__).resolve().parent / "app.py"
    sys.path.insert(0, str(app.parent))
    runpy.run_path(str(app), run_name="__main__")


if __name__ == "__main__":
    main()
