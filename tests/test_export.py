from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from markdown_it import MarkdownIt

from bri_qa import export, render
from bri_qa.exchange import saved_citations
from bri_qa.export import Paper
from bri_qa.export.paper import safe_url
from bri_qa.types import Document, ModelUse, Source, Span
from bri_qa.web import article
from tests.fakes import web_documents
from tests.keeping import MILL, MOON, QUAY, Kept

USER = "anonymous:anna"
BASE = "https://qa.example/ask"


def link(document: Document, span: Span) -> str:
    return BASE + article.address(document, span)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept.open(tmp_path)
    yield kept
    kept.database.close()


def _conversation(kept: Kept) -> Paper:
    """An answer, an abstention, small talk, and an answer from a hostile article."""
    first = kept.add(USER)
    for question in (MOON, "hello", MILL):
        kept.add(USER, question, first.conversation_id)
    return Paper.of_conversation(kept.history.conversation(USER, first.conversation_id), link)


def _with_source(kept: Kept, source: Source, question: str = QUAY) -> Paper:
    given = kept.answer(question)
    given = replace(given, citations=tuple(replace(item, source=source) for item in given.citations))
    return Paper.of_entry(kept.history.add(USER, given, kept.pipeline.document), link)


def _assert_opens_at(url: str | None, quote: str) -> None:
    """The permalink leads to the words, in that very text."""
    assert url is not None and url.startswith(BASE + "/source/")
    parts = urlsplit(url)
    identity = unquote(parts.path.removeprefix("/ask/source/"))
    document = next(item for item in web_documents() if item.id == identity)
    query = {key: value for key, (value,) in parse_qs(parts.query).items()}
    assert document.text[int(query["start"]) : int(query["end"])] == quote
    assert document.sha256.startswith(query["v"]) and len(query["v"]) == 16


def test_one_answer_as_markdown(kept: Kept) -> None:
    source = Source("The [quay]", "Gazette", "2024-03-05", "https://gazette.example/a(b)?c=d e", "en", "CC BY 4.0")
    address = f"{BASE}/source/harbour?start=147&end=211&v=b99586b92a9a0cc7#quote-1"
    assert export.as_markdown(_with_source(kept, source)) == (
        "# How long is the new quay?\n\nEvery quote is the article’s own text.\n\n*Asked 2026-03-01 12:00 UTC*\n\n"
        "**640**\n\nThe new quay is 640 metres long and takes three ships at a time. "
        f"[\\[1\\]](<{address}>)\n\n## Sources\n\n"
        f"1. The \\[quay\\], Gazette, 2024-03-05, licence: CC BY 4.0 · [Open at the quote](<{address}>) · "
        "[Original](<https://gazette.example/a%28b%29?c=d%20e>)\n\n"
        "   > The new quay is 640 metres long and takes three ships at a time.\n"
    )


def test_a_conversation_as_markdown_renders_to_its_own_words_and_safe_links(kept: Kept) -> None:
    paper = _conversation(kept)
    tokens = MarkdownIt("commonmark").parse(export.as_markdown(paper))
    assert {token.type for token in tokens} <= {
        f"{kind}_{side}"
        for kind in ("heading", "paragraph", "ordered_list", "list_item", "blockquote")
        for side in ("open", "close")
    } | {"inline"}
    headings = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "heading_open"]
    shown = ["".join(child.content for child in token.children or []) for token in headings]
    assert shown == [QUAY, QUAY, "Sources", MOON, "Nearest passages", "hello", MILL, "Sources"]
    quotes = [tokens[at + 2] for at, token in enumerate(tokens) if token.type == "blockquote_open"]
    places = [place for entry in paper.entries for place in paper.places(entry)]
    assert ["".join(child.content for child in token.children or []) for token in quotes] == [
        place.quote for place in places
    ]
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special", "link_open", "link_close", "em_open",
                                                  "em_close", "strong_open", "strong_close"}  # fmt: skip
    links = [str(child.attrs["href"]) for child in children if child.type == "link_open"]
    assert links and all(
        item.startswith(("https://qa.example/ask/source/", "https://gazette.example/")) for item in links
    )


def test_lines_of_a_quote_stay_inside_the_quote_in_markdown(kept: Kept) -> None:
    text = "The clerk: \n\n# not a heading\n    not code\n- not a list\n1. nor this"
    given = kept.answer()
    cited = replace(given.citations[0], quote=text, span=Span(0, len(text)))
    entry = kept.history.add(USER, replace(given, citations=(cited,)), kept.pipeline.document)
    tokens = MarkdownIt("commonmark").parse(export.as_markdown(Paper.of_entry(entry, link)))
    assert [token.type for token in tokens].count("heading_open") == 2
    at = next(at for at, token in enumerate(tokens) if token.type == "blockquote_open")
    inside = "".join(child.content or "\n" for child in tokens[at + 2].children or [])
    assert inside.split("\n") == ["The clerk:", "# not a heading", "not code", "- not a list", "1. nor this"]


