"""`bri-qa serve`: binds at once, loads, says where it is, and ends within a bound."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from bri_qa.errors import SettingsError
from bri_qa.settings import Settings
from bri_qa.web.operation import logs
from bri_qa.web.operation.front import Front
from bri_qa.web.operation.patience import PatientProtocol

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bri_qa.web.service import Pipeline


def serve(settings: Settings, load: Callable[[], Pipeline], announce: Callable[[str], None] | None = None) -> None:
    """Serve until it is told to stop; what is being answered then is finished first, within `shutdown_timeout`.

    `load` gives the pipeline; meanwhile /healthz answers and all else says that the server is starting. `announce` is
    told the address once questions are answered there.

    Raises:
        SettingsError: the address cannot be bound.
        BriQAError: what `load` raises.
    """
    logs.configure(settings)
    trouble: list[BaseException] = []
    with _bound(settings.host, settings.port) as listener, _quiet_term():
        host, port = listener.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"

        def ended(error: BaseException | None) -> None:
            if error is not None:
                trouble.append(error)
                server.should_exit = True
            elif announce is not None:
                announce(address)

        server = uvicorn.Server(_config(settings, Front(lambda: _loaded(load), lambda it: _app(settings, it), ended)))
        server.run(sockets=[listener])
    if trouble:
        raise trouble[0]


def _loaded(load: Callable[[], Pipeline]) -> Pipeline:
    """The pipeline; with it, in its thread, what is slow to import."""
    found = load()
    import bri_qa.web.app  # noqa: F401

    return found


def _app(settings: Settings, pipeline: Pipeline) -> FastAPI:
    from bri_qa.web.app import create_app

    return create_app(settings, pipeline)


def _config(settings: Settings, front: Front) -> uvicorn.Config:
    return uvicorn.Config(
        front,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `forwarded` believes the trusted ones
        timeout_keep_alive=15,
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )


@contextmanager
def _quiet_term() -> Iterator[None]:
    """uvicorn sends SIGTERM once more after it has stopped in order; that is no reason to die of it."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"{host}:{port} cannot be bound ({error.strerror}); name another address with --host or --port"
        ) from error
