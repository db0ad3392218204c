from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from bri_qa.types import Document, Filters
from bri_qa.web import catalogue, scope, texts
from tests.fakes import FakePipeline, document
from tests.serving import made

ENGLISH = texts.of(texts.ENGLISH)
MANY = [
    document(
        f"a{n:03}",
        f"Article {n:03}\nIt tells of ship {n}.",
        publisher=("Gazette", "Review")[n % 2],
        published=f"20{n % 25:02}",
    )
    for n in range(70)
]
HOSTILE = FakePipeline().by_id["odd/<i>ledger</i> & co"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(made(FakePipeline([*MANY, HOSTILE]))) as client:
        yield client


def _titles(page: str) -> list[str]:
    return re.findall(r'class="bri-open"[^>]*>([^<]*)</a>', page)


def _found(query: str, documents: list[Document] = MANY) -> list[str]:
    return [item.id for item in catalogue.fitting(documents, catalogue.wanted(QueryParams(query)))]


def test_words_are_looked_for_in_title_publisher_and_text_in_any_case() -> None:
    assert _found("q=SHIP+007") == ["a007"]
    assert _found("q=article+069") == ["a069"]
    assert len(_found("q=gazette")) == 35
    assert _found("q=nowhere") == []


def test_filters_and_order() -> None:
    assert len(_found("publisher=Gazette")) == 35
    assert set(_found("from=2023&to=2024")) == {"a023", "a024", "a048", "a049"}
    assert _found("q=article&order=title")[:2] == ["a000", "a001"]
    assert _found("")[0] == "a024"  # the newest, of equals by title
    assert len(_found("publisher=")) == 70  # nothing chosen in the form


@pytest.mark.parametrize(
    "query", ["from=yesterday", "from=2024-13", "to=2024-02-31x", "page=x", "page=-1", "order=<b>"]
)
def test_what_is_malformed_does_not_restrict(query: str) -> None:
    asked = catalogue.wanted(QueryParams(query))
    assert len(catalogue.fitting(MANY, asked)) == 70
    assert asked.page == 1
    assert asked.bad_date == query.startswith(("from", "to"))


def test_pages_hold_thirty_and_lead_to_each_other(client: TestClient) -> None:
    first = client.get("/articles?order=title").text
    assert _titles(first)[0] == "Article 000"
    assert len(_titles(first)) == catalogue.PAGE
    assert "71 of 71 articles" in first
    assert "Page 1 of 3" in first
    later = re.search(r'class="bri-page" href="([^"]*)">Next page', first)
    assert later is not None
    second = client.get(later[1].replace("&amp;", "&")).text
    assert _titles(second)[0] == "Article 030"
    assert "Previous page" in second
    assert (
        _titles(client.get("/articles?order=title&page=999").text)[-1]
        == "Odd &lt;b&gt;title&lt;/b&gt; &amp; &quot;quotes&quot;"
    )


def test_the_page_is_a_page_and_the_pane_a_part(client: TestClient) -> None:
    page, pane = client.get("/articles?publisher=Review"), client.get("/articles?publisher=Review&pane=1")
    assert page.text.startswith("<!doctype html>")
    assert "<h1>Articles</h1>" in page.text
    assert pane.text.startswith("<form")
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert '<a class="bri-these" href="/?publisher=Review">Ask about these articles</a>' in pane.text
    assert '<option value="Review" selected>Review (35)</option>' in pane.text


def test_hostile_titles_and_searches_stay_words(client: TestClient) -> None:
    page = client.get("/articles", params={"q": '"><script>window.pwned=1</script>'}).text
    assert "<script>window" not in page
    assert 'value="&quot;&gt;&lt;script&gt;' in page
    assert ENGLISH("articles.nothing") in page
    listed = client.get("/articles?q=odd").text
    assert 'aria-label="Ask about this article alone: Odd &lt;b&gt;title&lt;/b&gt; &amp; &quot;quotes&quot;"' in listed
    assert "<u>Mill" not in listed


def test_a_date_that_cannot_be_read_is_said() -> None:
    assert ENGLISH("articles.baddate") in catalogue.listing(MANY, catalogue.wanted(QueryParams("from=soon")), ENGLISH)


def test_the_chips_of_the_chat_come_with_the_number_of_articles(client: TestClient) -> None:
    assert client.get("/scope").text == ""
    assert "35 of 71 articles" in client.get("/scope?publisher=Gazette").text


names = st.lists(st.text(min_size=1, max_size=20), max_size=4, unique=True).map(tuple)
dates = st.none() | st.dates().map(lambda day: f"{day:%Y-%m-%d}".rjust(10, "0"))


@given(names, names, dates, dates)
def test_filters_come_out_of_an_address_as_they_went_in(
    documents: tuple[str, ...], publishers: tuple[str, ...], start: str | None, end: str | None
) -> None:
    filters = Filters(documents, publishers, start, end)
    assert scope.read(QueryParams(scope.address(filters).removeprefix("/?") if filters else "")) == filters
