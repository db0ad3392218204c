"""The web edge: one FastAPI application with the chat at `/`, the API at `/api/v1` and the articles at `/source`."""

import os

# Gradio reads the first while it is imported. The others end its bookkeeping, which is shown on a page that is shut
# here and weighs on every question.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"

from typing import TYPE_CHECKING, Any

from bri_qa.web.stubs import unwritten

if TYPE_CHECKING:
    from bri_qa.web.app import create_app
    from bri_qa.web.operation.serving import serve

__all__ = ["create_app", "serve"]

unwritten()


def __getattr__(name: str) -> Any:
    """Gradio takes seconds to import: the server binds before it does."""
    if name == "create_app":
        from bri_qa.web.app import create_app

        return create_app
    if name == "serve":
        from bri_qa.web.operation.serving import serve

        return serve
    raise AttributeError(name)
