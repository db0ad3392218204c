"""How often one may ask, and how long the server waits for whom."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from bri_qa.errors import MissingExtraError, SettingsError
from bri_qa.settings import Settings
from bri_qa.web.access import AccessMiddleware, Person, Role
from bri_qa.web.chat import Chat
from bri_qa.web.operation import limits
from bri_qa.web.operation.forwarded import ForwardedMiddleware, address, is_local, network, trusted
from bri_qa.web.operation.limits import LimitedError, Limits, LimitsMiddleware
from bri_qa.web.operation.patience import PatienceMiddleware
from bri_qa.web.service import BusyError, DeadlineError, Workers
from bri_qa.web.session import Running, Session
from tests.fakes import FakePipeline
from tests.housing import assert_problem
from tests.serving import visiting

ASK = "/api/v1/ask"
NEVER = {"rate_limit_ask": "", "rate_limit_address": "", "rate_limit_request": ""}


def _app(**rules: str) -> FastAPI:
    """Somebody's name is in the header x-name; every post to a route that asks is answered."""
    app = FastAPI()
    limits.add_problems(app)

    @app.post(ASK)
    async def ask(request: Request, questions: int = 1) -> dict[str, str]:
        await limits.charge(request, questions - 1)
        return {}

    @app.get("/page")
    async def page() -> dict[str, str]:
        return {}

    app.add_middleware(LimitsMiddleware, limits=Limits.open(Settings.load({}, **{**NEVER, **rules})))
    app.add_middleware(
        AccessMiddleware, resolve=lambda asked: Person(Role.READER, user=asked.headers.get("x-name"), via="key")
    )
    app.add_middleware(ForwardedMiddleware, proxies=["testclient"])
    return app


def _client(**rules: str) -> TestClient:
    return TestClient(_app(**rules))


def test_a_person_who_asks_too_often_is_told_when_to_come_back() -> None:
    client = _client(rate_limit_ask="2/hour")
    first, _, third = (client.post(ASK, headers={"x-name": "anna"}) for _ in range(3))
    assert first.headers["ratelimit-policy"] == '"ask";q=2;w=3600'
    assert re.fullmatch(r'"ask";r=1;t=\d+', first.headers["ratelimit"])
    assert_problem(third, 429, "rate_limited")
    assert 1 <= int(third.headers["retry-after"]) <= 3600
    assert client.post(ASK, headers={"x-name": "ben"}).status_code == 200
    assert client.get("/page", headers={"x-name": "anna"}).status_code == 200


def test_somebody_without_a_name_is_their_address_and_a_name_does_not_help_an_address() -> None:
    client = _client(rate_limit_ask="2/hour", rate_limit_address="4/hour")
    far = {"x-forwarded-for": "192.0.2.7"}
    assert [client.post(ASK, headers=far).status_code for _ in range(3)] == [200, 200, 429]
    names = [client.post(ASK, headers={**far, "x-name": f"n{at}"}).status_code for at in range(3)]
    assert names == [200, 200, 429]
    assert client.post(ASK, headers={"x-forwarded-for": "192.0.2.8"}).status_code == 200


def test_a_batch_counts_for_its_questions() -> None:
    client = _client(rate_limit_ask="10/hour")
    assert [client.post(f"{ASK}?questions=4").status_code for _ in range(3)] == [200, 200, 429]


def test_requests_of_any_kind_are_counted_but_not_the_page_s_files() -> None:
    client = _client(rate_limit_request="2/hour")
    assert [client.get("/page").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/ui/base.css").status_code == 404


def test_an_empty_rule_is_no_limit_and_says_nothing() -> None:
    client = _client()
    answers = [client.post(ASK) for _ in range(300)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


@pytest.mark.parametrize("rule", ["many", "0/minute", "10/fortnight", "10"])
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(SettingsError, match="BRI_QA_RATE_LIMIT_ASK"):
        Settings.load({"BRI_QA_RATE_LIMIT_ASK": rule})


def test_the_extra_is_named_where_redis_s_client_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"bri-qa\[redis\]"):
        Limits.open(Settings.load({}, rate_limit_storage="redis://127.0.0.1:1/0"))


def _asked() -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [], "client": ("192.0.2.1", 1)})


async def _counted(*opened: Limits) -> list[str]:
    """What happens to three questions that go to the given servers in turns."""
    told = []
    for at in range(3):
        try:
            told.append(str(len(await opened[at % len(opened)].question(_asked()))))
        except LimitedError:
            told.append("limited")
    for one in opened:
        await one.close()
    return told


def test_servers_that_count_in_redis_count_together(redis: str) -> None:
    settings = Settings.load({}, **{**NEVER, "rate_limit_ask": "2/hour"}, rate_limit_storage=redis)
    assert asyncio.run(_counted(Limits.open(settings), Limits.open(settings))) == ["1", "1", "limited"]


