"""Known by what a reverse proxy says in a header: only where the connection itself comes from a trusted one."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from bri_qa.errors import SettingsError
from bri_qa.settings import Settings
from bri_qa.web.access.people import CredentialsError, Person, Role
from bri_qa.web.operation.forwarded import PEER, trusted

log = logging.getLogger(__name__)

USER_CHARS = 200
GROUPS = 200
_GROUP = re.compile(r"[a-z0-9._-]{1,64}")
_TAKEN = ("authorization", "cookie", "host", "origin", "x-forwarded-for", "x-forwarded-proto")


@dataclass(frozen=True, slots=True)
class ProxyIdentity:
    """`user_header` and `groups_header` are in small letters; without the latter nobody has groups."""

    user_header: str
    groups_header: str | None
    networks: Sequence[IPv4Network | IPv6Network]
    evaluators: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()

    @classmethod
    def open(cls, settings: Settings) -> ProxyIdentity | None:
        """What `settings` name, None where no header is to be believed.

        Raises:
            SettingsError: nobody is trusted, or everybody; or a header or group that cannot be used.
        """
        user, groups = settings.proxy_user_header.lower(), settings.proxy_groups_header.lower()
        if not user:
            if groups:
                raise SettingsError("BRI_QA_PROXY_GROUPS_HEADER is of no use alone; set BRI_QA_PROXY_USER_HEADER too")
            return None
        _check(user, groups)
        return cls(
            user,
            groups or None,
            _networks(settings.trusted_proxies),
            _names(settings.proxy_evaluator_groups, "BRI_QA_PROXY_EVALUATOR_GROUPS"),
            _names(settings.proxy_administrator_groups, "BRI_QA_PROXY_ADMINISTRATOR_GROUPS"),
        )

    def person(self, connection: HTTPConnection) -> Person | None:
        """Whom the proxy names; None where it names nobody.

        Raises:
            CredentialsError: the headers come from elsewhere, more than once, or hold no name.
        """
        names = [self.user_header, *([self.groups_header] if self.groups_header else [])]
        sent = [name for name in names if name in connection.headers]
        if not sent:
            return None
        if not self._is_trusted(connection):
            raise CredentialsError(f"only the proxy may send {sent[0]}; leave it out, or ask through the proxy")
        user = _name(_one(connection.headers, self.user_header), self.user_header)
        if not user:
            return None
        groups = self._groups(connection)
        return Person(self._role(groups), groups, f"proxy:{user}", "proxy", user)

    def _is_trusted(self, connection: HTTPConnection) -> bool:
        """By the address of the connection, which no header can change."""
        try:
            peer = ip_address(str(connection.scope.get(PEER, "")))
        except ValueError:
            return False
        if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        return any(peer in network for network in self.networks)

    def _groups(self, connection: HTTPConnection) -> frozenset[str]:
        if self.groups_header is None:
            return frozenset()
        named = [item.strip() for item in _one(connection.headers, self.groups_header).split(",") if item.strip()]
        fitting = [item for item in named if _GROUP.fullmatch(item)]
        if len(fitting) < len(named):
            log.warning("%d groups that a proxy named are left out: they are no names", len(named) - len(fitting))
        if len(fitting) > GROUPS:
            raise CredentialsError(f"{self.groups_header} names more than {GROUPS} groups; send fewer")
        return frozenset(fitting)

    def _role(self, groups: frozenset[str]) -> Role:
        if groups & self.administrators:
            return Role.ADMINISTRATOR
        return Role.EVALUATOR if groups & self.evaluators else Role.READER


def _one(headers: Headers, name: str) -> str:
    """The text of a header that may be there once, as its UTF-8 reads."""
    sent = headers.getlist(name)
    if len(sent) > 1:
        raise CredentialsError(f"{name} is there more than once; the proxy must replace what a browser sends")
    try:
        return sent[0].encode("latin-1").decode() if sent else ""
    except UnicodeDecodeError:
        raise CredentialsError(f"{name} is no UTF-8; the proxy must send it so") from None


def _name(sent: str, header: str) -> str:
    """A name for the history's key. One that is too long is refused, not cut: two people must not become one."""
    name = " ".join(unicodedata.normalize("NFC", sent).split())
    if len(name) > USER_CHARS or any(unicodedata.category(character)[0] == "C" for character in name):
        raise CredentialsError(f"{header} holds no name: send one of at most {USER_CHARS} visible characters")
    return name


def _check(user: str, groups: str) -> None:
    """
    Raises:
        SettingsError: the headers are the same, or one has a meaning of its own.
    """
    if user == groups:
        raise SettingsError("BRI_QA_PROXY_USER_HEADER and BRI_QA_PROXY_GROUPS_HEADER are the same; name two headers")
    for name in (user, groups):
        if name in _TAKEN:
            raise SettingsError(f"{name} has a meaning of its own; name another header for BRI_QA_PROXY_*_HEADER")


def _networks(proxies: str) -> list[IPv4Network | IPv6Network]:
    """
    Raises:
        SettingsError: there is none, one is neither address nor network, or one is everyone.
    """
    found = [ip_network(item) for item in trusted(proxies)]
    if not found:
        raise SettingsError(
            "BRI_QA_PROXY_USER_HEADER needs BRI_QA_TRUSTED_PROXIES: else anyone could send the header; name the proxy"
        )
    if any(network.prefixlen == 0 for network in found):
        raise SettingsError("BRI_QA_TRUSTED_PROXIES is everyone, who could then be anyone; name the proxy")
    return found


def _names(listed: str, setting: str) -> frozenset[str]:
    """
    Raises:
        SettingsError: one is no group's name.
    """
    found = frozenset(item.strip() for item in listed.split(",") if item.strip())
    for item in sorted(found):
        if not _GROUP.fullmatch(item):
            raise SettingsError(f"{setting}: {item!r} is no group; use a-z, 0-9 and . _ -, at most 64 characters")
    return found
