"""Is all in order? Each part is tried as it is configured, and the deployment is looked over."""

from __future__ import annotations

from collections.abc import Iterator

from bri_qa.doctor import access, deployment, parts
from bri_qa.doctor.findings import Finding
from bri_qa.settings import Settings

__all__ = ["Finding", "access", "deployment", "examined", "parts"]


def examined(settings: Settings) -> Iterator[Finding]:
    """What was found, one by one; a part that fails does not keep the others from being tried."""
    yield from parts.examined(settings)
    yield from deployment.examined(settings)
    yield from access.examined(settings)
