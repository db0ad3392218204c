"""Hostile words, and whether a page that shows them as words does so: it is read as a browser reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib

from bri_qa.types import Document
from tests.fakes import document

MARK = "zqplanted"
PLANT = (
    f"The {MARK} tower said <script>{MARK}()</script><img src=x onerror={MARK}()><svg/onload={MARK}()>"
    f'"\' onfocus={MARK}() autofocus x="--></title></textarea></style></script><zqplanted-element>'
    f"[a](javascript:{MARK}) ![b](javascript:{MARK}) <javascript:{MARK}> {{{{7*7}}}} ${{7*7}} ]]>&lt;b {MARK}&gt;"
)
URLS = (
    f"javascript:{MARK}()",
    f" JaVaScRiPt:{MARK}()",
    f"data:text/html,<script>{MARK}()</script>",
    f"//{MARK}.example",
)
_ADDRESSES = {"href", "src", "action", "formaction", "data", "srcdoc", "poster", "background", "ping", "xlink:href"}
_NEVER = {"iframe", "object", "embed", "frame", "applet"}
_SCHEME = re.compile(r"\s*(javascript|data|vbscript|file)\s*:", re.IGNORECASE)


def planted() -> list[Document]:
    """Articles that are hostile wherever an article can be."""
    full = document(
        "planted",
        f"{PLANT}\nBefore it. {PLANT} It has 41 steps.\nAfter it.",
        publisher=PLANT,
        url=f'https://gazette.example/"onclick={MARK}()//<script>{MARK}()</script>',
        licence=PLANT,
        published="2024-03-05",
        language=f'en" onclick="{MARK}()',
    )
    byname = document(f'x/"onfocus={MARK}()><script>{MARK}()</script>', f"A ledger\nOf the {MARK}.", publisher="Mill")
    return [full, byname, *(document(f"url-{n}", f"Number {n}\nText.", url=url) for n, url in enumerate(URLS))]


def assert_inert(page: str, shows: bool = True) -> None:
    """Nothing that was planted is more than words; `shows`: and the words are there."""
    root = html5lib.parse(page, namespaceHTMLElements=False)
    found = list(_faults(root))
    assert not found, found
    told = " ".join(str(text) for text in root.itertext()) + " ".join(
        value for element in root.iter() for value in element.attrib.values()
    )
    assert not shows or MARK in told, "the planted words are not in the page: nothing was tested"


def _faults(root: Element) -> Iterator[str]:
    for element in root.iter():
        tag = str(element.tag).rpartition("}")[2]  # a comment's is a function
        if tag in _NEVER or MARK in tag or (tag == "base" and element.get("href", "/") not in ("/", "./")):
            yield f"an element {tag}"
        is_code = tag in ("script", "style") and element.get("type") != "application/json"
        if is_code and MARK in "".join(element.itertext()):
            yield f"a {tag} with planted words"
        if tag == "meta" and (element.get("http-equiv") or "").lower() == "refresh":
            yield "a page that leads away"
        yield from _attributes(tag, {str(name): value for name, value in element.attrib.items()})


def _attributes(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    for name, value in attributes.items():
        if MARK in name or (name.lower().startswith("on") and MARK in value):
            yield f"an attribute {name} of {tag}"
        if name == "style" and MARK in value:
            yield f"planted style of {tag}"
        if name.lower() in _ADDRESSES and (_SCHEME.match(value) or value.startswith(f"//{MARK}")):
            yield f"{name}={value} of {tag}"
    if tag == "input" and "autofocus" in attributes and MARK in str(attributes):
        yield "a field that was given the focus"