def test_text_to_paste(kept: Kept) -> None:
    source = Source("Quay", None, "2024", "javascript:alert(1)")
    assert export.as_text(_with_source(kept, source)) == (
        "How long is the new quay?\n\n640\n\nThe new quay is 640 metres long and takes three ships at a time. [1]\n\n"
        "[1] Quay, 2024\n    “The new quay is 640 metres long and takes three ships at a time.”\n"
        f"    {BASE}/source/harbour?start=147&end=211&v=b99586b92a9a0cc7#quote-1\n"
    )
    conversation = export.as_text(_conversation(kept))
    assert conversation.startswith(f"{QUAY}\n\n\n{QUAY}\n\n640\n\n")
    assert "\n\n\nhello\n\nHello. Ask me a question.\n\n\n" in conversation
    assert "\n\nThat is not stated in these articles.\n\n[1] The harbour of Lindum opens again, " in conversation


def test_an_export_says_that_a_language_models_work_was_not_used(kept: Kept) -> None:
    given = kept.answer(QUAY)
    used = replace(given.trace, use=ModelUse(fallback="it is *busy*"))
    paper = Paper.of_entry(kept.history.add(USER, replace(given, trace=used), kept.pipeline.document), link)
    assert "*In the articles' own words: it is \\*busy\\*.*" in export.as_markdown(paper)
    assert "(In the articles' own words: it is *busy*.)" in export.as_text(paper)
    words = [item.text for item in docx.Document(BytesIO(export.as_docx(paper))).paragraphs]
    assert "In the articles' own words: it is *busy*." in words
    assert "own words" not in export.as_text(Paper.of_entry(kept.add(USER), link))


def test_what_an_answer_leaves_open_is_kept_and_exported(kept: Kept) -> None:
    given = kept.answer(QUAY)
    partly = replace(given, trace=replace(given.trace, unanswered=("Who paid?",)))
    entry = kept.history.add(USER, partly, kept.pipeline.document)
    assert entry.answer.trace.unanswered == ("Who paid?",)
    paper = Paper.of_entry(entry, link)
    assert "*Not stated in these articles: Who paid?*" in export.as_markdown(paper)
    assert "(Not stated in these articles: Who paid?)" in export.as_text(paper)
    words = [item.text for item in docx.Document(BytesIO(export.as_docx(paper))).paragraphs]
    assert "Not stated in these articles: Who paid?" in words


def test_the_places_of_an_answer_open_at_its_quotes(kept: Kept) -> None:
    paper = _conversation(kept)
    answered, abstained, talk, hostile = (paper.places(entry) for entry in paper.entries)
    assert (len(answered), len(abstained), len(talk), len(hostile)) == (1, 3, 0, 3)
    for place in (*answered, *abstained, *hostile):
        _assert_opens_at(place.permalink, place.quote)
    assert answered[0].original == "https://gazette.example/harbour"
    assert [place.original for place in hostile] == [None] * 3  # its address is a script


def test_a_docx_holds_the_same_words_as_plain_runs(kept: Kept) -> None:
    paper = _conversation(kept)
    content = export.as_docx(paper)
    file = docx.Document(BytesIO(content))
    lines = [(paragraph.style.name if paragraph.style else "", paragraph.text) for paragraph in file.paragraphs]
    expected = [("Title", QUAY), ("Normal", "Every quote is the article’s own text.")]
    for entry in paper.entries:
        answer = entry.answer
        expected += [("Heading 1", answer.question.text), ("Normal", f"Asked {entry.asked:%Y-%m-%d %H:%M} UTC")]
        if answer.abstained:
            expected.append(("Normal", render.message(answer)))
        if answer.short_answer:
            expected.append(("Normal", answer.short_answer))
        expected += [("Normal", f"{item.text} {render.marks(item.citations)}") for item in answer.statements]
        places = paper.places(entry)
        if places:
            expected.append(("Heading 2", "Nearest passages" if answer.abstained else "Sources"))
        for place in places:
            links = " · Open at the quote" + (" · Original" if place.original else "")
            expected += [("Normal", f"[{place.number}] {place.origin}{links}"), ("Quote", place.quote)]
    assert lines == expected
    addresses = [item.address + "#" + item.fragment if item.fragment else item.address
                 for paragraph in file.paragraphs for item in paragraph.hyperlinks]  # fmt: skip
    wanted = {address for entry in paper.entries for place in paper.places(entry)
              for address in (place.permalink, place.original) if address}  # fmt: skip
    assert set(addresses) == wanted
    facts = file.core_properties
    assert (facts.title, facts.author, facts.comments, facts.last_modified_by) == (QUAY, "bri_qa", "", "bri_qa")


