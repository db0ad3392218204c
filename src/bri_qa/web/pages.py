"""Whole pages and the shell around the chat: the HTML that is ours rather than Gradio's. Pure; text is escaped here."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from bri_qa.types import Document
from bri_qa.web import catalogue, scope
from bri_qa.web.texts import Texts
from bri_qa.web.visitors import Visitor

PRODUCT = "bri_qa"

_ICON = '<link rel="icon" href="/favicon.ico" sizes="any"><link rel="icon" href="/ui/favicon.svg" type="image/svg+xml">'
_STYLE = '<link rel="stylesheet" href="/ui/base.css"><script src="/ui/theme.js"></script>'
_SHEETS = ("chat", "panel", "history", "catalogue", "dialog")
_LOGO = (
    '<svg class="bri-logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="8"/>'
    '<path d="M9 11.5h14M9 16.5h9M9 21.5h6"/><path class="bri-logo-mark" d="M19 19.5l2.6 2.6L26 17"/></svg>'
)
_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
_LANGUAGE = re.compile(r'(<html[^>]*?)lang="en"')
_WORDS = re.compile(r"@@([a-z.]+)@@")


@dataclass(frozen=True, slots=True)
class House:
    """What the chat page shows of the server: its articles, or why they cannot be read, and its limits."""

    documents: Sequence[Document] | None
    trouble: str | None
    max_question_chars: int
    keeps: bool
    office: str | None = None  # the page of administration that this visitor may open
    name: str | None = None  # of a visitor who has signed in here
    entrance: bool = False  # whether others can sign in


def document_page(title: str, content: str, texts: Texts) -> str:
    """An article's page around `content`, which is HTML; `title` is text."""
    return _page(title, f'<main id="main" tabindex="-1">{content}</main>', texts, "skip.article", "source")


def catalogue_page(content: str, texts: Texts) -> str:
    """The list of the articles as a page around `content`, which is HTML."""
    main = (
        f'<main id="main" tabindex="-1"><h1>{texts("articles.title")}</h1><p class="bri-lead">'
        f"{texts('articles.lead')}</p>{content}</main>"
    )
    return _page(texts("articles.title"), main, texts, "skip.list", "catalogue")


def sign_in_page(content: str, texts: Texts) -> str:
    """The page of signing in around `content`, which is HTML."""
    return _page(texts("sign_in"), f'<main id="main" tabindex="-1">{content}</main>', texts, "sign_in.skip", "sign-in")


def administration_page(title: str, content: str, texts: Texts) -> str:
    """A page of administration around `content`, which is HTML with its `<main>`."""
    return _page(title, content, texts, "admin.skip", "admin")


def _page(title: str, main: str, texts: Texts, skip: str, sheet: str) -> str:
    return (
        f'<!doctype html><html lang="{texts.language}"><head><meta charset="utf-8"><title>{escape(title)} · {PRODUCT}'
        f'</title><meta name="viewport" content="width=device-width, initial-scale=1">{_ICON}{_STYLE}'
        f'<link rel="stylesheet" href="/ui/{sheet}.css"><script src="/ui/source.js" defer></script></head>'
        f'<body class="bri-own-page bri-{sheet}-page"><a class="bri-skip" href="#main">{texts(skip)}</a>'
        f'<header class="bri-header" role="banner"><a class="bri-brand" href="/">{_LOGO}<span>{PRODUCT}</span></a>'
        f'<nav class="bri-tools" aria-label="{PRODUCT}"><a class="bri-tool" href="/">{texts("home")}</a>'
        f'<a class="bri-tool" href="/articles">{texts("articles.title")}</a>{_switches(texts)}</nav></header>'
        f"{main}</body></html>"
    )


