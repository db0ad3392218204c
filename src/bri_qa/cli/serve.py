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
    """Serve the chat at / and the API at /api/v1.

    It takes connections at once; until the index and the models are loaded, /readyz and every page say that it starts.
    """
    settings = settings_of(host=host, port=port, index_dir=index)
    from bri_qa.web import serve as run  # slow to load: only once all else is in order

    run(settings, lambda: pipeline_of(settings), lambda address: say(f"bri_qa is at {address} (Ctrl-C stops it)"))
