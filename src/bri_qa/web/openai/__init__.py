"""`/v1`: bri_qa as a model of the OpenAI chat protocol, streamed and not, with its citations."""

from bri_qa.web.openai.errors import ErrorsMiddleware
from bri_qa.web.openai.routes import router

__all__ = ["ErrorsMiddleware", "router"]