def chat_page(gradio: str, house: House, visitor: Visitor) -> str:
    """Gradio's page in the visitor's language, our header before its application and our panels behind it.

    Raises:
        ValueError: Gradio's page is not as we know it (another version).
        KeyError: a text that the application names does not exist.
    """
    for landmark in ("</head>", "<gradio-app", "</gradio-app>"):
        if gradio.count(landmark) != 1:
            raise ValueError(f"Gradio's page has not exactly one {landmark}; pin the version that the tests ran on")
    texts = visitor.texts
    sheets = "".join(f'<link rel="stylesheet" href="/ui/{name}.css">' for name in _SHEETS)
    head = (
        f'{_ICON}{_STYLE}<meta name="description" content="{texts("promise")}.">{sheets}{_words(texts)}'
        '<script type="module" src="/ui/chat.js"></script></head>'
    )
    page = _WORDS.sub(lambda found: _in_json(texts(found[1])), gradio)
    page = _LANGUAGE.sub(rf'\1lang="{texts.language}"', page, count=1)
    page = page.replace("</head>", head)
    page = page.replace("<gradio-app", f"{_header(house, texts)}{_history(house, texts)}<gradio-app")
    return page.replace("</gradio-app>", f"</gradio-app>{_panel(house, texts)}{_around(house, visitor)}")


def inline_script_hashes(page: str) -> list[str]:
    """The CSP sources (`'sha256-…'`) that allow exactly the inline scripts of `page` and no other."""
    return [
        f"'sha256-{b64encode(sha256(found['body'].encode()).digest()).decode()}'"
        for found in _SCRIPT.finditer(page)
        if "src=" not in found["attributes"] and "application/json" not in found["attributes"] and found["body"]
    ]


def _in_json(text: str) -> str:
    """Inside a string of JSON inside a script."""
    return json.dumps(text)[1:-1].replace("<", "\\u003c")


