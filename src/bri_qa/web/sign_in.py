"""`/sign-in` and `/sign-out`: people become known by an API key, or at the OpenID Connect provider."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from bri_qa.errors import HistoryError
from bri_qa.history.keys import Key, Keys
from bri_qa.settings import Settings
from bri_qa.web import pages, sign_in_page, visitors
from bri_qa.web.access import Person, person
from bri_qa.web.access.claims import Reading
from bri_qa.web.access.discovery import Discovered, ProviderDownError
from bri_qa.web.access.oidc import TICKET_SECONDS, Provider, RefusedError
from bri_qa.web.access.onward import HOME, local
from bri_qa.web.access.registration import Registration
from bri_qa.web.access.resolver import person_of
from bri_qa.web.access.sessions import COOKIE, Sessions, cookie
from bri_qa.web.guards import same_origin
from bri_qa.web.identity import secret
from bri_qa.web.security import LISTING_CSP, problem

log = logging.getLogger(__name__)

TICKET = "bri_qa_sign_in"
KEY_CHARS = 200
_STATUS = {"stale": 400, "token": 401, "cancelled": 403, "stranger": 403}
_HEADERS = {
    "Content-Security-Policy": LISTING_CSP,
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}


class FindsKeys(Protocol):
    """Where API keys are looked up."""

    def find(self, secret: str) -> Key | None:
        """The key whose secret this is, if it may still be used."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """What signing in needs; `keys` None takes no keys, `provider` None is none."""

    sessions: Sessions
    keys: FindsKeys | None
    provider: Provider | None
    public_url: str | None

    async def let_in(
        self, request: Request, who: Person, onward: str, *, key_id: str | None = None, status: int = 303
    ) -> Response:
        """A new session in the place of the browser's old one; the response goes on to a path of this server."""
        try:
            await run_in_threadpool(self.sessions.end, request)
            value = await run_in_threadpool(self.sessions.start, who, key_id)
        except HistoryError as error:
            return _broken(self, request, onward, error)
        response = RedirectResponse(local(onward), status) if status == 303 else Response(status_code=status)
        self.set(request, response, COOKIE, value, self.sessions.seconds)
        return response

    def set(self, request: Request, response: Response, name: str, value: str, seconds: int) -> None:
        response.headers.append("Set-Cookie", cookie(name, value, seconds, request.scope, self.public_url))
        response.headers["Cache-Control"] = "no-store"

    def page(self, request: Request, onward: str, trouble: str = "", status: int = 200) -> Response:
        """The page of signing in; `trouble` names a text."""
        texts = visitors.texts_of(request)
        shown = sign_in_page.Shown(
            onward=local(onward),
            name=known(person(request)),
            provider=self.provider is not None,
            keys=self.keys is not None,
            trouble=trouble,
            left="left" in request.query_params,
        )
        return HTMLResponse(pages.sign_in_page(sign_in_page.content(shown, texts), texts), status, _HEADERS)


def router(settings: Settings, sessions: Sessions, keys: FindsKeys) -> APIRouter:
    """The routes of signing in and out.

    Raises:
        SettingsError: the settings of the provider do not fit together.
        HistoryError: the server's secret cannot be read.
    """
    door = Door(sessions, keys if settings.sign_in_with_key else None, provider_of(settings), settings.public_url)
    routes = APIRouter(include_in_schema=False)
    _page(routes, door)
    if door.keys is not None:
        _with_key(routes, door, door.keys)
    if door.provider is not None:
        _at_provider(routes, door, door.provider)
    _out(routes, door)
    return routes


def provider_of(settings: Settings) -> Provider | None:
    """The provider that `settings` name. It is not asked before somebody signs in.

    Raises:
        SettingsError: they do not fit together.
        HistoryError: the server's secret cannot be read.
    """
    registration = Registration.open(settings)
    if registration is None:
        return None
    key = secret(settings.history_dir)
    return Provider(registration, Reading.of(settings), Discovered(registration.issuer), key)


def _page(routes: APIRouter, door: Door) -> None:
    @routes.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        return door.page(request, request.query_params.get("next", HOME))


