"""The route by which a browser fetches a file that a page offers."""

import logging
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from analytics.errors import AnalyticsError
from ingest.errors import IngestError
from pages.ui.parts import notices
from pages.ui.state.served_files import FileNotOfferedError, MadeFile, find_files

GONE: Final = "This page was made by a server or a visit that has ended. Load the page again."
LONGEST_ADDRESS: Final = 4_000
_LOG: Final = logging.getLogger("pairdesk.pages")
_ANSWER: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def file(request: Request) -> Response:
    """Make the file and send it, or say in a sentence why there is none; not in the loop.

    The query's ``page`` is the address of the page at the click.
    """
    token, name = request.path_params["token"], request.path_params["name"]
    try:
        made = find_files(token).make(name, _page(request))
    except FileNotOfferedError:
        return _refusal(GONE, 404)
    except (IngestError, AnalyticsError) as error:
        return _refusal(notices.explain(error).text, 409)
    except Exception:  # noqa: BLE001 - the reader gets a sentence, the terminal the whole of it
        _LOG.exception("the file %s could not be made", name)
        return _refusal("The file could not be made; the terminal says why.", 500)
    return Response(made.content, media_type=made.mime, headers={**_ANSWER, **_named(made)})


def _page(request: Request) -> str:
    """Give the page's address; nothing that is no web address."""
    address = request.query_params.get("page", "")[:LONGEST_ADDRESS]
    return address if address.startswith(("http://", "https://")) else ""


def _named(made: MadeFile) -> dict[str, str]:
    # RFC 6266: a name may hold letters that a header may not.
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}


def _refusal(words: str, status: int) -> Response:
    return PlainTextResponse(words, status, headers=_ANSWER)