def _words(texts: Texts) -> str:
    words = json.dumps({"language": texts.language, **texts.words}, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="bri-texts">{words}</script>'


def _svg(path: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{path}"/></svg>'


def _switches(texts: Texts) -> str:
    """The other language, and the dark."""
    other, code = texts("language.switch"), "en" if texts.language != "en" else "zh-Hans"
    return (
        f'<button type="button" class="bri-tool" id="bri-language" lang="{code}" data-language="{code}" '
        f'aria-label="{texts("language.switch.label")}">{other}</button>'
        f'<button type="button" class="bri-tool bri-tool-icon" id="bri-theme" aria-label="{texts("theme.dark")}" '
        f'aria-pressed="false">{_svg("M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z")}</button>'
    )


def _header(house: House, texts: Texts) -> str:
    unread = house.documents is None
    count = texts("index.unavailable") if unread else texts.count("articles", len(house.documents or ()))
    menu = (
        f'<button type="button" class="bri-tool bri-tool-icon" id="bri-menu" aria-label="{texts("menu")}" '
        f'aria-expanded="false" aria-controls="bri-history">{_svg("M4 7h16M4 12h16M4 17h10")}</button>'
        if house.keeps
        else ""
    )
    office = f'<a class="bri-tool bri-office" href="{house.office}">{texts("office")}</a>' if house.office else ""
    return (
        f'<a class="bri-skip" href="#bri-box">{texts("skip.box")}</a><header class="bri-header" role="banner">{menu}'
        f'<a class="bri-brand" href="/">{_LOGO}<span>{PRODUCT}</span></a><p class="bri-promise">{texts("promise")}</p>'
        f'<div class="bri-tools">{office}{_account(house, texts)}<button type="button" class="bri-tool" id="bri-articles" aria-controls="bri-panel">'
        f"{count}</button>{_switches(texts)}</div></header>"
    )


def _account(house: House, texts: Texts) -> str:
    """The way in, or the one who has come in and the way out; on a narrow screen the page of signing in has that."""
    if house.name is None and not house.entrance:
        return ""
    label = texts("sign_in") if house.name is None else house.name
    about = "" if house.name is None else f' title="{texts("sign_in.account")}"'
    out = f'<form method="post" action="/sign-out"><button class="bri-tool">{texts("sign_out")}</button></form>'
    icon = _svg("M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0")
    link = f'<a class="bri-tool bri-account" href="/sign-in"{about}>{icon}<span>{escape(label)}</span></a>'
    return link + (out if house.name is not None else "")


def _history(house: House, texts: Texts) -> str:
    """The conversations of this browser; filled by history.js."""
    if not house.keeps:
        return ""
    return (
        f'<nav class="bri-history" id="bri-history" aria-label="{texts("history.title")}"><div class="bri-history-head">'
        f'<a class="bri-begin" href="/">{_svg("M12 5v14M5 12h14")}<span>{texts("new")}</span></a>'
        f'<button type="button" class="bri-close" id="bri-history-close" aria-label="{texts("history.close")}">'
        f"{_svg('M6 6l12 12M18 6L6 18')}</button></div>"
        f'<label class="bri-history-find"><span class="bri-vh">{texts("history.search")}</span><input type="search" '
        f'id="bri-history-find" maxlength="200" autocomplete="off" placeholder="{texts("history.search")}"></label>'
        '<ul id="bri-history-list"></ul><p id="bri-history-note" role="status"></p>'
        f'<button type="button" id="bri-history-more" hidden>{texts("history.more")}</button>'
        f'<button type="button" id="bri-history-all" hidden>{texts("history.all")}</button></nav>'
    )


def _panel(house: House, texts: Texts) -> str:
    return (
        f'<aside class="bri-panel" id="bri-panel" aria-label="{texts("sources")}"><div class="bri-panel-head">'
        f'<h2 id="bri-panel-title" tabindex="-1">{texts("articles.title")}</h2><div class="bri-steps" id="bri-steps" hidden>'
        f'<button type="button" id="bri-previous" aria-label="{texts("steps.previous")}">{_svg("M15 5l-7 7 7 7")}</button>'
        '<span id="bri-position"></span>'
        f'<button type="button" id="bri-next" aria-label="{texts("steps.next")}">{_svg("M9 5l7 7-7 7")}</button></div>'
        f'<button type="button" class="bri-close" id="bri-close" aria-label="{texts("sources.close")}">'
        f"{_svg('M6 6l12 12M18 6L6 18')}</button></div>"
        f'<div id="bri-list" tabindex="-1">{_listing(house, texts)}</div>'
        f'<ol class="bri-cards" id="bri-cards" aria-label="{texts("quotes")}" hidden></ol>'
        '<div class="bri-place" id="bri-place" hidden></div>'
        f'<section class="bri-reader" id="bri-reader" aria-label="{texts("article")}" tabindex="0" hidden></section></aside>'
        '<div class="bri-shade" id="bri-shade"></div><p class="bri-vh" id="bri-live" role="status" aria-live="polite"></p>'
    )


def _listing(house: House, texts: Texts) -> str:
    """The articles at hand, or why there are none."""
    if house.documents is None:
        return f'<p class="bri-notice">{escape(house.trouble or texts("index.unreadable"))}</p>'
    whole = f'<p class="bri-lead">{texts("articles.lead")} <a href="/articles">{texts("articles.all")}</a></p>'
    return whole + catalogue.listing(house.documents, catalogue.Wanted(), texts, level=3)


def _around(house: House, visitor: Visitor) -> str:
    """What chat.js puts around the question box, and the place of dialogs."""
    texts = visitor.texts
    unread = (
        f'<p class="bri-notice" role="alert">{texts("index.unreadable")} {escape(house.trouble or "")}</p>'
        if house.documents is None
        else ""
    )
    reader = f'<p class="bri-reads">{texts("language.reader")}</p>' if texts.language != "en" else ""
    return (
        f'<div id="bri-trouble">{unread}</div>'
        f'<section id="bri-scope" aria-label="{texts("scope.label")}">{scope.chips(visitor.filters, house.documents or (), texts)}'
        f'</section><section id="bri-following" aria-label="{texts("next.label")}" hidden></section>'
        f'<p id="bri-length" data-most="{house.max_question_chars}" hidden></p>{reader}'
        '<dialog id="bri-dialog" aria-labelledby="bri-dialog-title"></dialog>'
        '<div id="bri-peek" role="tooltip" hidden></div>'
    )
