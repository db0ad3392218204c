"""Whole pages and the shell around the chat: the HTML that is ours rather than Gradio's. Pure; text is escaped here."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape

from bri_qa.types import Document
from bri_qa.web import article

PRODUCT = "bri_qa"
PROMISE = "Answers from the articles, each proven by a quote"
LISTED = 50

_ICON = '<link rel="icon" href="/favicon.ico" sizes="any"><link rel="icon" href="/ui/favicon.svg" type="image/svg+xml">'
_STYLE = '<link rel="stylesheet" href="/ui/base.css"><script src="/ui/theme.js"></script>'
_LOGO = (
    '<svg class="bri-logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="8"/>'
    '<path d="M9 11.5h14M9 16.5h9M9 21.5h6"/><path class="bri-logo-mark" d="M19 19.5l2.6 2.6L26 17"/></svg>'
)
_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)


def document_page(title: str, content: str) -> str:
    """A page of its own around `content`, which is HTML; `title` is text."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · {PRODUCT}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{_ICON}{_STYLE}'
        '<link rel="stylesheet" href="/ui/source.css"><script src="/ui/source.js" defer></script></head>'
        '<body class="bri-source-page"><a class="bri-skip" href="#article">Skip to the article</a>'
        f'<header class="bri-header" role="banner"><a class="bri-brand" href="/">{_LOGO}<span>{PRODUCT}</span></a>'
        '<a class="bri-link" href="/">Ask about the articles</a></header>'
        f'<main id="article" tabindex="-1">{content}</main></body></html>'
    )


def chat_page(gradio: str, documents: Sequence[Document] | None, trouble: str | None) -> str:
    """Gradio's page with our header before its application and the source panel behind it.

    `documents` is None when the index cannot be read; `trouble` then says what to do.

    Raises:
        ValueError: Gradio's page is not as we know it (another version).
    """
    for landmark in ("</head>", "<gradio-app", "</gradio-app>"):
        if gradio.count(landmark) != 1:
            raise ValueError(f"Gradio's page has not exactly one {landmark}; pin the version that the tests ran on")
    head = (
        f'{_ICON}{_STYLE}<meta name="description" content="{PROMISE}.">'
        '<link rel="stylesheet" href="/ui/chat.css"><link rel="stylesheet" href="/ui/panel.css">'
        '<script type="module" src="/ui/chat.js"></script></head>'
    )
    page = gradio.replace("</head>", head)
    page = page.replace("<gradio-app", f"{_header(documents)}<gradio-app")
    return page.replace("</gradio-app>", f"</gradio-app>{_panel(documents, trouble)}")


def inline_script_hashes(page: str) -> list[str]:
    """The CSP sources (`'sha256-…'`) that allow exactly the inline scripts of `page` and no other."""
    return [
        f"'sha256-{b64encode(sha256(found['body'].encode()).digest()).decode()}'"
        for found in _SCRIPT.finditer(page)
        if "src=" not in found["attributes"] and found["body"]
    ]


def count_of_articles(documents: Sequence[Document]) -> str:
    return "1 article" if len(documents) == 1 else f"{len(documents):,} articles"


def _svg(path: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{path}"/></svg>'


def _header(documents: Sequence[Document] | None) -> str:
    count = "Index not available" if documents is None else count_of_articles(documents)
    return (
        '<a class="bri-skip" href="#bri-box">Skip to the question box</a>'
        f'<header class="bri-header" role="banner"><a class="bri-brand" href="/">{_LOGO}<span>{PRODUCT}</span></a>'
        f'<p class="bri-promise">{PROMISE}</p><div class="bri-tools">'
        f'<button type="button" class="bri-tool" id="bri-articles" aria-controls="bri-panel">{count}</button>'
        '<button type="button" class="bri-tool bri-tool-icon" id="bri-theme" aria-label="Dark colours" '
        'aria-pressed="false">'
        f"{_svg('M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z')}</button></div></header>"
    )


def _panel(documents: Sequence[Document] | None, trouble: str | None) -> str:
    return (
        '<aside class="bri-panel" id="bri-panel" aria-label="Sources"><div class="bri-panel-head">'
        '<h2 id="bri-panel-title" tabindex="-1">Articles</h2><div class="bri-steps" id="bri-steps" hidden>'
        f'<button type="button" id="bri-previous" aria-label="Previous quote">{_svg("M15 5l-7 7 7 7")}</button>'
        '<span id="bri-position"></span>'
        f'<button type="button" id="bri-next" aria-label="Next quote">{_svg("M9 5l7 7-7 7")}</button></div>'
        '<button type="button" class="bri-close" id="bri-close" aria-label="Close the sources">'
        f"{_svg('M6 6l12 12M18 6L6 18')}</button></div>"
        f'<div id="bri-list">{_listing(documents, trouble)}</div>'
        '<ol class="bri-cards" id="bri-cards" aria-label="Quotes" hidden></ol>'
        '<section class="bri-reader" id="bri-reader" aria-label="Article" tabindex="0" hidden></section></aside>'
        '<div class="bri-shade" id="bri-shade"></div><p class="bri-vh" id="bri-live" role="status" aria-live="polite"></p>'
    )


def _listing(documents: Sequence[Document] | None, trouble: str | None) -> str:
    """The articles at hand, or why there are none."""
    if documents is None:
        return f'<p class="bri-notice" role="alert">{escape(trouble or "The index cannot be read.")}</p>'
    if not documents:
        return (
            '<p class="bri-notice">No article is indexed yet. Add articles to the corpus folder and run '
            "<code>bri-qa index</code>.</p>"
        )
    items = "".join(
        f'<li><a href="{escape(article.address(item))}" class="bri-open" data-document="{escape(item.id)}">'
        f"<strong>{escape(item.source.title)}</strong>{_origin(item)}</a></li>"
        for item in documents[:LISTED]
    )
    more = len(documents) - LISTED
    rest = f'<p class="bri-more">and {more:,} more</p>' if more > 0 else ""
    return f'<p class="bri-lead">Every answer is cut from these articles. Open one to read it.</p><ul class="bri-list">{items}</ul>{rest}'


def _origin(document: Document) -> str:
    parts = [part for part in (document.source.publisher, document.source.published) if part]
    return f"<span>{escape(' · '.join(parts))}</span>" if parts else ""
