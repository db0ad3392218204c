"""Who may use a route: the user of the cookie, pages of this origin, administrators. Closed by default."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bri_qa.web.identity import Identity

IsAdmin = Callable[[Request], bool]


class SessionMissingError(Exception):
    """The request says not whose it is."""


def nobody(_: Request) -> bool:
    """The default administrator: there is none."""
    return False


def user_of(identity: Identity) -> Callable[[Request], str]:
    """A dependency that gives the user's key."""

    def user(request: Request) -> str:
        found = identity.user(request)
        if found is None:
            raise SessionMissingError("your session is not known here; open the chat page again, with cookies allowed")
        return found

    return user


def admin_only(is_admin: IsAdmin) -> Callable[[Request], None]:
    """A dependency that lets administrators pass."""

    def guard(request: Request) -> None:
        if not is_admin(request):
            raise HTTPException(403, "this is for administrators")

    return guard


def same_origin(request: Request) -> None:
    """A dependency for what changes something: a browser may send it only from a page of ours.

    Browsers say where a request comes from; the cookie alone would also come along from a sibling host or port.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise HTTPException(403, "requests from other sites are not accepted")
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "requests from other sites are not accepted")
