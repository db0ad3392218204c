"""What an OpenID Connect provider says of a person, as a person of ours: a name, groups, a role."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bri_qa.settings import Settings
from bri_qa.web.access.people import Person, Role

log = logging.getLogger(__name__)

NAME_CHARS = 80
GROUPS = 200
_SUBJECT_CHARS = 150
_ISSUER_CHARS = 12
_GROUP = re.compile(r"[a-z0-9._-]{1,64}")
_NAMES = ("name", "preferred_username", "email", "sub")


@dataclass(frozen=True, slots=True)
class Reading:
    """How claims are read. Roles go by the provider's own names of groups; with no `readers` everyone is one."""

    groups_claim: str = "groups"
    name_claim: str = "name"
    readers: frozenset[str] = frozenset()
    evaluators: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Reading:
        return cls(
            settings.oidc_groups_claim,
            settings.oidc_name_claim,
            _names(settings.oidc_reader_groups),
            _names(settings.oidc_evaluator_groups),
            _names(settings.oidc_administrator_groups),
        )

    def has_groups(self, claims: Mapping[str, Any]) -> bool:
        """Whether the claims say at all in which groups a person is."""
        return _claim(claims, self.groups_claim) is not None

    def person(self, issuer: str, claims: Mapping[str, Any]) -> Person:
        """Whom verified `claims` of `issuer` describe; without a role where that person may not come in."""
        named = _groups(_claim(claims, self.groups_claim))
        return Person(self._role(named), _fitting(named), user_of(issuer, claims["sub"]), "session", self._name(claims))

    def _role(self, groups: frozenset[str]) -> Role | None:
        if groups & self.administrators:
            return Role.ADMINISTRATOR
        if groups & self.evaluators:
            return Role.EVALUATOR
        return Role.READER if not self.readers or groups & self.readers else None

    def _name(self, claims: Mapping[str, Any]) -> str:
        for key in (self.name_claim, *_NAMES):
            found = _claim(claims, key)
            if isinstance(found, str) and (name := _shown(found)):
                return name
        return "?"


def user_of(issuer: str, subject: str) -> str:
    """The key of a person's history: the same at every sign-in, and apart from those of other providers."""
    if len(subject) > _SUBJECT_CHARS:
        subject = f"sha256:{sha256(subject.encode()).hexdigest()}"
    return f"oidc:{sha256(issuer.encode()).hexdigest()[:_ISSUER_CHARS]}:{subject}"


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim of that name, else the one at that path, as in `realm_access.roles`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def _groups(claim: Any) -> frozenset[str]:
    listed = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return frozenset(item for item in listed if isinstance(item, str))


def _fitting(groups: frozenset[str]) -> frozenset[str]:
    """Those that an article can name, at most `GROUPS`."""
    fitting = sorted(item for item in groups if _GROUP.fullmatch(item))
    left = sorted(groups - set(fitting)) + fitting[GROUPS:]
    if left:
        first = ", ".join(ascii(item[:64]) for item in left[:5])
        log.warning("%d groups of the provider are left out, no article can name them: %s …", len(left), first)
    return frozenset(fitting[:GROUPS])


def _shown(text: str) -> str:
    """One line of visible characters: a name is put into pages."""
    visible = "".join(character if unicodedata.category(character)[0] != "C" else " " for character in text)
    return " ".join(visible.split())[:NAME_CHARS].rstrip()


def _names(listed: str) -> frozenset[str]:
    return frozenset(item.strip() for item in listed.split(",") if item.strip())
