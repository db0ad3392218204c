"""What a request merely says of itself is not believed: addresses, names, hosts, and headers that are there twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bri_qa.history import Database, History, Keys
from bri_qa.types import Question
from bri_qa.web.identity import COOKIE, Identity, secret
from tests.fakes import FakePipeline
from tests.housing import assert_problem
from tests.keeping import QUAY
from tests.serving import made

PROXY, STRANGER, EVIL = "10.1.2.3", "192.0.2.7", "evil.example"
ASK = {"question": QUAY}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def app(folder: Path) -> Any:
    return made(
        FakePipeline(),
        history=folder,
        trusted_proxies=PROXY,
        proxy_user_header="X-Remote-User",
        proxy_groups_header="X-Remote-Groups",
        proxy_administrator_groups="owners",
        rate_limit_ask="2/hour",
    )


@pytest.fixture(scope="module")
def lived(app: Any) -> Iterator[Any]:
    with TestClient(app, raise_server_exceptions=False):
        yield app


@contextmanager
def _from(app: Any, address: str) -> Iterator[TestClient]:
    yield TestClient(app, raise_server_exceptions=False, client=(address, 1), follow_redirects=False)


AS_OWNER = {"X-Remote-User": "anna", "X-Remote-Groups": "owners"}


def test_only_the_proxy_says_who_asks(lived: Any) -> None:
    with _from(lived, PROXY) as proxy, _from(lived, STRANGER) as stranger:
        assert proxy.get("/api/v1/documents", headers=AS_OWNER).status_code == 200
        assert proxy.get("/admin/add", headers=AS_OWNER).status_code == 200
        assert_problem(
            stranger.get("/api/v1/documents", headers=AS_OWNER), 401, "credentials_invalid", "only the proxy"
        )
        assert_problem(stranger.get("/api/v1/documents"), 401, "sign_in_needed")


@pytest.mark.parametrize(
    "said",
    [
        {"X-Forwarded-For": PROXY},
        {"X-Forwarded-For": f"{PROXY}, {PROXY}"},
        {"X-Real-IP": PROXY},
        {"Forwarded": f"for={PROXY}"},
        {"X-Forwarded-Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"},
        {"True-Client-IP": PROXY, "X-Client-IP": PROXY, "X-Originating-IP": PROXY},
        {"Via": "1.1 proxy", "X-Forwarded-User": "anna"},
    ],
)
def test_nobody_becomes_the_proxy_by_a_header(lived: Any, said: dict[str, str]) -> None:
    with _from(lived, STRANGER) as stranger:
        for path in ("/api/v1/documents", "/admin", "/metrics"):
            assert stranger.get(path, headers=AS_OWNER | said).status_code == 401, path
        assert stranger.get("/metrics", headers=said).status_code == 401


def test_the_one_behind_the_proxy_does_not_become_the_proxy(lived: Any) -> None:
    """The proxy passes on what the browser claims in headers of other names; only its own two count."""
    with _from(lived, PROXY) as proxy:
        assert proxy.get("/api/v1/documents", headers={"X-Forwarded-User": "anna"}).status_code == 401
        assert proxy.get("/api/v1/documents", headers={"X_Remote_User": "anna"}).status_code == 401
        twice = [("X-Remote-User", "anna"), ("X-Remote-User", "owner")]
        assert_problem(proxy.get("/api/v1/documents", headers=twice), 401, "credentials_invalid", "more than once")
        doubled = [("X-Remote-User", "anna"), ("X-Remote-Groups", "staff"), ("x-remote-groups", "owners")]
        assert_problem(proxy.get("/api/v1/documents", headers=doubled), 401, "credentials_invalid", "more than once")


def test_a_new_address_in_a_header_is_no_new_person(lived: Any, folder: Path) -> None:
    """The limit of questions counts for the key, whatever address the request claims."""
    database = Database.open(folder)
    key = Keys(database).new("limited", "reader", (), (), None)[1]
    database.close()
    with _from(lived, STRANGER) as stranger:
        sent = [
            stranger.post(
                "/api/v1/ask",
                json=ASK,
                headers={"Authorization": f"Bearer {key}", "X-Forwarded-For": f"198.51.100.{n}"},
            ).status_code
            for n in range(4)
        ]
    assert sent[0] == 200 and sent[-1] == 429


def test_credentials_that_are_there_twice_are_refused(lived: Any, folder: Path) -> None:
    database = Database.open(folder)
    key = Keys(database).new("twice", "reader", (), (), None)[1]
    database.close()
    good, bad = f"Bearer {key}", "Bearer bqk_x"
    with _from(lived, STRANGER) as stranger:
        assert stranger.get("/api/v1/documents", headers={"Authorization": good}).status_code == 200
        for one, other in ((good, bad), (bad, good), (good, good)):
            twice = [("Authorization", one), ("authorization", other)]
            assert_problem(stranger.get("/api/v1/documents", headers=twice), 401, "credentials_invalid")
        for odd in (f"bearer  {key} x", f"Basic {key}", key, f"Bearer\t{key}", f"Bearer {key[:-1]}", "Bearer", ""):
            response = stranger.get("/api/v1/documents", headers={"Authorization": odd})
            assert response.status_code == 401, odd


@pytest.mark.parametrize("public", [None, "https://portal.example/briqa"])
def test_links_name_the_public_address_where_one_is_set(tmp_path: Path, public: str | None) -> None:
    identity, database, pipeline = Identity(secret(tmp_path)), Database.open(tmp_path), FakePipeline()
    entry = History(database).add("anonymous:a", pipeline.ask(Question(QUAY)), pipeline.document, None)
    database.close()
    with TestClient(made(pipeline, history=tmp_path, public_url=public), raise_server_exceptions=False) as client:
        client.cookies.set(COOKIE, identity.signed("anonymous:a"))
        spoofed = {
            "Host": EVIL,
            "X-Forwarded-Host": "worse.example",
            "X-Forwarded-Proto": "gopher",
            "X-Gradio-Server": "https://worse.example",
        }
        written = client.get(f"/api/v1/export/answers/{entry.id}?format=text", headers=spoofed).text
        chat = client.post(
            "/v1/chat/completions",
            json={"model": "bri_qa", "messages": [{"role": "user", "content": QUAY}]},
            headers=spoofed,
        )
        page = client.get("/", headers=spoofed).text
        told = json.dumps(chat.json())
    assert chat.status_code == 200
    for text in (written, told):
        assert "/source/harbour" in text and "worse.example" not in text and "gopher:" not in text
        assert (EVIL in text) == (public is None)
        assert public is None or f"{public}/source/harbour" in text
    assert "worse.example" not in page and "gopher:" not in page


@pytest.mark.parametrize(
    "host",
    ["evil.example/<script>", 'evil"onload=x', "evil.example\\@x", "[::1", "evil.example:99999999", "", "a" * 5_000],
)
def test_no_host_breaks_the_server(lived: Any, host: str) -> None:
    with _from(lived, PROXY) as proxy:
        for path in ("/", "/sign-in", "/articles", "/healthz"):
            response = proxy.get(path, headers=AS_OWNER | {"Host": host})
            assert response.status_code < 500, path
            assert "<script>/" not in response.text and 'evil"onload' not in response.text


def test_no_address_of_a_proxy_breaks_the_server(lived: Any) -> None:
    with _from(lived, PROXY) as proxy:
        for said in ("", ",,,", "unknown", "[::1", "1.2.3.4:99999", "a" * 5_000, '"><script>', "::1%eth0"):
            response = proxy.get("/api/v1/documents", headers=AS_OWNER | {"X-Forwarded-For": said})
            assert response.status_code == 200, said
