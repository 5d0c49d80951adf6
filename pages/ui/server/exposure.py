"""Where the desk is served: which addresses are this machine's own, and paths behind a proxy."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.errors import SettingsError
from ingest.settings import Settings
from pages.ui.state.page_parts import SUB_PAGES


def check_exposure(address: str | None, settings: Settings, *, has_sign_in: bool) -> None:
    """Refuse an address that other machines reach, unless they sign in or the user insists.

    Parameters
    ----------
    address
        Where the server listens; None or nothing is every interface.
    settings
        Whose `allow_remote` is the user's word.
    has_sign_in
        Visitors have to sign in.

    Raises
    ------
    SettingsError
        It would be open to others; one line that says what to do.
    """
    if has_sign_in or settings.allow_remote or is_loopback(address):
        return
    raise SettingsError(
        f"serving on {address or 'every interface'} lets anyone who reaches this machine see the"
        " desk, stop the recorder and download its data: set up sign-in (see Deploying in"
        " pages/ui/server/README.md), or say --allow-remote"
    )


def is_loopback(address: str | None) -> bool:
    """Whether only this machine can reach the address."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "0.0.0.0").is_loopback  # noqa: S104 - asked, not bound
    except ValueError:
        return False


def under_base_path(routes: Sequence[Route], base_path: str) -> list[Route]:
    """Add the routes once more under the path that a proxy hands on, as Streamlit does its own.

    One by one: a mount would keep whatever else lies under that path from Streamlit.
    """
    base = base_path.strip("/")
    if not base:
        return list(routes)
    # Under a base path named as a page is, what is a page's elsewhere is Streamlit's own, and so is
    # what a route for all that lies below an address would take of it.
    under = f"/{base}/"
    plain = [each for each in routes if not each.path.startswith(under) and not _takes(each, under)]
    return [*(Route(f"/{base}{route.path}", route.endpoint) for route in routes), *plain]


def _takes(route: Route, path: str) -> bool:
    """Whether a route answers for whatever lies below an address, this path too."""
    above, _, rest = route.path.partition("{")
    return rest.endswith(":path}") and path.startswith(above)


def probe_routes() -> list[Route]:
    """Answer what the browser asks below a page's address before it asks the server itself.

    On a direct visit to ``/evidence`` Streamlit's script first tries whether the server lives
    there. It takes an answer without a configuration for a no and goes on, as it does after a
    404, which would stand in the browser's console as an error.
    """
    return [
        Route(f"/{page.path}/_stcore/{name}", _not_here)
        for page in SUB_PAGES
        for name in ("health", "host-config")
    ]


def _not_here(_: Request) -> Response:
    return JSONResponse(None, headers={"Cache-Control": "no-store"})
