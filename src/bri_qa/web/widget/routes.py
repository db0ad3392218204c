"""`/widget.js`, and `/api/v1/widget/tokens` for the portal's server."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Security
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bri_qa.web.access import Person, person
from bri_qa.web.access.widget_tokens import MAX_MINUTES, SCOPE, WidgetTokens
from bri_qa.web.api.described import BEARER
from bri_qa.web.api.problems import refusals
from bri_qa.web.audit import Actor, Audit
from bri_qa.web.guards import ForbiddenError, SignInError
from bri_qa.web.widget.bundle import bundle

PATH = "/api/v1/widget/tokens"

# Any page may load the script: it holds no secret, and what it may ask is decided where it asks.
_SCRIPT_HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Vary": "Accept-Encoding",
    "Access-Control-Allow-Origin": "*",  # so that a page may pin it with `integrity`
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class TokenIn(BaseModel):
    """For whom a token is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origin: str = Field(max_length=300, description="of the page", examples=["https://portal.example"])
    user: str | None = Field(
        default=None, min_length=1, max_length=300, description="what the portal calls its user; kept as a hash"
    )
    groups: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default=[], max_length=100, description="access groups of the user; by default none: what is open to all"
    )
    minutes: int = Field(default=15, ge=1, le=MAX_MINUTES)


class TokenOut(BaseModel):
    """For the page: it is sent as `Authorization: Bearer …`, from that origin alone."""

    token: str
    expires_at: AwareDatetime


def _minter(request: Request) -> Person:
    """Who may mint."""
    who = person(request)
    if SCOPE in who.scopes:
        return who
    if who.via in ("anonymous", "nothing"):
        raise SignInError("send a key with the scope mint in the header Authorization: Bearer …")
    raise ForbiddenError("scope_missing", f"this needs a key with the scope {SCOPE}")


def router(tokens: WidgetTokens, origins: Collection[str], audit: Audit) -> APIRouter:
    """The routes; `origins` are those of the pages that may carry the widget."""
    routes = APIRouter()

    @routes.api_route("/widget.js", methods=["GET", "HEAD"], include_in_schema=False)
    def script(request: Request) -> Response:
        made = bundle()
        headers = {**_SCRIPT_HEADERS, "ETag": made.tag}
        if request.headers.get("if-none-match") == made.tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(made.zipped, headers={**headers, "Content-Encoding": "gzip"}, media_type="text/javascript")
        return Response(made.text, headers=headers, media_type="text/javascript")

    @routes.post(
        PATH,
        operation_id="widget_token",
        tags=["widget"],
        status_code=201,
        response_model=TokenOut,
        responses=refusals(401, 403, 413),
        dependencies=[Security(BEARER)],
    )
    async def mint(wanted: TokenIn, who: Annotated[Person, Depends(_minter)]) -> JSONResponse:
        """A short-lived token for a page with the widget. It needs an API key with the scope `mint`.

        It reads what is open to all, and what is open to those of `groups`; the key must have each of them.
        """
        _is_within(wanted, who, origins)
        about = wanted.model_dump(include={"origin", "groups", "minutes"})
        audit.record(Actor.of(who), "widget.mint", about)
        made = tokens.mint(wanted.origin, wanted.minutes, wanted.user, wanted.groups)
        told = TokenOut(token=made.token, expires_at=datetime.fromtimestamp(made.expires_at, UTC))
        return JSONResponse(told.model_dump(mode="json"), 201, {"Cache-Control": "no-store"})

    return routes


def _is_within(wanted: TokenIn, who: Person, origins: Collection[str]) -> None:
    """
    Raises:
        ForbiddenError: more is wanted than the key may give.
    """
    if wanted.origin not in origins:
        raise ForbiddenError("origin_unknown", f"{wanted.origin} is not among BRI_QA_WIDGET_ORIGINS")
    beyond = set() if who.groups is None else set(wanted.groups) - who.groups
    if beyond:
        raise ForbiddenError("groups_exceeded", f"the key has no access to {', '.join(sorted(beyond))}")
