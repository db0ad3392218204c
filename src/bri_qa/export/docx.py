"""A paper as DOCX: headings, plain runs, quotes, and links to web addresses; no field and nothing that is loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

import docx
from docx.document import Document as File
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph

from bri_qa import render
from bri_qa.export.paper import PROMISE, Paper, Place, asked, heading, message
from bri_qa.history import Entry

_LINK_COLOUR = RGBColor(0x0B, 0x57, 0x9F)
_SMALL = Pt(9)
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_docx(paper: Paper) -> bytes:
    """The file's bytes. Text is put in as runs; what XML cannot hold becomes the replacement sign."""
    file = docx.Document()
    facts = file.core_properties
    facts.title, facts.author, facts.last_modified_by = _text(paper.title)[:255], "bri_qa", "bri_qa"
    facts.comments, facts.keywords = "", ""
    facts.created = facts.modified = paper.created
    _styled(file, paper.title, "Title")
    _small(file, PROMISE)
    for entry in paper.entries:
        _entry(file, paper, entry)
    made = BytesIO()
    file.save(made)
    return made.getvalue()


def _entry(file: File, paper: Paper, entry: Entry) -> None:
    places, answer = paper.places(entry), entry.answer
    if not paper.single:
        _styled(file, answer.question.text, "Heading1")
    _small(file, f"Asked {asked(entry.asked)}")
    if answer.abstained:
        file.add_paragraph().add_run(_text(message(entry))).italic = True
    if answer.short_answer:
        file.add_paragraph().add_run(_text(answer.short_answer)).bold = True
    for statement in answer.statements:
        paragraph = file.add_paragraph(_text(statement.text))
        for number in statement.citations:
            paragraph.add_run(" ")
            _link(paragraph, f"[{number}]", places[number - 1].permalink)
    for told in render.remarks(answer):
        file.add_paragraph().add_run(_text(told)).italic = True
    if places:
        _styled(file, heading(entry), "Heading1" if paper.single else "Heading2")
        _places(file, places)


def _places(file: File, places: Sequence[Place]) -> None:
    for place in places:
        paragraph = file.add_paragraph(f"[{place.number}] {_text(place.origin)}")
        paragraph.paragraph_format.keep_with_next = True
        for words, url in (("Open at the quote", place.permalink), ("Original", place.original)):
            if url:
                paragraph.add_run(" · ")
                _link(paragraph, words, url)
        _styled(file, place.quote, "Quote")


def _styled(file: File, words: str, style: str) -> None:
    """A paragraph in a style of the template, by its id: looking up its name took most of the time."""
    file.add_paragraph(_text(words))._p.style = style


def _small(file: File, words: str) -> None:
    file.add_paragraph().add_run(words).font.size = _SMALL


def _link(paragraph: Paragraph, words: str, url: str | None) -> None:
    """`words`, linked where there is an address; python-docx reads links but does not make them."""
    run = paragraph.add_run(words)
    if url is None:
        return
    run.font.color.rgb, run.font.underline = _LINK_COLOUR, True
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    link.append(run._r)
    paragraph._p.append(link)


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
