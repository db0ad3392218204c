"""What the doctor says of how people are known."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bri_qa.doctor import access
from bri_qa.history import Database, Keys
from bri_qa.settings import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104


def _found(folder: Path, **settings: Any) -> dict[str, tuple[bool | None, str]]:
    made = Settings.load({}, history_dir=folder / "data", **settings)
    found = {item.name: (item.fine, item.detail) for item in access.examined(made)}
    assert all("\n" not in detail and detail for _, detail in found.values())
    return found


def test_a_laptop_is_in_order(tmp_path: Path) -> None:
    found = _found(tmp_path)
    assert not [name for name, (fine, _) in found.items() if fine is False]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("settings", "fine"),
    [
        ({}, False),
        ({"sign_in_required": True}, True),
        ({"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "x"}, True),
        ({"proxy_user_header": "X-User", "trusted_proxies": "10.0.0.1"}, True),
        ({"sign_in_required": False, "proxy_user_header": "X-User", "trusted_proxies": "10.0.0.1"}, False),
    ],
)
def test_an_address_that_others_reach_needs_a_door(tmp_path: Path, settings: dict[str, Any], fine: bool) -> None:
    found, told = _found(tmp_path, host=EVERYWHERE, **settings)["address"]
    assert found is fine and ("BRI_QA_SIGN_IN_REQUIRED=true" in told) is not fine


def test_a_proxy_s_header_without_a_trusted_proxy_is_told(tmp_path: Path) -> None:
    assert _found(tmp_path, proxy_user_header="X-User")["proxy's names"][0] is False
    assert "of no use alone" in _found(tmp_path, proxy_groups_header="X-Groups")["proxy's names"][1]
    fine, told = _found(tmp_path, proxy_user_header="X-User", trusted_proxies="10.0.0.1")["proxy's names"]
    assert fine and told == "X-User is believed from 10.0.0.1"


def test_an_audit_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.jsonl"
    path.parent.mkdir()
    path.touch()
    assert _found(tmp_path)["audit log"] == (True, f"{path} is written")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert _found(tmp_path)["audit log"][0] is False
    path.unlink()
    path.mkdir()
    assert "no ordinary file" in _found(tmp_path)["audit log"][1]


def test_whether_anybody_administers_is_told(tmp_path: Path) -> None:
    assert _found(tmp_path)["administrators"][0] is None
    database = Database.open(tmp_path / "data")
    keys = Keys(database)
    keys.new("nightly", "evaluator", (), (), None)
    assert _found(tmp_path)["administrators"] == (
        None,
        "nobody may administer over the web (1 keys); bri-qa keys new NAME --role administrator",
    )
    keys.new("owner", "administrator", (), (), 1)
    assert _found(tmp_path)["administrators"] == (True, "1 of 2 keys")
    keys.revoke("owner")
    assert _found(tmp_path)["administrators"][0] is None
    database.close()
    by_proxy = {"proxy_user_header": "X-User", "trusted_proxies": "10.0.0.1", "proxy_administrator_groups": "owners"}
    assert _found(tmp_path, **by_proxy)["administrators"] == (True, "the groups owners")


@contextmanager
def _publishing(changes: dict[str, Any]) -> Iterator[str]:
    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = f"http://127.0.0.1:{server.server_port}"
            body = {"issuer": here} | {
                name: f"{here}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            }
            self.send_response(200 if self.path == "/.well-known/openid-configuration" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(body | changes).encode())

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("changes", "fine", "what"),
    [
        ({}, True, "answers"),
        ({"issuer": "https://other.example"}, False, "calls itself https://other.example"),
        ({"token_endpoint": "http://other.example/token"}, False, "token_endpoint is no https address"),
        ({"jwks_uri": None}, False, "jwks_uri is no https address"),
    ],
)
def test_the_provider_is_asked(tmp_path: Path, changes: dict[str, Any], fine: bool, what: str) -> None:
    with _publishing(changes) as issuer:
        found, told = _found(tmp_path, oidc_issuer=issuer, oidc_client_id="x")["sign-in provider"]
    assert found is fine and what in told


def test_a_provider_that_is_not_there_is_told(tmp_path: Path) -> None:
    found, told = _found(tmp_path, oidc_issuer="http://127.0.0.1:1", oidc_client_id="x")["sign-in provider"]
    assert found is False and "mend BRI_QA_OIDC_ISSUER" in told
