from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bri_qa.errors import HistoryCorruptError, HistoryWriteError
from bri_qa.web.history_api import PATH as HISTORY
from bri_qa.web.identity import COOKIE, KEY_FILE, LIFE_SECONDS, RENEWED_AFTER, secret
from tests.housing import ANNA, House, assert_problem


def test_opening_the_page_makes_a_user_once(house: House) -> None:
    client = house.browser(None)
    first = client.get("/")
    (cookie,) = first.headers.get_list("set-cookie")
    assert cookie.startswith(f"{COOKIE}=anonymous:")
    assert cookie.split("; ")[1:] == ["Path=/", f"Max-Age={LIFE_SECONDS}", "HttpOnly", "SameSite=Lax"]
    assert client.get(HISTORY).status_code == 200
    assert "set-cookie" not in client.get("/").headers
    other = house.browser(None)
    assert other.get("/").headers["set-cookie"].split(";")[0] != cookie.split(";")[0]
    secure = TestClient(house.app, base_url="https://testserver")
    assert secure.get("/").headers["set-cookie"].endswith("; SameSite=Lax; Secure")


def test_a_used_cookie_is_renewed_and_an_old_one_is_void(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add(ANNA)
    client = house.browser(ANNA)
    signer = house.records.identity._signer
    signed_at = signer.get_timestamp()
    monkeypatch.setattr(signer, "get_timestamp", lambda: signed_at + RENEWED_AFTER + 1)
    renewed = client.get("/").headers["set-cookie"]
    assert renewed.startswith(f"{COOKIE}={ANNA}.")
    assert len(client.get(HISTORY).json()["conversations"]) == 1
    monkeypatch.setattr(signer, "get_timestamp", lambda: signed_at + RENEWED_AFTER + LIFE_SECONDS + 2)
    assert_problem(client.get(HISTORY), 401, "session_missing")
    assert f"{COOKIE}={ANNA}" not in client.get("/").headers["set-cookie"]


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = secret(tmp_path / "data")
    assert len(key) == 32 and secret(tmp_path / "data") == key != secret(tmp_path / "other")
    assert [file.name for file in (tmp_path / "data").iterdir()] == [KEY_FILE]
    assert (tmp_path / "data" / KEY_FILE).stat().st_mode & 0o077 == 0
    (tmp_path / "data" / KEY_FILE).write_bytes(b"short")
    with pytest.raises(HistoryCorruptError, match="is no key; move it away"):
        secret(tmp_path / "data")
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryWriteError, match=r"cannot be used .*BRI_QA_HISTORY_DIR"):
        secret(tmp_path / "file")
