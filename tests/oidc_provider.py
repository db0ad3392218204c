"""A small OpenID Connect provider on the loopback: it lets everybody in who is sent there, and is strict with servers.

It checks the client's secret, the redirect address and PKCE, and takes each code once. What it says of a person, and how
it signs that, can be changed between two sign-ins.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "bri-qa", "s3cret & more"
REDIRECT = "http://testserver/sign-in/callback"


@cache
def rsa(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@cache
def elliptic(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


@dataclass
class OidcProvider:
    """`said` is put over the ID token's claims, None takes one out; `info` is what the userinfo endpoint says."""

    server: ThreadingHTTPServer
    said: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    published: list[Any] = field(default_factory=lambda: [rsa("one")])
    key: Any = field(default_factory=lambda: rsa("one"))
    algorithm: str = "RS256"
    failing: set[str] = field(default_factory=set)
    garbled: set[str] = field(default_factory=set)
    secret: str | None = SECRET
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: list[dict[str, str]] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "public_url": "http://testserver",
        }

    def document(self) -> dict[str, Any]:
        pages = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
            "userinfo_endpoint": "/userinfo",
        }
        found: dict[str, Any] = {"issuer": self.issuer, **{name: self.issuer + path for name, path in pages.items()}}
        return {**found, **self.metadata}

    def keys(self) -> dict[str, Any]:
        return {"keys": [item.as_dict(private=False) if hasattr(item, "as_dict") else item for item in self.published]}

    def authorized(self, query: dict[str, str]) -> str:
        """Where the browser goes, with a code for the one who is always signed in here."""
        assert query["response_type"] == "code" and query["client_id"] == CLIENT
        assert query["redirect_uri"] == REDIRECT and "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{REDIRECT}?{urlencode({'code': code, 'state': query['state']})}"

    def exchanged(self, form: dict[str, str], basic: str) -> tuple[int, dict[str, Any]]:
        """The tokens for a code, or why there are none."""
        self.tokens.append(form)
        if not self._is_client(form, basic):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)
        if asked is None or form["redirect_uri"] != REDIRECT or form["grant_type"] != "authorization_code":
            return 400, {"error": "invalid_grant"}
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        return 200, {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": self.signed(asked)}

    def _is_client(self, form: dict[str, str], basic: str) -> bool:
        if self.secret is None:
            return form.get("client_id") == CLIENT and "client_secret" not in form and not basic
        if "client_secret_basic" in self.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            name, _, secret = b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            return (unquote(name), unquote(secret)) == (CLIENT, self.secret)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)

    def signed(self, asked: dict[str, str]) -> str:
        """The ID token, as it is told to be."""
        now = int(time.time())
        claims: dict[str, Any] = {"iss": self.issuer, "sub": "u-1", "aud": CLIENT, "iat": now, "exp": now + 300}
        claims |= {"nonce": asked["nonce"], "name": "Ada Example", "groups": ["staff"], **self.said}
        payload = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
        if self.algorithm == "none":
            parts = (urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b'{"alg":"none"}', payload))
            return ".".join((*parts, ""))
        header = {"alg": self.algorithm} | ({"kid": self.key.kid} if self.key.kid else {})
        return jws.serialize_compact(header, payload, self.key, algorithms=[self.algorithm])

    def trusting_the_secret(self) -> None:
        """Signs as anybody can who knows the client's secret."""
        self.algorithm, self.key = "HS256", OctKey.import_key(SECRET.ljust(32, "."), {"kid": "one"})


class _Handler(BaseHTTPRequestHandler):
    provider: OidcProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._noted(parts.path)
        if parts.path in self.provider.failing:
            self._send(503, {"error": "down"})
        elif parts.path in self.provider.garbled:
            self._send(200, ["no object"])
        elif parts.path == "/.well-known/openid-configuration":
            self._send(200, self.provider.document())
        elif parts.path == "/keys":
            self._send(200, self.provider.keys())
        elif parts.path == "/authorize":
            self._send(302, {}, self.provider.authorized(_fields(parts.query)))
        elif parts.path == "/userinfo" and self.headers["Authorization"] == "Bearer at":
            self._send(200, self.provider.info)
        else:
            self._send(404, {})

    def do_POST(self) -> None:
        self._noted(self.path)
        form = _fields(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path in self.provider.failing:
            self._send(503, {"error": "down"})
        else:
            self._send(*self.provider.exchanged(form, self.headers.get("Authorization", "")))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        pass

    def _noted(self, path: str) -> None:
        self.provider.asked.append(path)

    def _send(self, status: int, body: Any, location: str | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        if location is not None:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _fields(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded).items()}


@contextmanager
def provided() -> Iterator[OidcProvider]:
    """A provider that runs."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider = OidcProvider(server)
    handler.provider = provider  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
