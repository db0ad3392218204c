"""From the first moment on, and below another site's path: what answers before the application stands and around it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.testclient import TestClient
from starlette.requests import Request

from bri_qa.errors import IndexMissingError
from bri_qa.web.operation.front import Front
from bri_qa.web.operation.rooted import RootedMiddleware


def _get(front: Front, path: str, accept: str = "*/*", language: str = "en") -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://t") as client:
            return await client.get(path, headers={"accept": accept, "accept-language": language})

    return asyncio.run(get())


def test_until_it_can_answer_it_says_that_it_starts() -> None:
    front = Front(lambda: None, lambda _: FastAPI(), lambda _: None)
    assert _get(front, "/healthz").json() == {"status": "up"}
    ready = _get(front, "/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "starting") and ready.headers["retry-after"]
    page = _get(front, "/", "text/html", "zh-CN")
    assert page.status_code == 503 and 'http-equiv="refresh"' in page.text and "正在启动" in page.text
    assert "script" not in page.text and "default-src 'none'" in page.headers["content-security-policy"]


def _life(front: Front, then: Any) -> list[str]:
    """What the front tells of its lifespan while `then(event)` decides when it ends."""
    told: list[str] = []

    async def run() -> None:
        ends, begun = asyncio.Event(), False

        async def receive() -> Any:
            nonlocal begun
            if begun:
                await ends.wait()
                return {"type": "lifespan.shutdown"}
            begun = True
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            told.append(message["type"])

        life = asyncio.create_task(front({"type": "lifespan"}, receive, send))
        await then()
        ends.set()
        await life

    asyncio.run(run())
    return told


WHOLE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_the_application_lives_from_the_loading_to_the_end() -> None:
    ended: list[BaseException | None] = []
    front = Front(lambda: "pipeline", lambda it: FastAPI(title=it), ended.append)

    async def then() -> None:
        while not ended:
            await asyncio.sleep(0.01)

    assert _life(front, then) == WHOLE
    assert ended == [None] and isinstance(front.app, FastAPI) and front.app.title == "pipeline"


def test_a_failed_load_is_told_and_a_stop_does_not_wait_for_a_slow_one() -> None:
    ended: list[BaseException | None] = []

    def fail() -> None:
        raise IndexMissingError("none")

    async def until_told() -> None:
        while not ended:
            await asyncio.sleep(0.01)

    assert _life(Front(fail, lambda _: FastAPI(), ended.append), until_told) == WHOLE
    assert isinstance(ended[0], IndexMissingError)
    gate = threading.Event()

    async def at_once() -> None:
        await asyncio.sleep(0.05)

    assert _life(Front(lambda: gate.wait(60), lambda _: FastAPI(), ended.append), at_once) == WHOLE
    gate.set()
    assert len(ended) == 1


def test_importing_the_web_package_does_not_import_gradio() -> None:
    code = "import sys; from bri_qa.web import serve; sys.exit('gradio' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _rooted() -> TestClient:
    app = FastAPI()

    @app.get("/page")
    async def page() -> HTMLResponse:
        text = '<html lang="en"><a href="/source/x">one</a> <a href="https://e.example/">two</a> <a href="//e/">3</a>'
        answer = HTMLResponse(f'{text}<p>href=&quot;/kept&quot; and href="/kept</p>')
        answer.set_cookie("a", "b", path="/")
        return answer

    @app.get("/gradio_api/x")
    async def message(request: Request) -> Any:
        return {"html": '<a class="m" href="/source/x">1</a>', "said": 'he wrote href="/kept"'}

    @app.get("/api/v1/x")
    async def data() -> Any:
        return {"html": '<a href="/kept">1</a>'}

    @app.get("/theme.css")
    async def theme() -> Response:
        return Response('a { src: url("/static/a.woff2"), url(b.woff2) }', media_type="text/css")

    @app.get("/away")
    async def away() -> RedirectResponse:
        return RedirectResponse("/page")

    app.add_middleware(RootedMiddleware, root="/briqa")
    return TestClient(app, follow_redirects=False)


def test_below_a_path_our_addresses_begin_with_it_and_the_articles_words_stay() -> None:
    client = _rooted()
    page = client.get("/page")
    assert '<html data-root="/briqa" lang="en">' in page.text and '<a href="/briqa/source/x">' in page.text
    assert '"https://e.example/"' in page.text and '"//e/"' in page.text and page.text.count("/kept") == 2
    assert "/briqa/kept" not in page.text and int(page.headers["content-length"]) == len(page.content)
    assert "Path=/briqa" in page.headers["set-cookie"]
    told = client.get("/gradio_api/x").json()
    assert told == {"html": '<a class="m" href="/briqa/source/x">1</a>', "said": 'he wrote href="/kept"'}
    assert client.get("/api/v1/x").json() == {"html": '<a href="/kept">1</a>'}
    assert client.get("/theme.css").text == 'a { src: url("/briqa/static/a.woff2"), url(b.woff2) }'
    assert client.get("/away").headers["location"] == "/briqa/page"
