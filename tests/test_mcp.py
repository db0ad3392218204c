"""The MCP server as the SDK's own client sees it, in process and over HTTP on the loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent
from starlette.requests import HTTPConnection

from bri_qa import mcp, render
from bri_qa.errors import IndexMissingError, SettingsError
from bri_qa.history import Database, Keys
from bri_qa.mcp.server import made
from bri_qa.settings import Settings
from bri_qa.types import Filters, Groups, Question, Turn
from bri_qa.web.access import CredentialsError, Person, Role
from bri_qa.web.schemas import AnswerOut
from tests.fakes import HARBOUR_TEXT, FakePipeline, document, web_documents

QUAY = "How long is the new quay?"
STATEMENT = "The new quay is 640 metres long and takes three ships at a time."
SECRET = document("secret", "A secret plan\nThe secret quay of Lindum is 999 metres long.", groups=("board",))


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline([*web_documents(), SECRET])


def _with_client(pipeline: FakePipeline, use: Callable[[Client], Awaitable[Any]], groups: Groups = None) -> Any:
    async def run() -> Any:
        async with Client(made(pipeline, lambda _: Person(Role.READER, groups))) as client:
            return await use(client)

    return asyncio.run(run())


def _call(pipeline: FakePipeline, tool: str, groups: Groups = None, **arguments: Any) -> tuple[str, Any]:
    """The text and the structured content of a call that succeeds."""
    result = _with_client(pipeline, lambda client: client.call_tool(tool, arguments), groups)
    assert not result.is_error, result.content
    return _text(result), result.structured_content


def _text(result: Any) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def _error(pipeline: FakePipeline, tool: str, groups: Groups = None, **arguments: Any) -> str:
    result = _with_client(pipeline, lambda client: client.call_tool(tool, arguments), groups)
    assert result.is_error and result.structured_content is None
    return _text(result)


def test_the_tools_say_what_they_take_and_give(pipeline: FakePipeline) -> None:
    listed = _with_client(pipeline, lambda client: client.list_tools()).tools
    tools = {tool.name: tool for tool in listed}
    assert sorted(tools) == ["ask", "open_source", "search"]
    assert set(tools["ask"].input_schema["properties"]) == {"question", "history", "filters"}
    assert tools["ask"].input_schema["required"] == ["question"]
    assert set(tools["ask"].output_schema["properties"]) == set(AnswerOut.model_fields)
    assert set(tools["search"].output_schema["properties"]) == {"query", "passages"}
    assert set(tools["open_source"].output_schema["properties"]) == {
        "document", "start", "end", "before", "quote", "after",
    }  # fmt: skip
    assert all(tool.description and tool.title and tool.annotations.read_only_hint for tool in listed)


@pytest.mark.parametrize("question", [QUAY, "When is the lamp of the moon due?", "hello"])
def test_an_answer_is_the_object_of_the_contract_and_readable(pipeline: FakePipeline, question: str) -> None:
    text, structured = _call(pipeline, "ask", question=question)
    answer = pipeline.ask(Question(question))
    assert structured == render.as_json(answer)
    assert text == render.as_text(answer)


def test_history_and_filters_reach_the_pipeline(pipeline: FakePipeline) -> None:
    filters = {"document_ids": ["harbour"], "publishers": ["Lindum Gazette"], "published_from": "2024"}
    history = [{"role": "user", "text": "What did the repairs cost?"}]
    _call(pipeline, "ask", frozenset({"press"}), question="and who paid the rest?", history=history, filters=filters)
    assert pipeline.last("and who paid the rest?") == Question(
        "and who paid the rest?",
        (Turn("user", "What did the repairs cost?"),),
        Filters(("harbour",), ("Lindum Gazette",), "2024", None, frozenset({"press"})),
    )


def test_a_search_gives_passages_that_open(pipeline: FakePipeline) -> None:
    text, structured = _call(pipeline, "search", query="new quay metres", limit=3)
    assert len(structured["passages"]) == 3 and structured["query"] == "new quay metres"
    best = structured["passages"][0]
    assert STATEMENT in text and "harbour, characters" in text
    place = {"document_id": best["document_id"], "start": best["start"], "end": best["end"]}
    text, source = _call(pipeline, "open_source", around=20, **place)
    at = HARBOUR_TEXT.index(STATEMENT)
    assert source["quote"] == STATEMENT == best["text"]
    assert (source["before"], source["after"]) == (HARBOUR_TEXT[at - 20 : at], HARBOUR_TEXT[at + 64 : at + 84])
    assert source["document"]["sha256"] == best["document_sha256"]
    assert f"»»» {STATEMENT} «««" in text and best["document_sha256"] in text and "Lindum Gazette" in text


def test_what_others_may_not_read_is_not_there(pipeline: FakePipeline) -> None:
    place = {"document_id": "secret", "start": 0, "end": 5}
    nobody, board = frozenset[str](), frozenset({"board"})
    assert "there is no document secret" in _error(pipeline, "open_source", nobody, **place)
    assert "999" not in _call(pipeline, "search", nobody, query="secret quay")[0]
    assert "999" not in _call(pipeline, "ask", nobody, question="secret quay of Lindum")[0]
    for groups in (board, None):
        assert _call(pipeline, "open_source", groups, **place)[1]["quote"] == "A sec"
        assert "999" in _call(pipeline, "search", groups, query="secret quay")[0]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("ask", {"question": " "}, "the question is empty; type a question about the articles"),
        ("ask", {"question": "x" * 4_001}, "longer than 4000 characters; shorten it"),
        ("ask", {}, "question"),
        ("ask", {"question": "x", "filters": {"published_from": "May"}}, "filters.published_from"),
        ("ask", {"question": "x", "history": [{"role": "system", "text": "obey"}]}, "history.0.role"),
        ("search", {"query": "x", "limit": 51}, "limit"),
        ("open_source", {"document_id": "none", "start": 0, "end": 1}, "there is no document none; search gives"),
        ("open_source", {"document_id": "harbour", "start": 5, "end": 5}, "5 to 5 does not lie in harbour"),
        ("open_source", {"document_id": "harbour", "start": 5, "end": 9_999}, "it has"),
        ("open_source", {"document_id": "harbour", "start": -1, "end": 1}, "start"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    pipeline: FakePipeline, tool: str, arguments: dict[str, Any], told: str
) -> None:
    assert told in _error(pipeline, tool, **arguments)


def test_a_fault_tells_nothing_of_our_insides(pipeline: FakePipeline) -> None:
    assert _error(pipeline, "ask", question="crash") == "Error executing tool ask"


def test_an_index_that_is_missing_says_what_to_do() -> None:
    broken = FakePipeline(error=IndexMissingError("there is no index in index; run `bri-qa index`"))
    assert "run `bri-qa index`" in _error(broken, "ask", question="x")


def test_the_articles_are_resources(pipeline: FakePipeline) -> None:
    async def read(client: Client) -> list[Any]:
        templates = (await client.list_resource_templates()).resource_templates
        listed = (await client.read_resource("bri-qa://documents")).contents[0]
        whole = (await client.read_resource("bri-qa://documents/harbour")).contents[0]
        with pytest.raises(MCPError, match="there is no document secret"):
            await client.read_resource("bri-qa://documents/secret")
        with pytest.raises(MCPError, match="there is bri-qa://documents"):
            await client.read_resource("bri-qa://nothing")
        return [[item.uri_template for item in templates], listed, whole]

    templates, listed, whole = _with_client(pipeline, read, frozenset())
    assert templates == ["bri-qa://{listing}", "bri-qa://documents/{+document_id}"]
    assert '"id":"harbour"' in listed.text and "secret" not in listed.text
    assert whole.text == HARBOUR_TEXT


@contextmanager
def _served(pipeline: FakePipeline, resolve: Callable[[HTTPConnection], Person] | None = None) -> Iterator[str]:
    with mcp.listening("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(mcp.http_app(pipeline, resolve), log_level="error", ws="none"))
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{mcp.HTTP_PATH}"
        server.should_exit = True
        thread.join(20)


def test_over_http_everyone_reads_what_is_open_to_all(pipeline: FakePipeline) -> None:
    async def use(url: str) -> list[Any]:
        async with Client(url) as client:
            return [await client.call_tool("ask", {"question": text}) for text in (QUAY, "secret quay of Lindum")]

    with _served(pipeline) as url:
        open_to_all, secret = asyncio.run(use(url))
    assert open_to_all.structured_content == render.as_json(
        pipeline.ask(Question(QUAY, filters=Filters(groups=frozenset())))
    )
    assert "999" not in secret.model_dump_json()


def test_over_http_a_key_says_who_asks(pipeline: FakePipeline) -> None:
    def resolve(connection: HTTPConnection) -> Person:
        header = connection.headers.get("authorization")
        if header not in (None, "Bearer board"):
            raise CredentialsError("the key is not known; ask for a new one")
        return Person(Role.READER, frozenset({"board"})) if header else Person()

    async def use(url: str) -> Any:
        async with (
            httpx2.AsyncClient(headers={"authorization": "Bearer board"}) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            return await client.call_tool("search", {"query": "secret quay"})

    with _served(pipeline, resolve) as url:
        assert "999" in asyncio.run(use(url)).model_dump_json()
        for headers, told in (({}, "send a key"), ({"authorization": "Bearer x"}, "the key is not known")):
            refused = httpx.post(url, json={}, headers=headers)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert told in refused.json()["detail"]


def test_over_http_a_foreign_name_or_page_is_refused(pipeline: FakePipeline) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"accept": "application/json, text/event-stream"}
    with _served(pipeline) as url:
        assert httpx.post(url, json=body, headers={**accept, "host": "evil.example"}).status_code == 421
        assert httpx.post(url, json=body, headers={**accept, "origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("host", ["192.0.2.1", "bri.example", "::", ""])
def test_http_is_for_this_machine_alone(host: str) -> None:
    with pytest.raises(SettingsError, match="served to this machine alone; make one with bri-qa keys new"):
        mcp.listening(host, 0)


def test_with_keys_other_machines_may_come() -> None:
    with mcp.listening("0.0.0.0", 0, needs_key=True) as listener:  # noqa: S104
        assert listener.getsockname()[1] > 0
    with pytest.raises(SettingsError):
        mcp.listening("", 0, needs_key=True)


def test_keys_open_it_once_there_are_any(pipeline: FakePipeline, tmp_path: Path) -> None:
    settings = Settings.load({}, history_dir=tmp_path / "data")
    with mcp.keyed(settings) as known:
        assert known is None and not settings.history_dir.exists()
    database = Database.open(settings.history_dir)
    keys = Keys(database)
    with mcp.keyed(settings) as known:
        assert known is None
    with mcp.keyed(settings.model_copy(update={"sign_in_required": True})) as known:
        assert known is not None
    secret = keys.new("assistant", "reader", ("board",), (), None)[1]
    with mcp.keyed(settings) as known, _served(pipeline, known) as url:
        ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        call = ask | {"params": {"name": "search", "arguments": {"query": "secret quay"}}}
        accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
        key = {"authorization": f"Bearer {secret}"}
        found = httpx.post(url, json=call, headers=accept | key)
        assert found.status_code == 200 and "999" in found.text
        assert httpx.post(url, json=call, headers=accept).status_code == 401
        keys.revoke("assistant")
        assert httpx.post(url, json=call, headers=accept | key).status_code == 401
    database.close()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="name another --port"):
        mcp.listening("127.0.0.1", taken.getsockname()[1])
