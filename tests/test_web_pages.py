from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path

import pytest

from bri_qa.types import Document, Filters
from bri_qa.web import pages, texts
from bri_qa.web.catalogue import PAGE
from bri_qa.web.pages import House
from bri_qa.web.visitors import Visitor
from tests.fakes import FakePipeline, web_documents

GRADIO = "<html><head></head><body><gradio-app></gradio-app></body></html>"
ENGLISH = texts.of(texts.ENGLISH)
VISITOR = Visitor(ENGLISH)
HOSTILE = FakePipeline().by_id["odd/<i>ledger</i> & co"]


def _house(documents: list[Document] | None, trouble: str | None = None) -> House:
    return House(documents, trouble, max_question_chars=4_000, keeps=True)


def test_our_page_stands_around_gradios() -> None:
    page = pages.chat_page(GRADIO, _house(web_documents()), VISITOR)
    assert re.search(
        r"<body><a .*<header .*</header><nav .*</nav><gradio-app></gradio-app><aside .*</aside>.*</body>", page
    )
    assert ">3 articles</button>" in page
    assert 'href="/source/odd/%3Ci%3Eledger%3C/i%3E%20%26%20co"' in page
    assert (
        ">Odd &lt;b&gt;title&lt;/b&gt; &amp; &quot;quotes&quot;</a></h3><p>&lt;u&gt;Mill&lt;/u&gt; · 53 words</p>"
        in page
    )
    assert "<i>ledger" not in page
    without = House(web_documents(), None, 4_000, keeps=False)
    assert "bri-menu" not in pages.chat_page(GRADIO, without, VISITOR)


def test_gradios_words_become_those_of_the_readers_language() -> None:
    gradio = GRADIO.replace("<head>", '<head lang="x"><script>{"value":"@@ask@@","text":"@@welcome@@"}</script>')
    gradio = gradio.replace("<html>", '<html style="x" lang="en">')
    page = pages.chat_page(gradio, _house([]), Visitor(texts.of(texts.CHINESE)))
    assert '<html style="x" lang="zh-Hans">' in page
    assert json.dumps("提问") in page
    assert "@@" not in page
    with pytest.raises(KeyError):
        pages.chat_page(GRADIO.replace("<body>", "<body>@@no.such.text@@"), _house([]), VISITOR)


def test_filters_are_seen_and_each_can_be_removed() -> None:
    filters = Filters(("harbour", "gone"), ("<u>Mill</u>",), "2019", None)
    page = pages.chat_page(GRADIO, _house(web_documents()), Visitor(ENGLISH, filters))
    chips = re.findall(r'<li><span>(.*?)</span><a href="(.*?)" aria-label="(.*?)"', page)
    assert [name for name, _, _ in chips] == [
        "The harbour of Lindum opens again",
        "an article that is not here any more",
        "&lt;u&gt;Mill&lt;/u&gt;",
        "from 2019",
    ]
    assert chips[0][1] == "/?document=gone&amp;publisher=%3Cu%3EMill%3C%2Fu%3E&amp;from=2019"
    assert chips[3][2] == "Remove the filter from 2019"
    assert "0 of 3 articles" in page


@pytest.mark.parametrize("page", ["", GRADIO.replace("</head>", ""), GRADIO + GRADIO])
def test_a_page_of_gradios_that_we_do_not_know_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="has not exactly one </head>"):
        pages.chat_page(page, _house([]), VISITOR)


@pytest.mark.parametrize(("count", "words"), [(0, "0 articles"), (1, "1 article"), (1_234, "1,234 articles")])
def test_the_header_counts_the_articles(count: int, words: str) -> None:
    page = pages.chat_page(GRADIO, _house([HOSTILE] * count), VISITOR)
    assert f">{words}</button>" in page
    assert page.count('class="bri-open"') == min(count, PAGE)
    assert ("Page 1 of 42" in page) == (count == 1_234)
    assert ('<p class="bri-notice">No article is indexed yet.' in page) == (count == 0)


def test_trouble_with_the_index_is_escaped() -> None:
    page = pages.chat_page(GRADIO, _house(None, "the index <b>x</b> is gone; run `bri-qa index`"), VISITOR)
    assert ">Index not available</button>" in page
    assert page.count("the index &lt;b&gt;x&lt;/b&gt; is gone; run `bri-qa index`") == 2  # in the panel, above the box


def _colours(theme: str) -> dict[str, str]:
    css = (Path(pages.__file__).parent / "static" / "base.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root[^{]*{([^}]*)}", css)
    block = light if theme == "light" else dark
    return dict(re.findall(r"--bri-([\w-]+): (#[0-9a-f]{6});", block))


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


_PAIRS = [
    *product(["ink", "soft", "accent"], ["page", "surface"]),
    *product(["ink"], ["sunken", "accent-wash", "quote", "quote-now", "abstain-wash", "error-wash"]),
    ("accent-ink", "accent"),
    ("accent", "accent-wash"),
    ("soft", "abstain-wash"),
    ("abstain", "abstain-wash"),
    ("error", "error-wash"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(theme: str) -> None:
    colours = _colours(theme)
    for ink, behind in _PAIRS:
        bright, dark = sorted((_luminance(colours[ink]), _luminance(colours[behind])), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, f"{ink} on {behind}"
