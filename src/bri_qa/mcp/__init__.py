"""`bri-qa mcp`: ask, search and open a source, for programs that speak the Model Context Protocol."""

from bri_qa.mcp.running import HTTP_PATH, http_app, keyed, listening, serve_http, serve_stdio

__all__ = ["HTTP_PATH", "http_app", "keyed", "listening", "serve_http", "serve_stdio"]
