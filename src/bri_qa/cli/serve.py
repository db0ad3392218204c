"""`bri-qa serve`: the chat and the API."""

from __future__ import annotations

from typing import Annotated

import typer

from bri_qa.cli.common import Index, app, pipeline_of, say, settings_of


@app.command(short_help="Serve the chat and the API.")
def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to bind (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to bind (default: 7860).")] = None,
    index: Index = None,
) -> None:
    """Serve the chat at / and the API at /api/v1."""
    settings = settings_of(host=host, port=port, index_dir=index)
    pipeline = pipeline_of(settings)
    from bri_qa import web  # slow to load: only once all else is in order

    web.serve(settings, pipeline, lambda address: say(f"bri_qa is at {address} (Ctrl-C stops it)"))
