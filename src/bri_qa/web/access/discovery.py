"""What an OpenID Connect provider publishes of itself: its addresses and its keys, fetched when first needed."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import httpx2
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet, OctKey

from bri_qa.web.access.registration import is_safe

TIMEOUT = httpx2.Timeout(10, connect=5)  # seconds
FRESH_SECONDS = 3_600
_ANEW_SECONDS = 30  # tokens with keys that nobody knows must not make us ask all the time
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderDownError(Exception):
    """The provider cannot be reached, or does not answer as a provider does; the message is for the operator's log."""


class Discovered:
    """The metadata and the keys of `issuer`, each remembered for an hour."""

    def __init__(self, issuer: str, now: Callable[[], float] = time.monotonic) -> None:
        self.issuer, self._now = issuer, now
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def metadata(self) -> dict[str, Any]:
        """
        Raises:
            ProviderDownError: there is none, or it is not that of this issuer.
        """
        if self._metadata is None or self._now() - self._metadata[0] > FRESH_SECONDS:
            found = await self.json(get_well_known_url(self.issuer, external=True))
            self._check(found)
            self._metadata = (self._now(), found)
        return self._metadata[1]

    async def keys(self, anew: bool = False) -> KeySet:
        """The keys that signatures are checked with; `anew` asks for them even if some are remembered.

        Raises:
            ProviderDownError: there are none.
        """
        most = _ANEW_SECONDS if anew else FRESH_SECONDS
        if self._keys is None or self._now() - self._keys[0] > most:
            listed = (await self.json((await self.metadata())["jwks_uri"])).get("keys")
            usable = [key for item in (listed if isinstance(listed, list) else []) if (key := _key(item)) is not None]
            if not usable:
                raise ProviderDownError("the provider publishes no key that can be used")
            self._keys = (self._now(), KeySet(usable))
        return self._keys[1]

    async def json(self, address: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The object at an address of the provider's.

        Raises:
            ProviderDownError: there is none.
        """
        try:
            async with httpx2.AsyncClient(timeout=TIMEOUT, verify=certificates()) as client:
                response = await client.get(address, headers=headers)
                response.raise_for_status()
                found = response.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise ProviderDownError(f"{address} failed: {type(error).__name__}: {error!s:.200}") from error
        if not isinstance(found, dict):
            raise ProviderDownError(f"{address} is no JSON object")
        return found

    def _check(self, found: Mapping[str, Any]) -> None:
        if found.get("issuer") != self.issuer:
            raise ProviderDownError(
                f"the provider calls itself {found.get('issuer')!s:.200}; set BRI_QA_OIDC_ISSUER to exactly that"
            )
        for name in (*_NEEDED, "userinfo_endpoint"):
            address = found.get(name)
            if address is None and name not in _NEEDED:
                continue
            if not isinstance(address, str) or not is_safe(address):
                raise ProviderDownError(f"the provider's {name} is no https address")


@cache
def certificates() -> ssl.SSLContext:
    """Whom to trust on the way there; read once, for it takes longer than all the rest."""
    return httpx2.create_ssl_context()


def _key(item: Any) -> Any:
    """A public key for signatures; None for one of another kind. A shared secret is no key of a provider."""
    if not isinstance(item, dict) or item.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(item)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None if isinstance(key, OctKey) else key
