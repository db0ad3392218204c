"""The server's log: one line an event, as JSON or for people; the libraries' own logs go the same way."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.types import Processor

from bri_qa.settings import Settings
from bri_qa.web import request_ids

_CHATTY = ("httpx", "httpcore", "asyncio", "multipart", "python_multipart", "urllib3", "gradio", "matplotlib")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """All that is logged in this process goes to `stream`, by default standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(settings.log_format, handler.stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    level = logging.getLevelName(settings.log_level.upper())
    root.setLevel(logging.INFO if level == logging.DEBUG else max(level, logging.WARNING))  # the libraries'
    logging.getLogger("bri_qa").setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _formatter(form: str, colours: bool) -> logging.Formatter:
    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request,
    ]
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if form == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        plain = structlog.dev.plain_traceback
        last += [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain, pad_event_to=0)]
    return structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=first)


def _with_request(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The id of the request in which it happened."""
    identity = request_ids.current.get()
    if identity:
        event.setdefault("request_id", identity)
    return event
