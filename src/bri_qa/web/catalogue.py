"""The articles at hand, searched and filtered, as escaped HTML. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bri_qa.types import Document, Filters
from bri_qa.web import article, scope
from bri_qa.web.texts import Texts

PAGE = 30
ORDERS = ("new", "title")
SEARCH_CHARS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader looks for. `page` counts from 1; `bad_date` says that a date could not be read."""

    words: str = ""
    filters: Filters = field(default_factory=Filters)
    order: str = "new"
    page: int = 1
    bad_date: bool = False

    def address(self, page: int) -> str:
        found = [("q", self.words)] if self.words else []
        found += scope.pairs(self.filters)
        found += [("order", self.order)] if self.order != "new" else []
        return f"/articles?{urlencode([*found, ('page', str(page))])}"


def wanted(query: QueryParams) -> Wanted:
    """Read from an address; what is malformed does not restrict."""
    dates = [query.get("from", "").strip(), query.get("to", "").strip()]
    page = query.get("page", "1")
    return Wanted(
        words=" ".join(query.get("q", "")[:SEARCH_CHARS].split()),
        filters=replace(scope.read(query), document_ids=()),
        order=query.get("order", "new") if query.get("order") in ORDERS else "new",
        page=max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1,
        bad_date=any(date and not scope.is_date(date) for date in dates),
    )


def fitting(documents: Sequence[Document], wanted: Wanted) -> list[Document]:
    """The articles that fit, in order: each word of the search stands in title, publisher or text, in any case."""
    words = wanted.words.casefold().split()
    found = [
        item for item in documents if wanted.filters.allow(item.id, item.source) and (not words or _holds(item, words))
    ]
    found.sort(key=lambda item: (item.source.title.casefold(), item.id))
    if wanted.order == "new":
        found.sort(key=lambda item: item.source.published or "", reverse=True)
    return found


def _holds(item: Document, words: Sequence[str]) -> bool:
    text = f"{item.source.title}\n{item.source.publisher or ''}\n{item.text}".casefold()
    return all(word in text for word in words)


def listing(documents: Sequence[Document], wanted: Wanted, texts: Texts, level: int = 2) -> str:
    """The form, the count, the articles of the page and the ways to the others; `level` is of their headings."""
    if not documents:
        return f'<p class="bri-notice">{escape(texts("articles.none"))}</p>'
    found = fitting(documents, wanted)
    pages_ = max(1, -(-len(found) // PAGE))
    page = min(wanted.page, pages_)
    shown = found[(page - 1) * PAGE : page * PAGE]
    items = "".join(_item(item, texts, level) for item in shown)
    count = texts.count("articles.found", len(found), total=f"{len(documents):,}")
    these = (
        f'<a class="bri-these" href="{escape(scope.address(wanted.filters))}">{texts("articles.these")}</a>'
        if wanted.filters and found
        else ""
    )
    warning = f'<p class="bri-notice" role="alert">{texts("articles.baddate")}</p>' if wanted.bad_date else ""
    nothing = "" if found else f'<p class="bri-notice">{texts("articles.nothing")}</p>'
    form = _form(documents, wanted, texts) if len(documents) > 1 else ""
    return (
        f'{form}{warning}<p class="bri-found" role="status"><span>{count}</span>{these}</p>'
        f'{nothing}<ul class="bri-list">{items}</ul>{_pager(wanted, page, pages_, texts)}'
    )


def _item(item: Document, texts: Texts, level: int) -> str:
    source = item.source
    facts = [source.publisher, source.published, texts("articles.words", count=f"{len(item.text.split()):,}")]
    foreign = source.language if source.language and not source.language.startswith("en") else None
    facts.append(texts("articles.language", language=foreign) if foreign else None)
    title, language = escape(source.title), f' lang="{escape(source.language)}"' if source.language else ""
    alone = scope.address(Filters(document_ids=(item.id,)))
    label = escape(f"{texts('articles.alone')}: {source.title}")
    return (
        f'<li><h{level}><a href="{escape(article.address(item))}" class="bri-open" data-document="{escape(item.id)}"'
        f"{language}>{title}</a></h{level}><p>{escape(' · '.join(fact for fact in facts if fact))}</p>"
        f'<a class="bri-alone" href="{escape(alone)}" aria-label="{label}">{texts("articles.alone")}</a></li>'
    )


def _form(documents: Sequence[Document], wanted: Wanted, texts: Texts) -> str:
    """A plain form: it works without a script."""
    publishers = Counter(item.source.publisher for item in documents if item.source.publisher)
    chosen = wanted.filters.publishers[:1]
    options = "".join(
        f'<option value="{escape(name)}"{" selected" if (name,) == chosen else ""}>{escape(name)} ({count:,})</option>'
        for name, count in sorted(publishers.items(), key=lambda pair: (pair[0].casefold(), pair[0]))
    )
    orders = "".join(
        f'<option value="{name}"{" selected" if name == wanted.order else ""}>{texts(f"articles.order.{name}")}</option>'
        for name in ORDERS
    )
    hint = escape(texts("articles.date.hint"))

    def date(name: str, value: str | None) -> str:
        return (
            f'<label class="bri-date"><span>{texts(f"articles.{name}")}</span><input name="{name}" '
            f'value="{escape(value or "")}" inputmode="numeric" maxlength="10" placeholder="2024-03" title="{hint}" '
            'autocomplete="off"></label>'
        )

    return (
        '<form class="bri-find" action="/articles" role="search"><label class="bri-words"><span>'
        f'{texts("articles.search")}</span><input type="search" name="q" maxlength="{SEARCH_CHARS}" '
        f'value="{escape(wanted.words)}" autocomplete="off"></label><label class="bri-pub"><span>'
        f'{texts("articles.publisher")}</span><select name="publisher"><option value="">'
        f"{texts('articles.publisher.any')}</option>{options}</select></label>"
        f"{date('from', wanted.filters.published_from)}{date('to', wanted.filters.published_to)}"
        f'<label class="bri-order"><span>{texts("articles.order")}</span><select name="order">{orders}</select></label>'
        f'<button>{texts("articles.show")}</button><a class="bri-reset" href="/articles">{texts("articles.reset")}</a>'
        "</form>"
    )


def _pager(wanted: Wanted, page: int, last: int, texts: Texts) -> str:
    if last == 1:
        return ""
    steps = (("earlier", page - 1), ("later", page + 1))
    earlier, later = (
        f'<a class="bri-page" href="{escape(wanted.address(to))}">{texts(f"articles.{name}")}</a>'
        if 1 <= to <= last
        else ""
        for name, to in steps
    )
    return f'<nav class="bri-pager" aria-label="{texts("articles.title")}">{earlier}<span>{texts("articles.page", page=page, pages=last)}</span>{later}</nav>'
