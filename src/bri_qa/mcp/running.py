"""The two ways in: standard input and output for one user of this machine, and HTTP."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp

from bri_qa.errors import SettingsError
from bri_qa.history import Database, Keys
from bri_qa.mcp.server import made
from bri_qa.settings import Settings
from bri_qa.web.access import AccessMiddleware, CredentialsError, Person, Resolve, Role, person
from bri_qa.web.access.resolver import ByKey, resolver
from bri_qa.web.service import Pipeline

HTTP_PATH = "/mcp"

_OWNER = Person(Role.READER, groups=None, via="process")  # whoever may start the process may read the index
_ANYONE = Person(Role.READER, via="loopback")


def serve_stdio(pipeline: Pipeline) -> None:
    """Speak the protocol on standard input and output until the input ends."""
    made(pipeline, lambda _: _OWNER).run("stdio")


@contextmanager
def keyed(settings: Settings) -> Iterator[Resolve | None]:
    """Who sends a request, by API key; None where there are no keys and nobody has to sign in.

    Raises:
        HistoryError: the keys cannot be read.
    """
    if not (settings.signs_in() or (settings.history_dir / "history.sqlite").is_file()):
        yield None
        return
    database = Database.open(settings.history_dir)
    try:
        keys = Keys(database)
        required = settings.signs_in() or keys.any_alive()
        yield resolver([ByKey(keys)], lambda _: Person()) if required else None
    finally:
        database.close()


def http_app(pipeline: Pipeline, resolve: Resolve | None = None, host: str = "127.0.0.1") -> ASGIApp:
    """The application of the streamable HTTP transport, bound to `host`; on the loopback it answers to its names alone.

    `resolve` says who sent a request; by default everyone reads what is open to all.
    """
    known = resolve or (lambda _: _ANYONE)

    def reader(connection: HTTPConnection) -> Person:
        who = known(connection)
        if not who.may(Role.READER):
            raise CredentialsError("send a key in the header Authorization: Bearer …")
        return who

    app = made(pipeline, _who).streamable_http_app(
        streamable_http_path=HTTP_PATH, stateless_http=True, json_response=True, host=host
    )
    app.add_middleware(AccessMiddleware, resolve=reader)
    return app


def _who(context: Context[Any, Any]) -> Person:
    request = context.request_context.request
    return person(request) if isinstance(request, Request) else Person()


def serve_http(
    pipeline: Pipeline,
    listener: socket.socket,
    resolve: Resolve | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve it on `listener` until it is told to stop, to whom `resolve` knows. `announce` is told the address."""
    host, port = listener.getsockname()[:2]
    if announce is not None:
        announce(f"bri_qa is at http://{f'[{host}]' if ':' in host else host}:{port}{HTTP_PATH} (Ctrl-C stops it)")
    config = uvicorn.Config(
        http_app(pipeline, resolve, "127.0.0.1" if _is_loopback(host) else host),
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run(sockets=[listener])


def listening(host: str, port: int, needs_key: bool = False) -> socket.socket:
    """A socket that listens on the loopback, or elsewhere where every request needs a key.

    Raises:
        SettingsError: `host` is not of the loopback and no key is needed, or it cannot be bound.
    """
    if not host or not (needs_key or _is_loopback(host)):
        raise SettingsError(
            f"--host {host}: without keys, MCP over HTTP is served to this machine alone; make one with bri-qa keys "
            "new, or name 127.0.0.1, ::1 or localhost"
        )
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be bound ({error.strerror}); name another --port") from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
