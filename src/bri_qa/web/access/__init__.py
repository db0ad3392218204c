"""Who sends a request, what that person may do, and how it is known."""

from bri_qa.web.access.door import AccessMiddleware
from bri_qa.web.access.people import CredentialsError, Person, Resolve, Role, person

__all__ = ["AccessMiddleware", "CredentialsError", "Person", "Resolve", "Role", "person"]