def test_a_docx_loads_nothing_and_runs_nothing(kept: Kept) -> None:
    with zipfile.ZipFile(BytesIO(export.as_docx(_conversation(kept)))) as file:
        assert file.testzip() is None
        relations = "".join(file.read(name).decode() for name in file.namelist() if name.endswith(".rels"))
        body = file.read("word/document.xml").decode()
    outward = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<Relationship\b[^>]*>", relations)]
    outward = [relation for relation in outward if relation.get("TargetMode") == "External"]
    assert {relation["Type"] for relation in outward} == {RELATIONSHIP_TYPE.HYPERLINK}
    assert all(item["Target"].startswith(("https://qa.example/", "https://gazette.example/")) for item in outward)
    assert not re.search(r"<w:(fldSimple|instrText|fldChar|object|altChunk|pict|drawing)\b", body)
    assert "&lt;script&gt;window.pwned = 1&lt;/script&gt;" in body


def test_what_xml_cannot_hold_does_not_break_a_docx(kept: Kept) -> None:
    text = "a\x00b\x0bc\ud800d\ufffee\tf\ng"
    given = kept.answer(f"{QUAY} \x07")
    cited = replace(given.citations[0], quote=text, span=Span(0, len(text)), source=Source("T\x1b", "P\x0c"))
    entry = kept.history.add(USER, replace(given, citations=(cited,)), kept.pipeline.document)
    file = docx.Document(BytesIO(export.as_docx(Paper.of_entry(entry, link))))
    assert file.paragraphs[0].text == f"{QUAY} \ufffd"
    assert file.paragraphs[-1].text == "a\ufffdb\ufffdc\ufffdd\ufffde\tf\ng"
    assert file.paragraphs[-2].text.startswith("[1] T\ufffd, P\ufffd")


def test_one_answer_as_json_can_be_verified(kept: Kept, tmp_path: Path) -> None:
    entry = kept.add(USER)
    made = export.as_json(Paper.of_entry(entry, link))
    assert {key: value for key, value in made.items() if key not in ("asked", "citations")} == {
        key: value for key, value in entry.contract.items() if key != "citations"
    }
    assert made["asked"] == "2026-03-01T12:00:01Z"
    (citation,) = made["citations"]
    _assert_opens_at(citation["permalink"], citation["quote"])
    assert citation == {**entry.contract["citations"][0], "licence": None, "permalink": citation["permalink"]}
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(made), encoding="utf-8")
    assert [item.quote for item in saved_citations(file)] == [citation["quote"]]


def test_a_conversation_as_json(kept: Kept) -> None:
    paper = _conversation(kept)
    made = json.loads(json.dumps(export.as_json(paper)))
    assert (made["title"], made["created"]) == (QUAY, "2026-03-01T12:00:01Z")
    assert [item["question"] for item in made["entries"]] == [QUAY, MOON, "hello", MILL]
    assert [len(item["citations"]) for item in made["entries"]] == [1, 0, 0, 3]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        (QUAY, "2026-03-01-how-long-is-the-new-quay.docx"),
        ("../../etc/passwd\0\r\nX: y", "2026-03-01-etc-passwd-x-y.docx"),
        ("The quay’s café — “now”", "2026-03-01-the-quays-cafe-now.docx"),
        ("新码头有多长", "2026-03-01-conversation.docx"),
        ("a" * 100, f"2026-03-01-{'a' * 60}.docx"),
        ("word " * 40, f"2026-03-01-{'-'.join(['word'] * 12)}.docx"),
        ('"; filename=x', "2026-03-01-filename-x.docx"),
    ],
)
def test_a_file_name_is_safe_everywhere(kept: Kept, title: str, name: str) -> None:
    paper = replace(_conversation(kept), title=title)
    assert export.file_name(paper, "docx") == name


def test_the_file_name_of_an_answer(kept: Kept) -> None:
    paper = replace(_with_source(kept, Source("T")), title="？")
    assert export.file_name(paper, "md") == "2026-03-01-answer.md"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/x?y=z#w", "https://a.example/x?y=z#w"),
        (" http://a.example ", "http://a.example"),
        ("https://a.example/%20(é)<b>\"'`\\", "https://a.example/%20%28%C3%A9%29%3Cb%3E%22'%60%5C"),
        ("https://a.example/x\n](javascript:alert(1))", "https://a.example/x]%28javascript:alert%281%29%29"),
        ("javascript:alert(1)", None),
        ("JAVASCRIPT://a.example/%0aalert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("//a.example", None),
        ("https:", None),
        ("https://", None),
        ("https://[", None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(url: str | None, safe: str | None) -> None:
    assert safe_url(url) == safe


def test_an_export_is_of_the_articles_as_they_were(kept: Kept) -> None:
    paper = _conversation(kept)
    kept.pipeline.by_id.clear()
    again = Paper.of_conversation(kept.history.conversation(USER, paper.entries[0].conversation_id), link)
    assert export.as_markdown(again) == export.as_markdown(paper)