def _with_key(routes: APIRouter, door: Door, keys: FindsKeys) -> None:
    @routes.post("/sign-in/key", dependencies=[Depends(same_origin)])
    async def with_key(request: Request) -> Response:
        is_json = request.headers.get("content-type", "").startswith("application/json")
        sent = await _sent(request, is_json)
        shown, onward = sent.get("key", "").strip(), sent.get("next", HOME)
        try:
            found = await run_in_threadpool(keys.find, shown) if len(shown) <= KEY_CHARS else None
        except HistoryError as error:
            return _broken(door, request, onward, error)
        if found is None or found.role is None:
            code = "key" if found is None else "roleless"
            log.warning("a key that cannot sign anybody in was shown (%s)", code)
            status = 401 if found is None else 403
            return _refused_key(status, code) if is_json else door.page(request, onward, code, status)
        return await door.let_in(request, person_of(found), onward, key_id=found.id, status=204 if is_json else 303)


def _at_provider(routes: APIRouter, door: Door, provider: Provider) -> None:
    @routes.get("/sign-in/oidc")
    async def begin(request: Request) -> Response:
        onward = local(request.query_params.get("next", HOME))
        try:
            begun = await provider.begin(onward)
        except ProviderDownError as error:
            return _down(door, request, onward, error)
        response = RedirectResponse(begun.address, 303)
        door.set(request, response, TICKET, begun.ticket, TICKET_SECONDS)
        return response

    @routes.get("/sign-in/callback")
    async def callback(request: Request) -> Response:
        response = await _returned(door, provider, request)
        door.set(request, response, TICKET, "", 0)
        return response


async def _returned(door: Door, provider: Provider, request: Request) -> Response:
    """Somebody is back from the provider."""
    try:
        who, onward = await provider.finish(request.cookies.get(TICKET, ""), request.query_params)
    except RefusedError as error:
        log.warning("a sign-in at the provider failed (%s): %s", error.code, error)
        return door.page(request, HOME, error.code, _STATUS[error.code])
    except ProviderDownError as error:
        return _down(door, request, HOME, error)
    if who.role is None:
        log.warning("somebody signed in at the provider who is in none of the groups that may come in")
        return door.page(request, onward, "stranger", _STATUS["stranger"])
    return await door.let_in(request, who, onward)


def _out(routes: APIRouter, door: Door) -> None:
    @routes.post("/sign-out", dependencies=[Depends(same_origin)])
    async def sign_out(request: Request) -> Response:
        try:
            await run_in_threadpool(door.sessions.end, request)
        except HistoryError as error:
            return _broken(door, request, HOME, error)
        response = RedirectResponse("/sign-in?left", 303)
        door.set(request, response, COOKIE, "", 0)
        return response


async def _sent(request: Request, is_json: bool) -> dict[str, str]:
    """The fields of a form or an object.

    Raises:
        HTTPException: it is neither.
    """
    try:
        sent = await request.json() if is_json else await request.form(max_files=0, max_fields=10)
    except (ValueError, RecursionError):
        raise HTTPException(400, "send a form, or an object of JSON, with the field key") from None
    items = sent.items() if hasattr(sent, "items") else ()
    return {name: value for name, value in items if isinstance(value, str)}


def _refused_key(status: int, code: str) -> Response:
    if code == "roleless":
        return problem(status, "reader_only", "this key has no role; sign in with one that has")
    return problem(status, "credentials_invalid", "the key is not known here, or has been revoked or expired")


def _down(door: Door, request: Request, onward: str, error: ProviderDownError) -> Response:
    log.error("the provider of signing in cannot be asked: %s", error)
    return door.page(request, onward, "down", 502)


def _broken(door: Door, request: Request, onward: str, error: HistoryError) -> Response:
    log.error("a session could not be written: %s", error)
    return door.page(request, onward, "broken", 503)


def entrance(settings: Settings, keys: Keys) -> Callable[[], bool]:
    """A function that says whether there is a way to sign in; it reads the keys, of which new ones are made meanwhile."""
    return lambda: settings.oidc_issuer is not None or (settings.sign_in_with_key and keys.any_alive())


def known(who: Person) -> str | None:
    """The name of one who has signed in here, for pages."""
    return who.name or who.user if who.via == "session" else None
