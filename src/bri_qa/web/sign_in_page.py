"""What the page of signing in shows, as HTML. Pure; text is escaped here."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from bri_qa.web.access.onward import HOME
from bri_qa.web.texts import Texts


@dataclass(frozen=True, slots=True)
class Shown:
    """`name` is that of who is signed in; `trouble` names what went wrong; `left`: they have just signed out."""

    onward: str
    name: str | None
    provider: bool
    keys: bool
    trouble: str = ""
    left: bool = False


def content(shown: Shown, texts: Texts) -> str:
    """The inside of the page's `<main>`."""
    if shown.name is not None and not shown.trouble:
        return _inside(shown, texts)
    lead = texts("sign_in.lead") if shown.provider or shown.keys else texts("sign_in.nowhere")
    parts = [f"<h1>{texts('sign_in')}</h1>", _note(shown, texts), f'<p class="bri-lead">{lead}</p>']
    if shown.provider:
        parts.append(_provider(shown, texts))
    if shown.provider and shown.keys:
        parts.append(f'<p class="bri-or"><span>{texts("sign_in.or")}</span></p>')
    if shown.keys:
        parts.append(_form(shown, texts))
    return "".join(parts)


def _inside(shown: Shown, texts: Texts) -> str:
    return (
        f'<h1>{texts("sign_in.account")}</h1><p class="bri-lead">{texts("sign_in.as")} <b>{escape(shown.name or "")}</b></p>'
        f'<div class="bri-choice"><a class="bri-main" href="{escape(shown.onward)}">{texts("sign_in.on")}</a>'
        f'<form method="post" action="/sign-out"><button class="bri-other">{texts("sign_out")}</button></form></div>'
    )


def _note(shown: Shown, texts: Texts) -> str:
    """What went wrong is told at once, what went well when there is time for it."""
    if shown.trouble:
        text = texts(f"sign_in.trouble.{shown.trouble}")
        return f'<p class="bri-notice bri-wrong" id="bri-trouble" role="alert">{text}</p>'
    return f'<p class="bri-notice" role="status">{texts("sign_in.left")}</p>' if shown.left else ""


def _provider(shown: Shown, texts: Texts) -> str:
    onward = "" if shown.onward == HOME else f"?next={quote(shown.onward, safe='')}"
    again = texts("sign_in.again") if shown.trouble in ("down", "stale") else texts("sign_in.provider")
    return f'<a class="bri-main" href="/sign-in/oidc{onward}">{again}</a>'


def _form(shown: Shown, texts: Texts) -> str:
    is_wrong = shown.trouble in ("key", "roleless")
    wrong = ' aria-invalid="true"' if is_wrong else ""
    told = "bri-trouble bri-key-hint" if is_wrong else "bri-key-hint"
    kind = "bri-other" if shown.provider else "bri-main"
    focus = " autofocus" if is_wrong or not shown.provider else ""
    return (
        f'<form method="post" action="/sign-in/key"><label for="bri-key">{texts("sign_in.key")}</label>'
        f'<input id="bri-key" name="key" type="password" required maxlength="200" autocomplete="current-password" '
        f'spellcheck="false" autocapitalize="none" aria-describedby="{told}"{wrong}{focus}>'
        f'<p class="bri-soft" id="bri-key-hint">{texts("sign_in.key.hint")}</p>'
        f'<input type="hidden" name="next" value="{escape(shown.onward)}">'
        f'<button class="{kind}">{texts("sign_in.key.go")}</button></form>'
    )
