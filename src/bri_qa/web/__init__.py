"""The web edge: one FastAPI application with the chat at `/`, the API at `/api/v1` and the articles at `/source`."""

from bri_qa.web.app import create_app, serve

__all__ = ["create_app", "serve"]