def test_where_redis_is_gone_nobody_is_limited_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.load({}, rate_limit_ask="1/hour", rate_limit_storage=f"redis://127.0.0.1:{_free()}/0")
    assert asyncio.run(_counted(Limits.open(settings))) == ["0", "0", "0"]
    assert [record.levelname for record in caplog.records if "not limited" in record.message] == ["ERROR"]


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on this machine; .ci/run installs Debian's")
    port = _free()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait(20)


def _connection(peer: str, **headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    seen: list[HTTPConnection] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(HTTPConnection(scope))

    scope: dict[str, Any] = {"type": "http", "headers": raw, "client": (peer, 1), "scheme": "http"}
    asyncio.run(ForwardedMiddleware(app, trusted("10.0.0.0/8, 127.0.0.1"))(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


def test_only_trusted_proxies_say_who_the_client_is() -> None:
    behind = _connection("10.1.2.3", x_forwarded_for="198.51.100.1, 192.0.2.9", x_forwarded_proto="https")
    assert (address(behind), behind.scope["scheme"]) == ("192.0.2.9", "https")
    liar = _connection("203.0.113.5", x_forwarded_for="127.0.0.1", x_forwarded_proto="https")
    assert (address(liar), liar.scope["scheme"], is_local(liar)) == ("203.0.113.5", "http", False)


def test_on_this_machine_is_who_comes_without_a_proxy() -> None:
    assert is_local(_connection("127.0.0.1")) and is_local(_connection("::1"))
    assert not is_local(_connection("127.0.0.1", x_forwarded_for="192.0.2.9"))
    assert not is_local(_connection("::1", x_forwarded_for="127.0.0.1"))
    assert not is_local(_connection("::1", forwarded="for=127.0.0.1"))


def test_a_customer_s_network_counts_as_one_address() -> None:
    assert (
        network(_connection("2001:db8:1:2:3::4")) == network(_connection("2001:db8:1:2:ffff::1")) == "2001:db8:1:2::/64"
    )


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"BRI_QA_TRUSTED_PROXIES: .*proxy\.example"):
        trusted("10.0.0.1, proxy.example")


def test_a_body_that_does_not_arrive_is_waited_for_no_longer() -> None:
    app = _app()
    app.add_middleware(PatienceMiddleware, seconds=0.05)

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(30)

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
            return await client.post("/body", content=slow())

    assert asyncio.run(post()).status_code == 408


def test_a_call_that_takes_too_long_is_given_up_and_its_place_comes_back_when_it_ends() -> None:
    gate, workers = threading.Event(), Workers(threads=1, waiting=1, seconds=0.05)

    async def run() -> None:
        with pytest.raises(DeadlineError, match="longer than"):
            await workers.run(gate.wait)
        with pytest.raises(DeadlineError):  # it waited, and is dropped
            await workers.run(lambda: pytest.fail("it was dropped"))
        assert workers.inside == 1
        gate.set()
        while workers.inside:
            await asyncio.sleep(0.01)
        assert await workers.run(lambda: 7) == 7

    asyncio.run(run())
    assert workers.close()


def test_the_function_s_own_timeout_is_its_own() -> None:
    workers = Workers(threads=1, seconds=20)

    def fail() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(workers.run(fail))
    workers.close()


def test_closing_finishes_what_runs_drops_what_waits_and_ends_within_its_bound() -> None:
    gate, workers = threading.Event(), Workers(threads=1, waiting=2)

    async def run() -> list[Any]:
        running = asyncio.ensure_future(workers.run(lambda: gate.wait(20)))
        waiting = asyncio.ensure_future(workers.run(lambda: 2))
        await asyncio.sleep(0.05)
        assert workers.full and not await asyncio.to_thread(workers.close, 0.05)
        gate.set()
        assert await asyncio.to_thread(workers.close)
        with pytest.raises(BusyError):
            await workers.run(lambda: 3)
        return list(await asyncio.gather(running, waiting, return_exceptions=True))

    first, second = asyncio.run(run())
    assert first is True and isinstance(second, asyncio.CancelledError)
    assert workers.refused == 1


def test_the_chat_says_in_words_that_one_asks_too_often() -> None:
    pipeline, workers = FakePipeline(), Workers(threads=1)
    chat = Chat(pipeline, workers, Path("/nonexistent"))
    request = visiting()
    request.request.scope[limits.KEY] = Limits.open(Settings.load({}, **{**NEVER, "rate_limit_ask": "1/hour"}))

    async def ask() -> tuple[Any, ...]:
        return [step async for step in chat.ask("How long is the new quay?", Session(), Running(), request)][-1]

    async def twice() -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return await ask(), await ask()

    first, second = asyncio.run(twice())
    workers.close()
    assert "640 metres" in str(first[2].shown) and len(pipeline.asked) == 1
    assert re.search(
        r"You have asked very often in a short time\. Ask again in \d+ seconds\.", second[2].shown[-1]["content"]
    )
    assert second[0] == "How long is the new quay?"  # it comes back into the box
