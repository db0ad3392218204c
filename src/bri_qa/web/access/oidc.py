"""Signing in at an OpenID Connect provider: authorization code with PKCE, and an ID token that is checked in full.

The browser carries one signed ticket of ten minutes there and back. Nonce and PKCE verifier are made of its state with
the server's secret, so that the verifier never leaves the server before the code is exchanged.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from bri_qa.web.access.claims import Reading
from bri_qa.web.access.discovery import TIMEOUT, Discovered, ProviderDownError, certificates
from bri_qa.web.access.people import Person
from bri_qa.web.access.registration import Registration

log = logging.getLogger(__name__)

TICKET_SECONDS = 600
SKEW_SECONDS = 60
# Signed with the provider's private key: what anyone who knows the client's secret can make is no proof.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class RefusedError(Exception):
    """Nobody is signed in. `code` says why: `stale`, `token`, `cancelled`; the message is for the operator's log."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser is sent, and the ticket that it takes along."""

    address: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider at which this server is registered; `key` is the server's own secret."""

    registration: Registration
    reading: Reading
    discovered: Discovered
    key: bytes
    now: Callable[[], float] = time.time
    used: dict[str, float] = field(default_factory=dict)

    async def begin(self, onward: str) -> Begun:
        """A sign-in that leads to the path `onward` in the end.

        Raises:
            ProviderDownError: the provider cannot be asked.
        """
        found, state = await self.discovered.metadata(), secrets.token_urlsafe(24)
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                found["authorization_endpoint"],
                state=state,
                nonce=self._made("nonce", state),
                code_verifier=self._made("verifier", state),
            )
        return Begun(address, str(self._tickets().dumps({"state": state, "onward": onward})))

    async def finish(self, ticket: str, answer: Mapping[str, str]) -> tuple[Person, str]:
        """Who came back with `ticket` and the provider's `answer`, and the path to go on to. A ticket serves once.

        Raises:
            RefusedError: ticket, answer or ID token are not in order.
            ProviderDownError: the provider cannot be asked.
        """
        state, onward = self._ticket(ticket, answer.get("state", ""))
        issuer = self.registration.issuer
        if answer.get("iss", issuer) != issuer:
            raise RefusedError("token", "another provider answered")
        if "error" in answer:
            raise RefusedError("cancelled", f"the provider says {answer['error'][:80]!a}")
        if not answer.get("code"):
            raise RefusedError("stale", "the provider sent no code")
        token = await self._exchanged(answer["code"], state)
        claims = await self._checked(token, self._made("nonce", state))
        if not self.reading.has_groups(claims):
            claims = {**await self._asked(token, claims["sub"]), **claims}
        return self.reading.person(issuer, claims), onward

    def _ticket(self, ticket: str, state: str) -> tuple[str, str]:
        try:
            content: dict[str, str] = self._tickets().loads(ticket, max_age=TICKET_SECONDS)
        except BadData:
            raise RefusedError("stale", "there is no ticket, or it is too old") from None
        if not hmac.compare_digest(content["state"].encode(), state.encode("utf-8", "replace")):
            raise RefusedError("stale", "state and ticket do not belong together")
        now = self.now()
        for old in [name for name, end in self.used.items() if end < now]:
            self.used.pop(old, None)
        if state in self.used:
            raise RefusedError("stale", "the ticket was used before")
        self.used[state] = now + TICKET_SECONDS + SKEW_SECONDS
        return state, content["onward"]

    async def _exchanged(self, code: str, state: str) -> dict[str, Any]:
        """The tokens for `code`."""
        found = await self.discovered.metadata()
        try:
            async with self._client(found) as client:
                token: dict[str, Any] = await client.fetch_token(
                    found["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=self._made("verifier", state),
                )
        except OAuthError as error:
            raise RefusedError("token", f"the provider gave no token: {error!s:.200}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderDownError(f"the token endpoint failed: {type(error).__name__}: {error!s:.200}") from error
        if not isinstance(token.get("id_token"), str):
            raise RefusedError("token", "the provider sent no ID token; is openid among BRI_QA_OIDC_SCOPES?")
        return token

    async def _checked(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token, which is from this provider, for this server, for this sign-in and of this time."""
        registration = self.registration
        options = {
            "iss": {"essential": True, "value": registration.issuer},
            "aud": {"essential": True, "value": registration.client_id},
            "sub": {"essential": True},
        }
        wanted = {"nonce": nonce, "client_id": registration.client_id, "access_token": token.get("access_token")}
        try:
            read = await self._read(token["id_token"])
            claims = CodeIDToken(read.claims, read.header, options, wanted)
            claims.validate(now=int(self.now()), leeway=SKEW_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise RefusedError("token", f"the ID token is not in order: {error!s:.200}") from error
        return dict(claims)

    async def _read(self, id_token: str) -> jwt.Token:
        """With a signature that fits. Providers change their keys: one that is not known is looked for once more."""
        try:
            return jwt.decode(id_token, await self.discovered.keys(), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            return jwt.decode(id_token, await self.discovered.keys(anew=True), algorithms=ALGORITHMS)

    async def _asked(self, token: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """What the provider says of the person beyond the ID token."""
        address = (await self.discovered.metadata()).get("userinfo_endpoint")
        if address is None or not isinstance(token.get("access_token"), str):
            return {}
        said = await self.discovered.json(address, {"Authorization": f"Bearer {token['access_token']}"})
        if said.get("sub") != subject:
            raise RefusedError("token", "the userinfo is about somebody else")
        return said

    def _client(self, found: Mapping[str, Any] | None = None) -> Any:
        registration = self.registration
        return AsyncOAuth2Client(
            registration.client_id,
            registration.client_secret,
            token_endpoint_auth_method=registration.method((found or {}).get("token_endpoint_auth_methods_supported")),
            scope=registration.scopes,
            redirect_uri=registration.redirect,
            code_challenge_method="S256",
            timeout=TIMEOUT,
            verify=certificates(),
        )

    def _made(self, what: str, state: str) -> str:
        digest = hmac.new(self.key, f"oidc {what} {state}".encode(), sha256).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _tickets(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.key, salt="bri_qa.web.access.oidc", signer_kwargs={"digest_method": sha256})
