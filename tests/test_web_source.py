from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.types import Document, Span
from bri_qa.web import article, texts
from bri_qa.web.article import Mark
from bri_qa.web.source import MAX_MARKS
from tests.fakes import FakePipeline, document
from tests.serving import made

LONG = document("long", "\n".join(["A long text", *[f"Line {n} of a very long text." for n in range(60_000)]]))
HARBOUR = FakePipeline().by_id["harbour"]
HOSTILE = FakePipeline().by_id["odd/<i>ledger</i> & co"]
ENGLISH = texts.of(texts.ENGLISH)
EMPTY_LINES = document("spaces", "Title\n\nfirst  line\t\n \n\nlast line")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(made(FakePipeline([HARBOUR, HOSTILE, LONG, EMPTY_LINES]))) as client:
        yield client


class _Read(HTMLParser):
    """A page as a browser takes it: its elements, its text, and its marks in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.links: list[str] = []
        self.marks: list[dict[str, str | None]] = []
        self.marked: list[str] = []
        self.text = ""
        self._in_mark = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "mark":
            self._in_mark = True
            self.marks.append(dict(attrs))
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = self._in_mark and tag != "mark"
        self.text += "\n" if tag == "p" else ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_mark:
            self.marked[-1] += data


def _span(item: Document, words: str) -> Span:
    start = item.text.index(words)
    return Span(start, start + len(words))


def test_the_address_of_a_quote_opens_the_article_at_it(client: TestClient) -> None:
    words = "The new quay is 640 metres long and takes three ships at a time."
    response = client.get(article.address(HARBOUR, _span(HARBOUR, words)))
    page = _Read(response.text)
    assert response.status_code == 200
    assert page.marked == [words]
    assert page.marks == [{"id": "quote-1", "data-n": "1", "tabindex": "-1"}]
    assert '<h1 class="bri-title" lang="en">The harbour of Lindum opens again</h1>' in response.text
    assert "Lindum Gazette<span> · </span>2024-03-05<span> · </span><a href=" in response.text
    assert 'lang="en"' in response.text
    assert "https://gazette.example/harbour" in page.links
    assert response.headers["cache-control"] == "no-store"


def test_the_whole_article_is_there_and_its_title_only_once(client: TestClient) -> None:
    page = client.get("/source/harbour").text
    text = _Read(page).text
    for line in HARBOUR.text.splitlines():
        assert line in text
    assert page.count('<p class="bri-repeat">') == 2
    assert "bri-notice" not in page


def test_blank_lines_make_no_paragraphs_and_spaces_stay(client: TestClient) -> None:
    assert "<p>first  line\t</p>\n<p>last line</p>" in client.get("/source/spaces?pane=1").text


def test_hostile_words_stay_words(client: TestClient) -> None:
    address = article.address(HOSTILE, _span(HOSTILE, "The clerk wrote <script>window.pwned = 1</script> in"))
    response = client.get(address)
    page = _Read(response.text)
    assert response.status_code == 200
    assert page.marked == ["The clerk wrote <script>window.pwned = 1</script> in"]
    assert [tag for tag in page.tags if tag in ("b", "i", "img", "u", "textarea")] == []
    assert page.tags.count("script") == 2  # our own two, by address
    assert all(link.startswith(("/", "#")) for link in page.links)  # the javascript: address of the metadata is gone
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert '<img src=x onerror="window.pwned=2">' in page.text
    assert "<title>Odd &lt;b&gt;title&lt;/b&gt; &amp; &quot;quotes&quot; · bri_qa</title>" in response.text


@pytest.mark.parametrize("identity", ["nothing", "<script>window.pwned=9</script>", "../../etc/passwd", "a" * 2_000])
def test_an_article_that_is_not_there_is_said_so(client: TestClient, identity: str) -> None:
    for pane in ("", "?pane=1"):
        response = client.get(f"/source/{quote(identity, safe='')}{pane}")
        assert response.status_code == 404
        assert "This article is not here" in response.text
        assert identity not in response.text
        assert response.text.startswith("<!doctype html>") == (not pane)


def test_the_pane_has_the_article_alone_with_all_quotes_of_the_answer(client: TestClient) -> None:
    first, second = _span(HARBOUR, "The repairs cost 48 million crowns"), _span(HARBOUR, "48 million")
    cites = "&".join(f"cite={n}:{span.start}-{span.end}" for n, span in ((3, first), (7, second)))
    page = _Read(client.get(f"/source/harbour?pane=1&v={HARBOUR.sha256[:16]}&{cites}").text)
    assert page.tags[0] == "article"
    assert page.marked == ["The repairs cost ", "48 million", " crowns"]
    assert [mark["data-n"] for mark in page.marks] == ["3", "3 7", "3"]
    assert [mark.get("id") for mark in page.marks] == ["quote-3", "quote-7", None]


def test_a_quote_over_two_paragraphs_is_marked_in_both(client: TestClient) -> None:
    words = "three ships at a time.\n“We built it"
    page = _Read(client.get(article.address(HARBOUR, _span(HARBOUR, words))).text)
    assert page.marked == ["three ships at a time.", "“We built it"]
    assert [mark.get("id") for mark in page.marks] == ["quote-1", None]


def test_a_changed_article_shows_no_place_and_says_why(client: TestClient) -> None:
    address = article.address(HARBOUR, Span(70, 90)).replace(HARBOUR.sha256[:16], "0" * 16)
    response = client.get(address)
    assert response.status_code == 200
    assert f'<div class="bri-notice bri-changed" role="status"><p>{ENGLISH("source.changed")}</p>' in response.text
    assert _Read(response.text).marks == []
    assert "The new quay" in response.text


def test_an_article_that_has_changed_is_marked_where_the_same_words_still_stand(client: TestClient) -> None:
    quotes = [
        {"number": 1, "quote": "The repairs cost 48 million crowns"},
        {"number": 2, "quote": "The repairs cost <b>nothing</b>"},
    ]
    response = client.post("/quoted", json={"document": "harbour", "quotes": quotes})
    page = _Read(response.text)
    assert page.marked == ["The repairs cost 48 million crowns"]
    assert ENGLISH("source.changed.found") in page.text
    assert f"{ENGLISH('source.changed.gone')}\n[2] The repairs cost <b>nothing</b>" in page.text
    assert "b" not in page.tags
    assert client.post("/quoted", json={"document": "gone", "quotes": []}).status_code == 404
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/quoted", json={"document": "harbour", "quotes": []}, headers=foreign).status_code == 403


def test_an_article_speaks_the_readers_language_around_its_own_words(client: TestClient) -> None:
    response = client.get("/source/harbour", headers={"Accept-Language": "zh"})
    assert '<html lang="zh-Hans">' in response.text
    assert 'lang="en">The harbour of Lindum opens again</h1>' in response.text
    assert "只问这篇文章" in response.text
    assert "Language" in response.headers["vary"]


@pytest.mark.parametrize(
    "query",
    [
        "start=5&end=5",
        "start=9&end=3",
        "start=0&end=999999",
        "start=-4&end=3",
        "start=5",
        "end=5",
        "start=five&end=9",
        "cite=0:1-2",
        "cite=1:1-2&cite=nonsense",
        "cite=1:4-999999999",
        "cite=1234:1-2",
        "start=<script>&end=9",
    ],
)
def test_a_place_that_is_not_in_the_article_is_said_so(client: TestClient, query: str) -> None:
    response = client.get(f"/source/harbour?{query}")
    assert response.status_code == 200
    assert ENGLISH("source.outside") in response.text
    assert _Read(response.text).marks == []
    assert _Read(response.text).tags.count("script") == 2


def test_a_link_cannot_ask_for_endless_marks(client: TestClient) -> None:
    cites = "&".join(f"cite={n}:{n}-{n + 1}" for n in range(80, 180))
    assert len(_Read(client.get(f"/source/harbour?{cites}").text).marks) == MAX_MARKS


def test_a_very_long_article_is_shown_around_its_quote(client: TestClient) -> None:
    words = "Line 40000 of a very long text."
    response = client.get(article.address(LONG, _span(LONG, words)))
    page = _Read(response.text)
    assert page.marked == [words]
    assert len(LONG.text) > 3 * article.WINDOW_CHARS
    assert len(response.text) < 2 * article.WINDOW_CHARS
    assert "The text before this place is not shown here." in response.text
    assert "The text goes on; it is too long to show whole." in response.text
    lines = re.findall(r"<p>(.*?)</p>", response.text)
    assert all(re.fullmatch(r"(?:<mark [^>]*>)?Line \d+ of a very long text\.(?:</mark>)?", line) for line in lines)
    start = client.get("/source/long").text
    assert "before this place" not in start
    assert "The text goes on" in start


@given(length=st.integers(0, 300), breaks=st.sets(st.integers(0, 299)), data=st.data())
def test_a_window_holds_its_place_and_its_limit(length: int, breaks: set[int], data: st.DataObject) -> None:
    text = "".join("\n" if at in breaks else "x" for at in range(length))
    start = data.draw(st.integers(0, length))
    around = Span(start, data.draw(st.integers(start, min(length, start + 20))))
    shown = article.window(text, around, limit=80)
    assert shown.contains(around)
    assert len(shown) <= 80
    assert shown.end <= length
    if length <= 80:
        assert shown == Span(0, length)


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(0, 80), st.integers(1, 30)), max_size=4))
def test_marks_cut_exactly_their_words(text: str, places: list[tuple[int, int]]) -> None:
    spans = [Span(start, min(len(text), start + size)) for start, size in places if start < len(text)]
    marks = [Mark(number, span) for number, span in enumerate(spans, start=1)]
    body = article.body(document("any", text), marks, Span(0, len(text)))
    for mark in marks:
        pieces = re.findall(
            rf'<mark[^>]* data-n="(?:[\d ]* )?{mark.number}(?: [\d ]*)?"[^>]*>(.*?)</mark>', body, re.DOTALL
        )
        words = html.unescape("".join(pieces))
        kept = "".join(line for line in mark.span.of(text).split("\n"))
        lost = len(kept.strip()) == 0 or words == kept
        assert lost or words.split() == kept.split()
    assert "<script" not in body


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://gazette.example/a?b=c#d", "https://gazette.example/a?b=c#d"),
        (" http://gazette.example ", "http://gazette.example"),
        ("javascript:window.pwned=1", None),
        ("JaVaScRiPt:window.pwned=1", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,<script>1</script>", None),
        ("//elsewhere.example", None),
        ("https:", None),
        ("http://[broken", None),
        ("ftp://old.example/a", None),
        ("", None),
        (None, None),
    ],
)
def test_only_an_ordinary_web_address_becomes_a_link(url: str | None, safe: str | None) -> None:
    assert article.safe_url(url) == safe


def test_an_address_is_escaped_and_comes_back(client: TestClient) -> None:
    address = article.address(HOSTILE)
    assert address == "/source/odd/%3Ci%3Eledger%3C/i%3E%20%26%20co"
    assert client.get(address).status_code == 200
