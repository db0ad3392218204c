"""This server as an OpenID Connect provider knows it, checked when the server starts."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from bri_qa.errors import SettingsError
from bri_qa.settings import Settings

CALLBACK = "/sign-in/callback"
_SET_WITH_IT = ("oidc_client_id", "oidc_client_secret", "oidc_client_secret_file")


@dataclass(frozen=True, slots=True)
class Registration:
    """`redirect` is where the provider sends people back to; without `client_secret` PKCE alone proves who asks."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str
    redirect: str

    @classmethod
    def open(cls, settings: Settings) -> Registration | None:
        """What `settings` name; None where no provider is named.

        Raises:
            SettingsError: they do not fit together, or the secret's file cannot be read.
        """
        issuer, client = settings.oidc_issuer, settings.oidc_client_id
        if issuer is None:
            alone = [name for name in _SET_WITH_IT if getattr(settings, name) is not None]
            if alone:
                raise SettingsError(f"BRI_QA_{alone[0].upper()} is of no use alone; set BRI_QA_OIDC_ISSUER too")
            return None
        parts = urlsplit(issuer)
        if not is_safe(issuer) or parts.query or parts.fragment:
            raise SettingsError(
                "BRI_QA_OIDC_ISSUER must be an https address without a query, as in https://login.example/realms/staff"
            )
        if client is None:
            raise SettingsError("BRI_QA_OIDC_ISSUER needs BRI_QA_OIDC_CLIENT_ID, the id that the provider gave")
        if settings.public_url is None:
            raise SettingsError(
                "BRI_QA_OIDC_ISSUER needs BRI_QA_PUBLIC_URL: the provider sends people back to its /sign-in/callback"
            )
        if settings.oidc_client_secret is not None and settings.oidc_client_secret_file is not None:
            raise SettingsError("BRI_QA_OIDC_CLIENT_SECRET and BRI_QA_OIDC_CLIENT_SECRET_FILE: set one of them")
        if "openid" not in settings.oidc_scopes.split():
            raise SettingsError("BRI_QA_OIDC_SCOPES must hold openid, as in 'openid profile email'")
        redirect = settings.public_url.rstrip("/") + CALLBACK
        return cls(issuer, client, settings.oidc_secret(), settings.oidc_scopes, redirect)

    def method(self, supported: object) -> str:
        """How this server shows its secret, of those ways that the provider knows."""
        if self.client_secret is None:
            return "none"
        ways = supported if isinstance(supported, list) else []
        return "client_secret_post" if ways and "client_secret_basic" not in ways else "client_secret_basic"


def is_safe(address: str) -> bool:
    """Whether nobody on the way can read or change what is sent there: https, or this very machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
