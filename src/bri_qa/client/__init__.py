"""A client of the API for other programs: `Client("https://qa.example", api_key="…").ask("Who is quoted?")`.

It stands alone: it loads no model and no part of the server, and it checks what it is given.
"""

from bri_qa.client.client import Client
from bri_qa.client.errors import (
    ClientError,
    ForbiddenError,
    MissingError,
    OverloadedError,
    RefusedError,
    ServerError,
    SignInError,
    UnreachableError,
)
from bri_qa.client.events import Answered, Event, Progress, StatementReady
from bri_qa.client.results import (
    Answer,
    Citation,
    Document,
    DocumentPassage,
    DocumentPassages,
    Documents,
    DocumentSummary,
    Failed,
    Filters,
    Found,
    Passage,
    Rated,
    SearchResult,
    Statement,
    Turn,
)

__all__ = [
    "Answer",
    "Answered",
    "Citation",
    "Client",
    "ClientError",
    "Document",
    "DocumentPassage",
    "DocumentPassages",
    "DocumentSummary",
    "Documents",
    "Event",
    "Failed",
    "Filters",
    "ForbiddenError",
    "Found",
    "MissingError",
    "OverloadedError",
    "Passage",
    "Progress",
    "Rated",
    "RefusedError",
    "SearchResult",
    "ServerError",
    "SignInError",
    "Statement",
    "StatementReady",
    "Turn",
    "UnreachableError",
]
