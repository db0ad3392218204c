"""The chat as a part of other people's pages: its script, and the tokens that it asks with."""

from bri_qa.web.widget.routes import router

__all__ = ["router"]
