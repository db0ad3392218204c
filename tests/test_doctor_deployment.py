"""What the doctor says of a deployment: each fault in one line with what to do."""

from __future__ import annotations

import os
import shutil
import socket
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bri_qa.doctor import deployment
from tests.articles import built_in, settings_in


def _found(folder: Path, **settings: Any) -> dict[str, tuple[bool | None, str]]:
    made = settings_in(folder, history_dir=folder / "data", **settings)
    found = {item.name: (item.fine, item.detail) for item in deployment.examined(made)}
    assert all("\n" not in detail and detail for _, detail in found.values())
    return found


def test_a_laptop_is_in_order(tmp_path: Path) -> None:
    built_in(tmp_path)
    found = _found(tmp_path)
    assert {name for name, (fine, _) in found.items() if fine is not True} == set()
    assert found["articles"] == (True, "the index is as they are")


BEHIND = {"public_url": "https://portal.example/briqa", "root_path": "/briqa", "trusted_proxies": "127.0.0.1"}


def test_a_server_behind_a_proxy_is_in_order(tmp_path: Path) -> None:
    found = _found(tmp_path, **BEHIND)
    assert [found[name][0] for name in ("public address", "proxies")] == [True] * 2


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("public address", {"public_url": "http://portal.example/briqa"}, "use https"),
        ("public address", {"root_path": ""}, "make them the same"),
        ("public address", {"trusted_proxies": ""}, "set BRI_QA_TRUSTED_PROXIES"),
        ("public address", {"public_url": None}, "set BRI_QA_PUBLIC_URL"),
        ("proxies", {"trusted_proxies": "0.0.0.0/0"}, "name the proxy"),
        ("proxies", {"trusted_proxies": "portal"}, "name addresses or networks"),
        ("secrets", {"llm_api_key_file": "missing"}, "write the secret into it"),
        ("deadlines", {"llm_base_url": "http://127.0.0.1:1/v1", "llm_model": "x", "answer_timeout": 5}, "longer than"),
    ],
)
def test_settings_that_do_not_fit_are_told(tmp_path: Path, name: str, change: dict[str, Any], what: str) -> None:
    fine, detail = _found(tmp_path, **{**BEHIND, **change})[name]
    assert fine is False and what in detail


def test_what_others_can_read_is_told(tmp_path: Path) -> None:
    data, key = tmp_path / "data", tmp_path / "key"
    data.mkdir(mode=0o700)
    (data / "cookie.key").touch(0o600)
    key.touch(0o600)
    found = _found(tmp_path, llm_api_key_file=key)
    assert (found["folder of the history"][0], found["secrets"][0]) == (True, True)
    (data / "cookie.key").chmod(0o644)
    key.chmod(0o640)
    found = _found(tmp_path, llm_api_key_file=key)
    assert found["folder of the history"] == (
        False,
        f"{data / 'cookie.key'} can be read by other users of this machine; chmod -R go= {data}",
    )
    assert found["secrets"] == (False, f"{key} can be read by other users of this machine; chmod 600 {key}")


def test_a_file_in_the_history_s_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert _found(tmp_path)["folder of the history"][0] is False


def test_a_store_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fine, detail = _found(tmp_path, rate_limit_storage=f"redis://127.0.0.1:{port}/0")["rate limits"]
    assert fine is False and "start it, or mend BRI_QA_RATE_LIMIT_STORAGE" in detail


@pytest.mark.parametrize(
    ("name", "setting", "extra"),
    [
        ("rate limits", {"rate_limit_storage": "redis://127.0.0.1:1/0"}, "bri-qa[redis]"),
        ("traces", {"otel_endpoint": "http://127.0.0.1:4318/v1/traces"}, "bri-qa[otel]"),
    ],
)
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, setting: dict[str, str], extra: str
) -> None:
    monkeypatch.setattr(deployment, "find_spec", lambda _: None)
    fine, detail = _found(tmp_path, **setting)[name]
    assert fine is False and extra in detail


def test_a_full_disk_and_too_few_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(3_000_000))
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 256))
    found = _found(tmp_path)
    assert found["disk"][0] is False and found["disk"][1].startswith("3 MB are free where ")
    assert found["open files"] == (
        False,
        "only 256 may be open, and each connection is one; allow 1024 (ulimit -n)",
    )


def test_a_slow_clock_and_articles_that_have_changed_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_in(tmp_path)

    class Slow(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz).replace(year=2020)

    monkeypatch.setattr(deployment, "datetime", Slow)
    (tmp_path / "corpus" / "new.txt").write_text("News\nThe mill has opened.\n", encoding="utf-8")
    found = _found(tmp_path)
    assert found["clock"][0] is False and found["clock"][1].endswith("set the clock")
    assert found["articles"] == (None, "they have changed since the index was built; run bri-qa index")
    shutil.rmtree(tmp_path / "corpus")
    os.mkdir(tmp_path / "corpus")  # noqa: PTH102
    assert _found(tmp_path)["articles"][0] is None
