"""Who is at the other end: the peer, or the one whom a trusted proxy names. What others say of it is not believed."""

from __future__ import annotations

from collections.abc import Container
from ipaddress import ip_address, ip_network
from typing import Any, cast

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bri_qa.errors import SettingsError

PEER = "bri_qa.peer"  # in the scope: the address of the other end of the connection, whatever its headers say
_SAYS = (b"x-forwarded-for", b"forwarded", b"x-real-ip")
_LEADS = (b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")  # Gradio writes them into its page


def trusted(proxies: str) -> list[str]:
    """The addresses and networks of the setting `trusted_proxies`.

    Raises:
        SettingsError: one of them is neither.
    """
    found = [item.strip() for item in proxies.split(",") if item.strip()]
    for item in found:
        try:
            ip_network(item)
        except ValueError as error:
            raise SettingsError(
                f"BRI_QA_TRUSTED_PROXIES: {error}; name addresses or networks, as in 127.0.0.1,10.0.0.0/8"
            ) from None
    return found


class ForwardedMiddleware:
    """Takes the client's address and scheme from X-Forwarded-For and -Proto where a trusted proxy sends them.

    From anyone else, what says where the server is goes no further.
    """

    def __init__(self, app: ASGIApp, proxies: list[str]) -> None:
        known = ProxyHeadersMiddleware(cast(Any, app), proxies)
        self.app = cast(ASGIApp, known) if proxies else app
        self.trusted = cast(Container[str], known.trusted_hosts if proxies else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[PEER] = scope["client"][0] if scope.get("client") else ""
            if scope[PEER] not in self.trusted:
                scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in _LEADS]
        await self.app(scope, receive, send)


def peer(connection: HTTPConnection) -> str:
    """The address of the other end of the connection; "" where it has none."""
    found = connection.scope.get(PEER)
    return found if isinstance(found, str) else address(connection)


def address(connection: HTTPConnection) -> str:
    """The client's address, as far as it is to be believed; "" where it has none."""
    return connection.client.host if connection.client else ""


def network(connection: HTTPConnection) -> str:
    """What counts as one address: of IPv6 the /64 that one customer has."""
    try:
        found = ip_address(address(connection))
    except ValueError:
        return address(connection)
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def is_local(connection: HTTPConnection) -> bool:
    """Whether the request was made on this machine and not passed on by a proxy on it."""
    behind = any(name in _SAYS for name, _ in connection.scope["headers"]) and peer(connection) == address(connection)
    try:
        return not behind and ip_address(address(connection)).is_loopback
    except ValueError:
        return False
