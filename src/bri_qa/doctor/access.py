"""Looks over how people are known: who may come in from where, the provider of signing in, the keys, the audit log."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from bri_qa.doctor.findings import Finding, tried
from bri_qa.errors import SettingsError
from bri_qa.settings import Settings

_SECONDS = 5.0
_WELL_KNOWN = "/.well-known/openid-configuration"
_PUBLISHED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_AUDIT = "audit.jsonl"
_HISTORY = "history.sqlite"


def examined(settings: Settings) -> Iterator[Finding]:
    """One finding a check."""
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("address", address),
        ("proxy's names", _proxy),
        ("audit log", _audit),
    )
    for name, look in checks:
        yield tried(name, lambda look=look: look(settings))  # type: ignore[misc]
    yield _provider(settings)
    yield _administrators(settings)


def near(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(settings: Settings) -> str:
    """
    Raises:
        SettingsError: people of elsewhere come in unknown.
    """
    if near(settings.host):
        return f"{settings.host} is reached from this machine alone"
    if settings.signs_in():
        return f"whoever reaches {settings.host} has to sign in or send a key"
    raise SettingsError(
        f"whoever reaches {settings.host} may ask, for nobody signs in; set BRI_QA_SIGN_IN_REQUIRED=true, "
        "or bind 127.0.0.1 (BRI_QA_HOST) behind a proxy"
    )


def _proxy(settings: Settings) -> str:
    if not settings.proxy_user_header:
        if settings.proxy_groups_header:
            raise SettingsError("BRI_QA_PROXY_GROUPS_HEADER is of no use alone; set BRI_QA_PROXY_USER_HEADER too")
        return "no proxy says who signs in"
    if not settings.trusted_proxies.strip():
        raise SettingsError(
            "BRI_QA_PROXY_USER_HEADER needs BRI_QA_TRUSTED_PROXIES: else anyone could send the header; name the proxy"
        )
    return f"{settings.proxy_user_header} is believed from {settings.trusted_proxies}"


def _audit(settings: Settings) -> str:
    path = settings.history_dir / _AUDIT
    if not os.path.lexists(path):
        return f"{path} is made with its first line"
    if path.is_symlink() or not path.is_file():
        raise SettingsError(f"{path} is no ordinary file, so that nothing can be administered; move it away")
    if not os.access(path, os.W_OK):
        raise SettingsError(f"{path} cannot be written, so that nothing can be administered; mend its permissions")
    return f"{path} is written"


def _provider(settings: Settings) -> Finding:
    name = "sign-in provider"
    if settings.oidc_issuer is None:
        return Finding(name, None, "none is set (BRI_QA_OIDC_ISSUER)")
    return tried(name, lambda: _published(settings.oidc_issuer or ""))


def _published(issuer: str) -> str:
    where = issuer.rstrip("/") + _WELL_KNOWN
    try:
        response = httpx.get(where, timeout=_SECONDS)
        response.raise_for_status()
        found = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SettingsError(f"{where} does not answer as it should ({error!s:.200}); mend BRI_QA_OIDC_ISSUER") from None
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        calls = found.get("issuer") if isinstance(found, dict) else None
        raise SettingsError(f"the provider calls itself {calls!s:.200}; set BRI_QA_OIDC_ISSUER to exactly that")
    for part in _PUBLISHED:
        shown = urlsplit(str(found.get(part, "")))
        if shown.scheme != "https" and not near(shown.hostname or ""):
            raise SettingsError(f"the provider's {part} is no https address; nobody can sign in there")
    return f"{issuer} answers"


def _administrators(settings: Settings) -> Finding:
    """That nobody administers is told and does not fail: the command line does it too."""
    name = "administrators"
    named = (settings.oidc_issuer and settings.oidc_administrator_groups) or (
        settings.proxy_user_header and settings.proxy_administrator_groups
    )
    if named:
        return Finding(name, True, f"the groups {named}")
    roles = _roles(settings)
    if "administrator" in roles:
        return Finding(name, True, f"{roles.count('administrator')} of {len(roles)} keys")
    return Finding(
        name,
        None,
        f"nobody may administer over the web ({len(roles)} keys); bri-qa keys new NAME --role administrator",
    )


def _roles(settings: Settings) -> list[str]:
    """Of the keys in use. The file is only read: opening it as the server does would bring it up to date."""
    path = settings.history_dir / _HISTORY
    if not path.is_file():
        return []
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as database:
            rows = database.execute(
                "SELECT role FROM api_keys WHERE revoked IS NULL AND (expires IS NULL OR expires > ?)", (now,)
            )
            return [role or "" for (role,) in rows]
    except sqlite3.Error:
        return []  # an older file has no keys; a damaged one is told of elsewhere
