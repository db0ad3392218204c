"""`bri-qa mcp`: the tools for programs that speak the Model Context Protocol."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import partial
from typing import Annotated

import typer

from bri_qa.cli.common import Index, app, pipeline_of, settings_of
from bri_qa.errors import SettingsError


@app.command(short_help="Serve ask, search and open_source over MCP.")
def mcp(
    index: Index = None,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP instead of standard input and output.")] = False,
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to bind; others than this machine's own need keys (default: 127.0.0.1)."),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="Port to bind (default: 7861).")] = None,
) -> None:
    """Serve the tools ask, search and open_source over the Model Context Protocol.

    By default on standard input and output, for the program that starts it; with --http at /mcp, for programs of this
    machine, and of others with an API key (bri-qa keys).
    """
    if not http and (host, port) != (None, None):
        raise SettingsError("--host and --port go with --http; without it the protocol is on standard input and output")
    settings = settings_of(index_dir=index)
    from bri_qa import mcp as served  # slow to load: only once all else is in order

    if http:
        at, port = host or "127.0.0.1", 7_861 if port is None else port
        with served.keyed(settings) as known, served.listening(at, port, known is not None) as listener:
            told = partial(print, file=sys.stderr)
            served.serve_http(pipeline_of(settings), listener, known, told)
        return
    with redirect_stdout(sys.stderr):  # standard output holds the protocol and nothing else
        pipeline = pipeline_of(settings)
    served.serve_stdio(pipeline)
