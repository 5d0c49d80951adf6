"""What a browser may do with our answers: load from here only, and show them in no foreign frame.

Streamlit sets the limits: it styles by inline styles, its components come as blobs and as frames of
our own origin, and the frame of `streamlit_autorefresh` has its script inline.
"""

import base64
import re
from functools import cache
from hashlib import sha256
from typing import Final

from pages.ui.chart.script import early_script
from pages.ui.streamlit_private import shell_page

_FRAMES: Final = "/component/"
_POLICY: Final = (
    "default-src 'self'; script-src 'self' blob: {scripts}; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:;"
    " connect-src 'self' blob:; worker-src 'self' blob:; frame-src 'self'; object-src 'none';"
    " base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@cache
def _headers(scripts: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": _POLICY.format(scripts=scripts),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def headers_for(path: str) -> dict[str, str]:
    """Give the headers of the answer to this path, without that of a proxy."""
    return _headers("'unsafe-inline'" if path.startswith(_FRAMES) else _known_scripts())


@cache
def _known_scripts() -> str:
    """Name the inline scripts of our pages by what they are; any other does not run."""
    texts = _SCRIPT.findall(shell_page()) + _SCRIPT.findall(early_script())
    marks = (base64.b64encode(sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{mark}'" for mark in marks)
