"""Below a path of another site: Debian's nginx with the configuration of docs/deploy before a real server."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import expect

from tests.fakes import FakePipeline
from tests.journeys.conftest import DESK, PHONE, Visit
from tests.serving import served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("reading")]
LOCATION = Path(__file__).parent.parent.parent / "docs" / "deploy" / "nginx-location.conf"
QUAY = "How long is the new quay?"
WHOLE = """
daemon off; pid {folder}/nginx.pid; error_log stderr warn; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""


class Site(NamedTuple):
    """The address of the site, with the path; the server behind it; what that answers from."""

    base: str
    server: str
    pipeline: FakePipeline


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        pytest.skip("there is no nginx on this machine; .ci/run installs Debian's")
    folder, pipeline = tmp_path_factory.mktemp("nginx"), FakePipeline()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}/briqa"
    behind: dict[str, Any] = {
        "root_path": "/briqa",
        "public_url": base,
        "trusted_proxies": "127.0.0.1",
        "rate_limit_ask": "500/hour",
    }
    with served(pipeline, **behind) as server:
        location = LOCATION.read_text(encoding="utf-8").replace("http://127.0.0.1:7860/", f"{server}/")
        (folder / "nginx.conf").write_text(WHOLE.format(folder=folder, port=port, location=location), encoding="utf-8")
        nginx = subprocess.Popen([program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")])
        try:
            _reached(nginx, f"{base}/healthz")
            yield Site(base, server, pipeline)
        finally:
            pipeline.gate.set()
            nginx.terminate()
            nginx.wait(20)


def _reached(nginx: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert nginx.poll() is None, "nginx has stopped"
        try:
            assert httpx.get(address).status_code == 200
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{address} did not answer")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["1280", "390"])
def test_the_chat_and_the_source_view_work_below_the_path(site: Site, visit: Visit, size: tuple[int, int]) -> None:
    screen = visit(site.base, size)  # which sees to it that nothing outside of the path is asked for
    answer = screen.ask(QUAY)
    expect(answer.locator(".bri-statement").first).to_contain_text("640 metres")
    answer.locator(".bri-mark").first.click()
    expect(screen.current).to_contain_text("640 metres long")
    links = screen.page.locator("a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    ours = [link for link in links if link.startswith("/")]
    assert len(ours) > 3 and [link for link in ours if not link.startswith("/briqa/")] == []
    expect(screen.page).to_have_url(re.compile(rf"^{re.escape(site.base)}/\?c="))
    screen.reload()
    expect(screen.answers.first).to_contain_text("640 metres")
    source = next(link for link in ours if link.startswith("/briqa/source/"))
    screen.page.goto(site.base.removesuffix("/briqa") + source)
    expect(screen.page.locator("h1")).to_contain_text("harbour of Lindum")
    screen.page.locator(".bri-brand").click()
    expect(screen.page).to_have_url(f"{site.base}/")
    expect(screen.page.locator("#bri-chat .example").first).to_be_visible()


def test_the_language_and_the_history_stay_below_the_path(site: Site, visit: Visit) -> None:
    screen = visit(site.base)
    screen.ask(QUAY)
    screen.page.locator("#bri-language").click()
    expect(screen.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(screen.page.locator("#bri-history-list a").first).to_have_attribute("href", re.compile(r"^/briqa/\?c="))
    cookies = screen.page.context.cookies()
    assert {cookie["path"].rstrip("/") for cookie in cookies} == {"/briqa"}
    assert {cookie["name"] for cookie in cookies} >= {"bri_qa_user", "bri_language"}


def test_the_answer_arrives_bit_by_bit(site: Site) -> None:
    """Its first event is here before the pipeline, which waits for us, has come to the second."""
    site.pipeline.gate.clear()
    question = {"question": "Please wait: how long is the new quay?"}
    with httpx.stream("POST", f"{site.base}/api/v1/ask/stream", json=question, timeout=15) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: progress"
        assert not site.pipeline.gate.is_set()
        site.pipeline.gate.set()
        assert "event: answer" in list(lines)


def test_what_a_stranger_says_of_the_way_is_not_passed_on(site: Site) -> None:
    lies = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https", "forwarded": "for=127.0.0.1"}
    assert httpx.get(f"{site.base}/metrics", headers=lies).status_code == 404
    page = httpx.get(f"{site.base}/", headers=lies)
    assert "Secure" not in page.headers["set-cookie"] and "Path=/briqa" in page.headers["set-cookie"]
    told = httpx.get(f"{site.base}/readyz", headers=lies).json()
    assert told == {"status": "ready", "documents": 3}
    moved = httpx.get(site.base)
    assert (moved.status_code, moved.headers["location"].endswith("/briqa/")) == (308, True)
